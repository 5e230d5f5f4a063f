"""An answers file as what was answered; every problem of it at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcow_wizard import fixes
from mailcow_wizard.answers import keys, toml
from mailcow_wizard.answers.keys import Answer, Table
from mailcow_wizard.answers.lines import lines_of
from mailcow_wizard.answers.mailcow import conf_of
from mailcow_wizard.answers.problems import Place, Problem, Unfit, name_of, nearest
from mailcow_wizard.answers.values import Wrong, type_of
from mailcow_wizard.engine.acknowledging import Entry, acknowledgement, today
from mailcow_wizard.engine.given import (
    BRANCH,
    KEEP,
    REPOSITORY,
    Allowed,
    Answers,
    Choices,
    FarMailbox,
    FirstMailbox,
    Given,
)
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import answers_file
from mailcow_wizard.host.programs import tsig
from mailcow_wizard.language import _, heard
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def read(path: str, host: Host | None) -> Given:
    """What the file answers; timezones are known where there is a `host`. Raises Unfit."""
    return _Reading(path, host).run()


class _Reading:
    def __init__(self, path: str, host: Host | None) -> None:
        self._path = path
        self._host = host
        self._problems: list[Problem] = []
        self._whole = True
        self._over: list[str] = []

    def run(self) -> Given:
        found = self._load(self._path)
        if found is None:
            raise Unfit(self._problems)
        data, place = found
        self._unknown(data, place)
        said = {table.name: tuple(self._tables(table, data, place)) for table in keys.TABLES}
        one = {name: rows[0] if rows else {} for name, rows in said.items()}
        secret_data, secret_place = self._secrets(data, place)
        conf, secrets = conf_of(
            self._host,
            one["server"],
            (data.get(keys.MAILCOW), place),
            (secret_data, secret_place),
            lambda: self._whole and not self._problems,
        )
        accepted = tuple(self._accepted(place, said["accept"]))
        allowed = tuple(self._allowed(place, said["fix"]))
        self._key_file(one["dns"], place)
        self._far_password(one["far_mailbox"], place)
        if self._whole:
            self._together(one, place)
        if self._problems:
            raise Unfit(self._problems)
        return _given(one, conf, secrets, accepted, allowed)._replace(over=tuple(self._over))

    def _load(self, path: str, private: bool = False) -> tuple[dict[str, Any], Place] | None:
        """The file's values and where they stand; None where nothing can be read."""
        place = Place(path, {}, self._problems)
        try:
            file = answers_file.read(path)
        except answers_file.NotText as error:
            self._problems.append(Problem(path, error.line, heard(error), _("save it as UTF-8")))
            return None
        except HostError as error:
            place.wrong((), _("it cannot be read: {why}", why=heard(error)))
            return None
        if file.changeable:
            place.wrong((), _("everybody may change this file"), f"chmod o-w {path}")
        if private and file.open_to:
            place.wrong((), _may_read(file), f"chmod 600 {path}")
        data, mistakes, text = toml.read(file.text)
        self._problems += [Problem(path, one.line, one.what, one.right) for one in mistakes]
        self._whole = self._whole and not mistakes
        place.lines = lines_of(text)
        return data, place

    # --- tables ------------------------------------------------------------------------------------------

    def _unknown(self, data: Mapping[str, Any], place: Place) -> None:
        tables = [keys.MAILCOW, *(one.name for one in keys.TABLES)]
        for name in data:
            if name in tables or name == keys.SECRETS.name:
                continue
            homes = {key.name: one.name for one in keys.TABLES for key in one.answers if not one.many}
            meant = nearest(name, homes)
            if meant and not isinstance(data[name], dict | list | bool):
                right = _("{key} below the line [{table}]", key=meant, table=homes[meant])
                place.wrong((name,), _("{key} stands in no table", key=name_of((name,))), right)
            else:
                self._no_such(place, (name,), [*tables, keys.SECRETS.name])

    def _no_such(self, place: Place, path: tuple[str | int, ...], known: list[str]) -> None:
        name = str(path[-1])
        meant = nearest(name, known)
        right = meant or _("one of {values}", values=", ".join(known))
        place.wrong(path, _("{key} is unknown", key=name_of(path)), right)

    def _tables(self, table: Table, data: Mapping[str, Any], place: Place) -> Iterator[dict[str, Any]]:
        """The table's answers as they are read, for each of it; `(line)` is where it begins."""
        value = data.get(table.name)
        if value is None:
            return
        if table.many:
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                words = _("{name} is {kind}, and must be tables", name=table.name, kind=type_of(value))
                place.wrong((table.name,), words, f"[[{table.name}]]")
                return
            for number, row in enumerate(value):
                yield {"(at)": number, **self._row(table, row, (table.name, number), place)}
        elif isinstance(value, dict):
            yield self._row(table, value, (table.name,), place)
        else:
            words = _("{name} is {kind}, and must be a table", name=table.name, kind=type_of(value))
            place.wrong((table.name,), words, f"[{table.name}]")

    def _row(
        self, table: Table, row: Mapping[str, Any], path: tuple[str | int, ...], place: Place
    ) -> dict[str, Any]:
        known = {one.name: one for one in table.answers}
        found = {}
        for name, value in row.items():
            if name not in known:
                self._no_such(place, (*path, name), list(known))
                continue
            read = self._value(known[name], value, (*path, name), place)
            if read is not None:
                found[name] = read
        for name in table.needed:
            if name not in row:
                brackets = f"[[{table.name}]]" if table.many else f"[{table.name}]"
                words = _("{key} is missing in {table}", key=name, table=brackets)
                place.wrong(path, words, self._example(known[name]))
        return found

    def _value(self, answer: Answer, value: object, path: tuple[str | int, ...], place: Place) -> Any:
        try:
            return answer.kind.read(value)
        except Wrong as error:
            for number, part in error.parts.items():
                words = _("element {n}: {what}", n=number + 1, what=part)
                place.wrong((*path, number), f"{name_of(path)}, {words}", part.right)
            if not error.parts:
                place.wrong(path, f"{name_of(path)}: {error}", error.right)
            return None

    def _example(self, answer: Answer) -> str:
        return f"{answer.name} = {answer.kind.example}"

    # --- what stands in other files ------------------------------------------------------------------------

    def _secrets(self, data: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], Place]:
        """The second file's table [mailcow]."""
        nothing: dict[str, Any] = {}
        name = keys.SECRETS.name
        value = data.get(name)
        path = self._value(keys.SECRETS, value, (name,), place) if value is not None else None
        if path is None:
            return nothing, place
        found = self._load(answers_file.beside(self._path, path), private=True)
        if found is None:
            return nothing, place
        values, there = found
        for one in values:
            if one != keys.MAILCOW:
                self._no_such(there, (one,), [keys.MAILCOW])
        return values, there

    def _key_file(self, dns: dict[str, Any], place: Place) -> None:
        """The key that signs updates has to be there before anything is begun."""
        if "tsig" not in dns:
            return
        at = ("dns", "tsig")
        dns["tsig"] = answers_file.beside(self._path, dns["tsig"])
        try:
            file = answers_file.read(dns["tsig"])
            tsig.parse(file.text)
        except (HostError, tsig.BadKey) as error:
            words = f"dns.tsig: {harmless(dns['tsig'], 100)}: {heard(error)}"
            place.wrong(at, words, _("BIND's key file, mode 600"))
            return
        if file.open_to:
            place.wrong(at, f"dns.tsig: {_may_read(file)}", f"chmod 600 {dns['tsig']}")

    def _far_password(self, far: dict[str, Any], place: Place) -> None:
        """The password of the mailbox elsewhere has to be there, too, and is read when it is needed."""
        if "password_file" not in far:
            return
        at, name = ("far_mailbox", "password_file"), "far_mailbox.password_file"
        path = far["password_file"] = answers_file.beside(self._path, far["password_file"])
        try:
            file = answers_file.read(path)
        except HostError as error:
            words = f"{name}: {harmless(path, 100)}: {heard(error)}"
            place.wrong(at, words, _("a file with the password, mode 600"))
            return
        if file.open_to:
            place.wrong(at, f"{name}: {_may_read(file)}", f"chmod 600 {path}")

    # --- findings and fixes ------------------------------------------------------------------------------

    def _accepted(self, place: Place, rows: tuple[dict[str, Any], ...]) -> Iterator[Entry]:
        seen: set[tuple[str, str | None]] = set()
        for row in rows:
            path = ("accept", row["(at)"])
            check, subject = row.get("check"), row.get("subject")
            if check is None or not self._is_check(place, (*path, "check"), check):
                continue
            if (check, subject) in seen:
                place.wrong(
                    path, _("{check} is accepted twice", check=check), _("one [[accept]] for each subject")
                )
            seen.add((check, subject))
            until = row.get("until")
            if until is not None and until < today():
                named = f"{check}{f' [{harmless(subject)}]' if subject else ''}"
                line = place.line(*path, "until")
                words = _("{finding} was accepted until {day}: it counts again", finding=named, day=until)
                self._over.append(f"{harmless(self._path, 200)}:{line}: {words}")
            elif until is not None and "reason" in row:
                yield Entry(check, subject, acknowledgement(row["reason"], until))

    def _allowed(self, place: Place, rows: tuple[dict[str, Any], ...]) -> Iterator[Allowed]:
        for row in rows:
            path = ("fix", row["(at)"])
            check, fix = row.get("check"), row.get("fix")
            if check is None or not self._is_check(place, (*path, "check"), check) or fix is None:
                continue
            topic = check.partition(".")[0]
            if not fixes.is_known(check, fix):
                known = [one for one in fixes.IDS.get(topic, ()) if not one.endswith("-")]
                meant = nearest(fix, known)
                some = _("one of {values}", values=", ".join(known))
                right = meant or (some if known else _("there is none"))
                words = _("{fix} is no fix of {check}", fix=harmless(fix, 60), check=check)
                place.wrong((*path, "fix"), words, right)
            elif fix in keys.ALONE:
                place.wrong((*path, "fix"), keys.ALONE[fix])
            else:
                yield Allowed(check, fix, row.get("subject"))

    def _is_check(self, place: Place, path: tuple[str | int, ...], check: str) -> bool:
        from mailcow_wizard import checks

        known = [one.id for one in checks.all_checks()]
        if check in known:
            return True
        meant = nearest(check, known)
        right = f'"{meant}"' if meant else _("an id of check --list")
        place.wrong(path, _("'{name}' is not the id of a check", name=harmless(check, 60)), right)
        return False

    # --- what goes together ------------------------------------------------------------------------------

    def _together(self, one: Mapping[str, dict[str, Any]], place: Place) -> None:
        if "tsig" in one["dns"] and "provider" in one["dns"]:
            words = _("dns.tsig and dns.provider exclude each other")
            place.wrong(("dns", "provider"), words, _("one of them"))
        if "server" in one["dns"] and "provider" in one["dns"]:
            words = _("dns.server is where signed updates go, and dns.provider takes none")
            place.wrong(("dns", "server"), words, _("dns.tsig with it, or dns.provider alone"))


def _may_read(file: answers_file.Text) -> str:
    return _("{who} may read this file, and it holds secrets", who=heard(file.open_to))


def _given(
    one: Mapping[str, dict[str, Any]],
    conf: tuple[str, ...],
    secrets: Mapping[str, str],
    accepted: tuple[Entry, ...],
    allowed: tuple[Allowed, ...],
) -> Given:
    server, source, network, dns = one["server"], one["source"], one["network"], one["dns"]
    return Given(
        Answers(server.get("hostname", ""), server.get("domains", ())),
        server.get("directory", ""),
        server.get("addresses", ()),
        network.get("resolver", ""),
        network.get("ntp", ()),
        dns.get("tsig", ""),
        dns.get("server", ""),
        dns.get("provider", ""),
        conf,
        secrets,
        Choices(
            source.get("repository", REPOSITORY),
            source.get("branch", BRANCH),
            network.get("mtu", 0),
            allowed,
            one["admin"].get("password", KEEP),
            FirstMailbox(**one["mailbox"]),
        ),
        accepted,
        far=FarMailbox(**one["far_mailbox"]),
    )
