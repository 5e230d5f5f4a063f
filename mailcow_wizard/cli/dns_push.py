"""The command `dns --push`: publishes what is missing or wrong, after asking for each record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.making import (
    Refused,
    Talk,
    code_of,
    mention_unfinished,
    nobody_to_ask,
    say_what_is,
    told,
    unchanged,
)
from mailcow_wizard.cli.opening import no_name
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.dns.decide import Entry
from mailcow_wizard.facts.dns.mail_server import NoName
from mailcow_wizard.facts.dns.push import TO_PUBLISH, Push
from mailcow_wizard.facts.dns.push import push as look
from mailcow_wizard.facts.dns.table import Row, table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.programs import tsig
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard, pgettext
from mailcow_wizard.model import Plan
from mailcow_wizard.report import dns_push as report

# A zone's other servers are told of a change at once, and fetch it within a few seconds.
_ROUNDS = 6
_PAUSE_S = 1.0
_OTHERS_MAY_READ = 0o044
_CHOICES = "ynaq"


def push(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    return in_session(options, write, lambda session, talk: _pushed(session, options, talk))


def _pushed(session: Session, options: Options, talk: Talk) -> int:
    facts = session.new_facts()
    _way(facts)
    mention_unfinished(session)
    return _Pushing(session, options, talk, facts, _look(facts)).run()


def _way(facts: Facts) -> None:
    """Looks whether the key, or the provider's program, is there, before anybody is asked. Raises UsageError
    and Refused."""
    if facts.settings.dns_provider:
        if facts.settings.tsig:
            raise UsageError(_("--tsig and --provider exclude each other"))
        from mailcow_wizard.host.programs.lexicon import obstacle

        problem = obstacle(facts.settings.dns_provider)
        if problem:
            raise UsageError(harmless(heard(problem)))
        return
    path = dns_records.key_file(facts)
    if not path:
        raise UsageError(_("dns --push needs a key: --tsig FILE, or --provider NAME"))
    shown = harmless(path, 200)
    try:
        key = tsig.parse(facts.host.text(path))
        others = facts.host.info(path).mode & _OTHERS_MAY_READ
    except Denied as error:
        raise Refused(exit_codes.NEEDS_ROOT, f"--tsig {harmless(heard(error))}") from None
    except (tsig.BadKey, HostError) as error:
        said = heard(error) if isinstance(error, HostError) else f"{shown}: {heard(error)}"
        raise UsageError(f"--tsig {harmless(said)}") from None
    for doubt in tsig.doubts(key):
        streams.say(f"{shown}: {heard(doubt)}")
    if others:
        streams.say(
            _(
                "{path} can be read by other users of this machine; chmod 600 keeps it to its owner",
                path=shown,
            )
        )


def _look(facts: Facts) -> Push:
    try:
        return facts.get(look)
    except NoName as error:
        raise no_name(error) from None
    except HostError as error:
        why = _("DNS could not be asked: {why}", why=harmless(heard(error), 300))
        raise Refused(exit_codes.UNKNOWN, unchanged(why)) from None


class _Pushing:
    """All records on their way to their servers."""

    def __init__(self, session: Session, options: Options, talk: Talk, facts: Facts, found: Push) -> None:
        self._session = session
        self._options = options
        self._talk = talk
        self._facts = facts
        self._left = found.left
        self._rows = facts.get(table)
        self._entries = found.entries
        self._plan = self._planned(found.entries)
        self._said = ""
        self._last = ""

    def _planned(self, entries: Sequence[Entry]) -> Plan:
        abouts = [
            *((one.check, one.subject) for one in entries),
            *((one.check, one.subject) for one in self._left),
        ]
        about: tuple[str, str | None] = next(iter(abouts), ("dns.a", None))
        return dns_records.plan(self._facts, entries, self._left, about)

    def run(self) -> int:
        """Shows, asks, does, looks again; returns the exit code."""
        if not self._talk.json or self._talk.can_ask():
            self._talk.lines(report.preview(self._entries, self._left))
        if not self._entries:
            asked = not any(one.kind == "no answer" for one in self._left)
            self._talk.line(
                _("There is nothing to publish; nothing was changed.")
                if asked
                else _("There is no server to publish at; nothing was changed.")
            )
            return self._not_applied(exit_codes.OK if self._options.dry_run else self._code())
        self._talk.plan(self._plan)
        if self._options.dry_run:
            return self._not_applied(exit_codes.OK)
        try:
            chosen = self._permitted()
            if not chosen:
                self._talk.line(_("Nothing was changed."))
                return self._not_applied(self._code())
            self._plan = self._planned(chosen)
            outcome = told(
                self._talk,
                self._session,
                lambda listen: mending.apply(
                    self._session, self._plan, self._listening(listen), back=self._options.yes
                ),
            )
        except Refused as refusal:
            self._not_applied(refusal.code, str(refusal))
            raise
        except HostError as error:
            streams.say(unchanged(error))
            return self._not_applied(code_of(error), str(error))
        return self._ended(outcome, chosen)

    def _permitted(self) -> tuple[Entry, ...]:
        """The records that are to be published. Raises Refused."""
        try:
            self._session.host.changing()
        except HostError as error:
            raise Refused(exit_codes.USAGE, unchanged(error)) from None
        if self._talk.yes:
            return self._entries
        if not self._talk.can_ask():
            raise Refused(exit_codes.USAGE, nobody_to_ask())
        self._talk.line(
            _("For each record: y publishes it, n leaves it out, a publishes it and all that follow,")
        )
        self._talk.line(_("q ends without publishing anything."))
        chosen: list[Entry] = []
        for place, one in enumerate(self._entries):
            self._talk.lines(report.changes(one))
            answer = decided(self._talk)
            if answer == "q":
                return ()
            if answer == "a":
                return (*chosen, *self._entries[place:])
            if answer == "y":
                chosen.append(one)
        return tuple(chosen)

    def _listening(self, listen: mending.Listen) -> mending.Listen:
        """Keeps what the program that failed said last: it is the reason."""

        def hear(event: mending.Progress) -> None:
            if event.kind == "output" and not self._said:
                self._last = event.text
            if event.kind == "failed" and not self._said:
                self._said = self._last
            listen(event)

        return hear

    def _not_applied(self, code: int, error: str = "") -> int:
        self._talk.document(report.of_push(self._plan, False, None, None, harmless(error), self._rows))
        return code

    def _ended(self, outcome: mending.Outcome, chosen: Sequence[Entry]) -> int:
        error = self._said or outcome.error
        if outcome.state == "failed" and not self._options.yes and outcome.change:
            streams.say(_("it was stopped: {why}", why=harmless(heard(error))))
            if self._talk.ask(_("Take back what was done?"), otherwise=True):
                outcome = told(
                    self._talk,
                    self._session,
                    lambda listen: mending.take_back(self._session, outcome.change, listen),
                )
        applied = outcome.state == "applied"
        if not applied:
            say_what_is(self._session, outcome, error)
        names = {(one.name, one.type) for one in chosen}
        self._rows = self._again(names if applied else set())
        touched = [one for one in self._rows if (one.expected.name, one.expected.type) in names]
        self._talk.line(_("The records now:"))
        self._talk.lines(report.states(touched))
        self._talk.finding(outcome.finding)
        self._talk.document(
            report.of_push(
                self._plan, applied, outcome.change, outcome.finding, "" if applied else error, self._rows
            )
        )
        if not applied:
            return exit_codes.CANNOT_WRITE if outcome.state == "undone" else exit_codes.FAIL
        return self._code()

    def _again(self, names: set[tuple[str, str]]) -> tuple[Row, ...]:
        """The table anew, as soon as each zone's own servers have these records."""
        for _round in range(_ROUNDS):
            try:
                rows = self._session.new_facts().get(table)
            except HostError:
                return self._rows
            if not any(_is_behind(one) for one in rows if (one.expected.name, one.expected.type) in names):
                break
            detached.pause(_PAUSE_S)
        return rows

    def _code(self) -> int:
        """The worst of what is or was to be published, as it is now, and of what is left to a person."""
        names = {(one.name, one.type) for one in self._entries}
        rows = {(one.expected.name, one.expected.type): one for one in self._rows}
        found = {_code_of_row(one) for place, one in rows.items() if place in names}
        for one in self._left:
            row = rows.get((one.name, one.type))
            if one.kind == "no answer":
                found.add(exit_codes.UNKNOWN)
            elif one.kind == "by hand":
                found.add(_code_where(row is None or row.expected.fails(row.state.kind)))
        order = (exit_codes.FAIL, exit_codes.WARN, exit_codes.UNKNOWN)
        return next((one for one in order if one in found), exit_codes.OK)


def decided(talk: Talk) -> str:
    """What is to become of a record, as one of `_CHOICES`; each language has letters of its own for them."""
    letters = pgettext("the letters for: publish, leave out, publish all, end", "ynaq")
    return _CHOICES[letters.index(talk.choose(_("Publish this?"), letters))]


def _is_behind(row: Row) -> bool:
    """Whether one of the zone's own servers does not have it right yet."""
    own = {one.server for one in row.seen.own}
    return row.state.kind in TO_PUBLISH or bool(own & set(row.state.where))


def _code_of_row(row: Row) -> int:
    if row.state.kind in TO_PUBLISH:
        return _code_where(row.expected.fails(row.state.kind))
    if row.state.kind == "not everywhere yet":
        return exit_codes.WARN
    return exit_codes.UNKNOWN if row.state.kind == "could not ask" else exit_codes.OK


def _code_where(fails: bool) -> int:
    return exit_codes.FAIL if fails else exit_codes.WARN
