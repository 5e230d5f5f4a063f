"""The command `ack`: acknowledges a finding with a reason, lists what was acknowledged, takes it away."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.making import code_of, shown, unchanged, unknown_check
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.cli.values import NothingDone
from mailcow_wizard.engine.acknowledging import (
    Acknowledgements,
    Entry,
    NotADay,
    acknowledgement,
    read_day,
    today,
)
from mailcow_wizard.engine.memory import Memory
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.report.acknowledgements import line, of_entries

_LONGEST_REASON = 400


def ack(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError."""
    session = open_session(options)
    try:
        known = Acknowledgements(session.state)
        if trouble := known.trouble():
            raise HostError(trouble)
        if not options.list:
            _change(known, options)
            if options.subject and not options.remove:
                _mention_unknown(Memory(session.state, session.recorded), options.words[0], options.subject)
    except HostError as error:
        raise NothingDone(code_of(error), unchanged(error)) from None
    finally:
        session.host.close()
    if options.json:
        import json

        write(json.dumps(of_entries(known.entries, today())) + "\n")
    else:
        write(_told(known, options))
    return exit_codes.OK


def _change(known: Acknowledgements, options: Options) -> None:
    check = options.words[0]
    _known_check(check)
    if options.remove:
        if not known.remove(check, options.subject):
            if not any(one.check == check for one in known.entries):
                raise UsageError(_("{check} is not acknowledged", check=check))
            there = shown([line(one, today()) for one in known.entries if one.check == check])
            raise UsageError(
                _(
                    "nothing like this was acknowledged of {check}; there is: {there}",
                    check=check,
                    there=there,
                )
            )
        return
    reason = (options.reason or "").strip()
    if not reason:
        raise UsageError(_('ack needs a reason: ack CHECK --reason "why it is accepted"'))
    if len(reason) > _LONGEST_REASON:
        raise UsageError(_("--reason is longer than {number} characters", number=_LONGEST_REASON))
    try:
        until = read_day(options.until, today()) if options.until else None
    except NotADay as error:
        raise UsageError(f"--until {harmless(str(error))}") from None
    known.put(Entry(check, options.subject, acknowledgement(harmless(reason), until)))


def _known_check(check: str) -> None:
    try:
        found = select([check])
    except UnknownSelector:
        found = ()
    if [one.id for one in found] != [check]:
        raise unknown_check(check)


def _mention_unknown(memory: Memory, check: str, subject: str) -> None:
    """Says where a subject may be misspelt; one that is yet to come can be acknowledged all the same."""
    there = memory.subjects(check)
    if there and subject not in there:
        streams.say(
            _(
                "when {check} was run last it had no subject '{subject}'; there were: {there}",
                check=check,
                subject=harmless(subject, 60),
                there=shown([one for one in there if one]),
            )
        )


def _told(known: Acknowledgements, options: Options) -> str:
    if not options.list:
        check = options.words[0]
        named = f"{check} [{harmless(options.subject)}]" if options.subject else check
        if options.remove:
            return _("{check} counts again", check=named) + "\n"
        return _("{check} is acknowledged: it stays shown, and no longer counts", check=named) + "\n"
    if not known.entries:
        return _("Nothing was acknowledged so far.") + "\n"
    return "".join(f"{line(one, today())}\n" for one in known.entries)
