"""The command `undo`: lists changes and takes them back. Also `fix --resume`, which goes on with one."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.making import (
    Refused,
    Talk,
    code_of,
    code_of_outcome,
    is_unseen,
    permitted,
    say_unseen,
    say_what_is,
    told,
    unchanged,
    what_next,
)
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Change, Journal
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.target import Conflict
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.files.state import of_root
from mailcow_wizard.host.terminal import abilities as terminal
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Plan
from mailcow_wizard.report.plan import change_line, change_lines, of_changes, of_undo


def undo(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    if options.list:
        return in_session(options, write, lambda session, talk: _list(session, options, talk))
    return in_session(
        options,
        write,
        lambda session, talk: _undo(session, options, talk),
        lambda why: of_undo(None, None, None, None, why),
    )


def _look(session: Session, options: Options) -> None:
    """Says where there is more than is seen. Raises Refused where the journal may not be read."""
    try:
        Journal(session.state).look()
    except HostError as error:
        said = _("{why}. Run: {line}", why=harmless(heard(error)), line=terminal.as_root())
        raise Refused(code_of(error), said) from None
    other = "" if options.state_dir else of_root(session.state.path)
    if other:
        streams.say(
            _(
                "what root changed, in {directory}, is not among these changes. Run: {line}",
                directory=other,
                line=terminal.as_root(),
            )
        )


def _list(session: Session, options: Options, talk: Talk) -> int:
    _look(session, options)
    journal = Journal(session.state)
    changes = journal.list()
    for lost in journal.unreadable():
        streams.say(_unreadable(journal, lost))
    if talk.json:
        talk.document(of_changes(changes))
        return exit_codes.OK
    if not changes:
        talk.line(_("Nothing was changed so far."))
    for one in changes:
        talk.lines(change_lines(one, talk.columns))
        if one.unfinished:
            why = heard(one.error) or _("the work was ended from outside")
            talk.sentence(f"     {why}; {what_next(one)}")
    return exit_codes.OK


def _undo(session: Session, options: Options, talk: Talk) -> int:
    _look(session, options)
    change = _named(session, options.words[0]) if options.words else _newest(session)
    try:
        plan = mending.backward(session, change.id)
    except HostError as error:
        code = _not_planned(change, error, options, talk)
        if not options.words:
            _say_next(session, change)
        return code
    return _carried_out(
        session,
        options,
        talk,
        change,
        plan,
        lambda listen: mending.take_back(session, change.id, listen),
        back=True,
    )


def resume(session: Session, options: Options, talk: Talk) -> int:
    """Goes on with an interrupted or failed change; returns the exit code."""
    _look(session, options)
    change = _named(session, options.resume or "")
    if mending.waits(session, change.id):
        mending.confirm(session, change.id)
        talk.line(_("Change {change} is kept: {title}.", change=change.id, title=change.title))
        return exit_codes.OK
    try:
        plan = mending.forward(session, change.id)
    except HostError as error:
        return _not_planned(change, error, options, talk)
    return _carried_out(
        session, options, talk, change, plan, lambda listen: mending.finish(session, change.id, listen)
    )


def _named(session: Session, name: str) -> Change:
    try:
        return Journal(session.state).get(name)
    except Missing:
        words = _("there is no change '{name}'; see `./wizard undo --list`", name=harmless(name, 60))
        raise Refused(exit_codes.USAGE, words) from None
    except HostError as error:
        raise Refused(exit_codes.CANNOT_WRITE, harmless(heard(error))) from None


def _newest(session: Session) -> Change:
    """The newest change that is still there. Raises Refused where a newer one cannot be read."""
    journal = Journal(session.state)
    lost = next(iter(journal.unreadable()), "")
    for one in journal.list():
        if one.state != "undone" and int(one.id) < int(lost or 0):
            name = _("to take back change {change} all the same: ./wizard undo {change}", change=one.id)
            raise Refused(exit_codes.CANNOT_WRITE, f"{_unreadable(journal, lost)}; {name}")
        if one.state != "undone":
            return one
    if lost:
        raise Refused(exit_codes.CANNOT_WRITE, _unreadable(journal, lost))
    raise Refused(exit_codes.USAGE, _("there is no change to take back"))


def _say_next(session: Session, change: Change) -> None:
    """How to get at the change before one that stays, and is the newest next time, too."""
    for one in Journal(session.state).list():
        if one.state != "undone" and int(one.id) < int(change.id):
            streams.say(_("to take back the change before it: ./wizard undo {change}", change=one.id))
            return


def _unreadable(journal: Journal, change: str) -> str:
    return _(
        "change {change} is not known any more: what is in {path} cannot be read",
        change=change,
        path=harmless(journal.path(change, "")),
    )


def _carried_out(
    session: Session,
    options: Options,
    talk: Talk,
    change: Change,
    plan: Plan,
    work: Callable[[mending.Listen], mending.Outcome],
    back: bool = False,
) -> int:
    """Shows, asks, does. `back`: it is a change that is taken back, and stays made where that cannot be."""
    talk.line(" ".join(change_line(change).split()))
    talk.plan(plan)
    talk.forget_numbers()
    try:
        if options.dry_run or not permitted(talk, session, plan, _("Do this?")):
            if not options.dry_run:
                talk.line(_("Nothing was changed."))
            talk.document(of_undo(change.id, change.state, plan, None, ""))
            return exit_codes.OK
        outcome = told(talk, session, work, change.id)
    except Refused as refusal:
        talk.document(of_undo(change.id, change.state, plan, None, str(refusal)))
        raise
    except Conflict as conflict:
        return _conflict(change, conflict, talk)
    except HostError as error:
        streams.say(unchanged(error))
        talk.document(of_undo(change.id, change.state, plan, None, harmless(str(error))))
        return code_of(error)
    if back and outcome.state == "applied":
        streams.say(unchanged(outcome.error))
    talk.finding(outcome.finding)
    talk.document(of_undo(outcome.change, outcome.state, plan, outcome.finding, outcome.error))
    if outcome.state == "undone":
        talk.line(_("Change {change} was taken back.", change=outcome.change))
        if Journal(session.state).get(outcome.change).state != "undone":
            # Its disk is full, say: what is listed is not what is.
            streams.say(
                _(
                    "this could not be written down in {path}; undo again once there is room: it marks it so",
                    path=Journal(session.state).path(outcome.change, ""),
                )
            )
        return exit_codes.OK
    if back and outcome.state == "applied":
        return exit_codes.CANNOT_WRITE
    if outcome.state != "applied":
        say_what_is(session, outcome)
    elif is_unseen(outcome):
        say_unseen(plan, outcome)
    return code_of_outcome(outcome)


def _not_planned(change: Change, error: HostError, options: Options, talk: Talk) -> int:
    """Why it cannot be done; a dry run was one all the same."""
    if isinstance(error, Conflict):
        code = _conflict(change, error, talk)
    else:
        stays = code_of(error) == exit_codes.CANNOT_WRITE
        said = unchanged(error, 1000) if stays else harmless(heard(error), 1000)
        document = of_undo(change.id, change.state, None, None, said)
        code = talk.refused(Refused(code_of(error), said), document)
    return exit_codes.OK if options.dry_run and code == exit_codes.CANNOT_WRITE else code


def _conflict(change: Change, conflict: Conflict, talk: Talk) -> int:
    """Shows both versions of the lines; nothing is changed."""
    streams.say(unchanged(conflict))
    if conflict.mine or conflict.theirs:
        talk.line(_("as it is now:"))
        talk.lines(f"  {line}" for line in conflict.mine)
        talk.line(_("as it was before the change:"))
        talk.lines(f"  {line}" for line in conflict.theirs)
    talk.document(of_undo(change.id, change.state, None, None, harmless(str(conflict))))
    return exit_codes.CANNOT_WRITE
