"""The table [mailcow]: settings of mailcow.conf, held against the rules that its lint has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailcow_wizard.answers import keys
from mailcow_wizard.answers.problems import Place, nearest
from mailcow_wizard.answers.values import Wrong, type_of
from mailcow_wizard.conf.document import written
from mailcow_wizard.conf.layout import GONE
from mailcow_wizard.conf.new import NEEDED, SECRETS, new
from mailcow_wizard.conf.rule import LintFinding, Surroundings
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import without_machine
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.door import Host
from mailcow_wizard.language import _
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Part = tuple[Any, Place]

_NOBODY = "mail.name.invalid"
_ANSWERED = {"MAILCOW_HOSTNAME": ("server", "hostname"), "TZ": ("server", "timezone")}


def conf_of(
    host: Host | None,
    server: Mapping[str, Any],
    plain: Part,
    secret: tuple[dict[str, Any], Place],
    all_read: Callable[[], bool],
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The settings as KEY=value, and the secret ones by key; what is wrong with them is noted.

    `plain` is the table of the answers file, `secret` the other file, each with where it stands. What goes
    together is judged where `all_read` says that nothing is missing for being wrong.
    """
    values = _values(*plain, secret=False)
    secrets = _values(secret[0].get(keys.MAILCOW), secret[1], secret=True)
    if "timezone" in server:
        values["TZ"] = server["timezone"]
    _lint(host, server, (values, plain[1]), (secrets, secret[1]), all_read())
    return tuple(f"{key}={value}" for key, value in values.items()), secrets


def _values(said: object, place: Place, secret: bool) -> dict[str, str]:
    """The values of one table that can be read."""
    table = keys.MAILCOW
    if said is None:
        return {}
    if not isinstance(said, dict):
        place.wrong(
            (table,), _("{name} is {kind}, and must be a table", name=table, kind=type_of(said)), f"[{table}]"
        )
        return {}
    known, others = keys.conf_keys(secret), keys.conf_keys(not secret)
    found: dict[str, str] = {}
    for key, value in said.items():
        path = (table, key)
        if key in others:
            if secret:
                place.wrong(path, _("{key} is no secret", key=key), _("in the file of answers"))
            else:
                place.wrong(path, _("{key} is a secret", key=key), _("in the file that `secrets` names"))
        elif key in keys.ELSEWHERE:
            place.wrong(path, _("{key} is answered elsewhere", key=key), keys.ELSEWHERE[key])
        elif key in GONE:
            place.wrong(path, _("mailcow no longer reads {key}", key=key), GONE[key] or _("leave it out"))
        elif key not in known:
            meant = nearest(key, known)
            place.wrong(
                path,
                _("{key} is unknown", key=f"{table}.{harmless(key, 60)}"),
                meant or _("a key of mailcow.conf"),
            )
        else:
            _read(key, value, path, place, found)
    return found


def _read(key: str, value: object, path: tuple[str, str], place: Place, found: dict[str, str]) -> None:
    try:
        text = keys.conf_value(key, value)
        written(key, text)
    except Wrong as error:
        place.wrong(path, f"{key}: {error}", error.right)
    except Unwritable as error:
        place.wrong(path, str(error))
    else:
        found[key] = text


def _lint(
    host: Host | None,
    server: Mapping[str, Any],
    plain: tuple[dict[str, str], Place],
    secret: tuple[dict[str, str], Place],
    all_read: bool,
) -> None:
    """Notes what would be wrong in the file that these answers make."""
    name, domains = server.get("hostname", ""), tuple(server.get("domains", ()))
    for one in mistakes(host, name, domains, {**plain[0], **secret[0]}):
        place = secret[1] if one.key in secret[0] else plain[1]
        path = _ANSWERED.get(one.key, (keys.MAILCOW, one.key))
        if path not in place.lines:
            if not all_read:
                continue
            # The value is mailcow's own; what does not go with it is named, too.
            other = next((key for key in (*plain[0], *secret[0]) if key in one.message), "")
            path = (keys.MAILCOW, other)
            place = secret[1] if other in secret[0] else plain[1]
        place.wrong(path, one.message, ", ".join(map(_as_toml, one.remedy.split())))


def mistakes(
    host: Host | None, name: str, domains: tuple[str, ...], values: Mapping[str, str]
) -> tuple[LintFinding, ...]:
    """What would be wrong in the file that these values make; timezones are known where there is a `host`."""
    known = {**values, **({"MAILCOW_HOSTNAME": name} if name else {})}
    made = {key: "a" * length for key, length in SECRETS.items()}
    data = new({**made, "MAILCOW_HOSTNAME": _NOBODY, "TZ": "Etc/UTC", **known})
    about = Surroundings(domains=domains)
    if host is not None:
        about = without_machine(Facts(host, Settings(domains=domains)))
    found = (one for one in lint(data, about) if one.level == "error")
    return tuple(one for one in found if one.key in known or one.key not in NEEDED)


def _as_toml(change: str) -> str:
    key, _equals, value = change.partition("=")
    return f'{key} = "{value}"'
