"""What the commands that change something have in common: showing, asking, telling what goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from mailcow_wizard.checks import all_checks
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.output import Output, sentence_columns
from mailcow_wizard.cli.values import meant
from mailcow_wizard.engine import lock, mending
from mailcow_wizard.engine.journal import UNDER_WAY, Change, Journal
from mailcow_wizard.engine.lock import Locked
from mailcow_wizard.engine.session import Session
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError, NotRecorded
from mailcow_wizard.host.terminal import abilities as terminal
from mailcow_wizard.host.terminal import asking, streams
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Finding, Plan
from mailcow_wizard.report import lines
from mailcow_wizard.report.plan import change_line, of_error, plan_lines, state_word
from mailcow_wizard.typed import TYPE_CHECKING
from mailcow_wizard.wrapping import wrapped

if TYPE_CHECKING:
    from typing import Any


class Refused(Exception):
    """It is not done; the text says why (empty: it was said already), the code is the exit code."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text)
        self.code = code


class Talk:
    """What a command says: people's lines on stdout; with --json one document there, the lines on stderr.

    What cannot be written waits for `end`: a change that was begun is finished, whoever reads of it.
    """

    def __init__(self, options: Options, write: Callable[[str], None]) -> None:
        self.json = options.json
        self.yes = options.yes
        self._plain = options.plain or options.json or not streams.on_terminal()
        self.colour = not self._plain and not options.no_color and streams.wants_colour()
        self._output = Output(write)
        self._steps = 0
        self.documented = False

    def line(self, text: str) -> None:
        """A line for people."""
        if self.json:
            streams.say(text)
        else:
            self._output.write(f"{text}\n")

    @property
    def columns(self) -> int:
        """How many columns sentences have; 0 where they stay in one line."""
        return sentence_columns(self._plain)

    def sentence(self, text: str, hanging: int = 0) -> None:
        """A line for people that may be broken between words."""
        self.lines(wrapped(text, self.columns, hanging))

    def lines(self, texts: Iterable[str]) -> None:
        """Lines for people."""
        for text in texts:
            self.line(text)

    def plan(self, plan: Plan) -> None:
        """Shows a plan; with --json only where it is asked about, because the document has it."""
        self._steps = len(plan.steps)
        if not self.json or self.can_ask():
            self.lines(plan_lines(plan, self.colour, self.columns))

    def forget_numbers(self) -> None:
        """Steps are not counted: those of a change that is taken back have the numbers that they had."""
        self._steps = 0

    def finding(self, finding: Finding | None) -> None:
        """The check's new finding."""
        if finding is None:
            return
        if self._plain:
            self.line(lines.plain(finding))
        else:
            self.lines(lines.coloured(finding, self.colour, self.columns))

    def document(self, document: dict[str, Any]) -> None:
        """The one JSON document, with --json."""
        if self.json:
            import json

            self.documented = True
            self._output.write(json.dumps(document) + "\n")

    def refused(self, refusal: Refused, document: dict[str, Any] | None = None) -> int:
        """Says why nothing is done; `document` is what says it with --json, unless one was written already.
        Returns the exit code."""
        if str(refusal):
            streams.say(str(refusal))
        if not self.documented:
            self.document(document or of_error(str(refusal)))
        return refusal.code

    def progress(self, event: mending.Progress) -> None:
        """What the work says."""
        number = f"{event.step + 1}/{self._steps} " if self._steps else ""
        texts = {
            "step": f"{number}{event.text}",
            "output": f"    {event.text}",
            "failed": _("    failed: {text}", text=event.text),
            "undone": _("    taken back: {text}", text=event.text),
            "check": _("Looking again: {text}", text=event.text),
        }
        if event.kind in texts:
            self.line(texts[event.kind])

    def can_ask(self) -> bool:
        """Whether somebody can be asked and will be: not with --yes."""
        return not self.yes and asking.can_ask(on_stderr=self.json)

    def ask(self, question: str, otherwise: bool = False) -> bool:
        """Asks the person at the terminal."""
        return asking.ask(question, otherwise, on_stderr=self.json)

    def choose(self, question: str, choices: str) -> str:
        """Asks the person at the terminal for one of these letters."""
        return asking.choose(question, choices, on_stderr=self.json)

    def end(self) -> None:
        """Raises what kept the output from being written."""
        self._output.end()


def permitted(talk: Talk, session: Session, plan: Plan, question: str) -> bool:
    """Whether the plan that was shown is to be carried out; False: somebody said no. Raises Refused."""
    try:
        session.host.changing()
    except HostError as error:
        raise Refused(exit_codes.USAGE, unchanged(error)) from None
    if not talk.yes and not talk.can_ask():
        raise Refused(exit_codes.USAGE, nobody_to_ask())
    if plan.needs_root and session.host.user().uid != 0:
        raise Refused(exit_codes.NEEDS_ROOT, takes_root())
    return talk.yes or talk.ask(question)


def told(
    talk: Talk, session: Session, work: Callable[[mending.Listen], mending.Outcome], change: str = ""
) -> mending.Outcome:
    """Does the work and tells what goes on; says what became of it where it is interrupted. `change` is what
    it works on; empty: on a new one."""

    def listen(event: mending.Progress) -> None:
        talk.progress(event)
        if event.kind == "confirm":
            _confirm(talk, session, float(event.text))
        elif event.kind == "stopping":
            streams.say(_stopping(session, event.text))

    try:
        return work(listen)
    except (KeyboardInterrupt, SystemExit):
        left = Journal(session.state).get(change) if change else mending.latest(session)
        if left is not None:
            streams.say(_left(left))
        raise


def _stopping(session: Session, change: str) -> str:
    """What comes of work that was asked to stop, said before it comes: a step may take minutes."""
    journal = Journal(session.state)
    try:
        standing = journal.standing(change)
        back = "waiting" in standing.marks or (journal.plan(change).confirm and standing.state == "applying")
    except HostError:  # the journal was removed meanwhile, which the end tells
        return _("the step under way comes to its end first")
    if standing.doing == "undo":
        what = _("taking back goes on to its end")
    elif back:
        what = _("the step under way comes to its end, then what was done is taken back")
    else:
        what = _("the last step comes to its end, and the change is made")
    return _("{what}. Ctrl+C once more leaves it, and it goes on by itself", what=what)


def _confirm(talk: Talk, session: Session, seconds: float) -> None:
    """Asks whether all is well after a change that may have cut this connection off."""
    held = lock.holder(session.state)
    if held is None:
        return
    if not asking.can_ask(on_stderr=talk.json):
        streams.say(
            _(
                "to keep this, within {seconds:.0f} seconds: ./wizard fix --resume {change}",
                seconds=seconds,
                change=held.change,
            )
        )
        return
    question = _(
        "Still connected? Without an answer this is taken back after {seconds:.0f} seconds. Keep it?",
        seconds=seconds,
    )
    if asking.ask_within(question, seconds, on_stderr=talk.json):
        with suppress(HostError):
            mending.confirm(session, held.change)
    else:
        talk.line("")
        mending.stop(session, held.change)


def what_next(change: Change) -> str:
    """What can be done with a change that was interrupted or failed; empty where nothing has to be."""
    if not change.unfinished:
        return ""
    if change.doing == "undo":
        return _("`./wizard undo {change}` goes on taking it back", change=change.id)
    return _(
        "`./wizard undo {change}` takes back what was done, `./wizard fix --resume {change}` goes on",
        change=change.id,
    )


def _left(change: Change, error: str = "") -> str:
    """The state that a change is in, why, and what can be done with it."""
    is_in = _("change {change} is {state}", change=change.id, state=state_word(change.state))
    if change.state in UNDER_WAY:
        return _("{change}, and goes on by itself; ./wizard undo --list shows how it stands", change=is_in)
    said = f"{is_in}: {error}" if error else is_in
    return "; ".join(filter(None, (said, what_next(change))))


def is_unseen(outcome: mending.Outcome) -> bool:
    """Whether the work was made, and ended before it had looked what came of it."""
    return outcome.state == "applied" and outcome.finding is None and bool(outcome.error)


def say_unseen(plan: Plan, outcome: mending.Outcome) -> None:
    """A change is made, and its check did not run again."""
    streams.say(
        _(
            "change {change} is made; nobody looked whether it helped ({why}). See: ./wizard check {check}",
            change=outcome.change,
            why=harmless(heard(outcome.error)),
            check=plan.check,
        )
    )


def say_what_is(session: Session, outcome: mending.Outcome, error: str = "") -> None:
    """What became of a change that is not applied; `error` is a better reason than the outcome's."""
    why = harmless(heard(error or outcome.error))
    if outcome.state == "undone":
        streams.say(_("{why}; what was changed was taken back", why=why))
    else:
        try:
            change = Journal(session.state).get(outcome.change)
        except HostError:
            streams.say(why)
            return
        streams.say(_left(change, why))


def mention_unfinished(session: Session) -> None:
    """Says on stderr which changes were interrupted, and what can be done with them."""
    for one in mending.unfinished(session):
        line = " ".join(change_line(one).split())
        streams.say(
            _(
                "{state}: change {line}\n  {next}",
                state=state_word(one.state),
                line=line,
                next=what_next(one),
            )
        )


def planned(build: Callable[[], Plan]) -> Plan:
    """The plan that is built. Raises Refused where there can be none."""
    try:
        return build()
    except HostError as error:
        code = exit_codes.USAGE if isinstance(error, NoPlan) else code_of(error)
        raise Refused(code, unchanged(error)) from None


def code_of(error: HostError) -> int:
    """The exit code of what kept a change from being begun."""
    if isinstance(error, Locked):
        return exit_codes.LOCKED
    if isinstance(error, Denied):
        return exit_codes.NEEDS_ROOT
    if isinstance(error, NotRecorded | mending.NotNow):
        return exit_codes.USAGE
    return exit_codes.CANNOT_WRITE


def code_of_outcome(outcome: mending.Outcome) -> int:
    """The exit code of a change that was begun: of the check where it is applied, else whether all is as it
    was before."""
    if is_unseen(outcome):
        return exit_codes.UNKNOWN
    if outcome.state == "applied":
        return exit_codes.of_findings([outcome.finding] if outcome.finding else [])
    return exit_codes.CANNOT_WRITE if outcome.state == "undone" else exit_codes.FAIL


def shown(names: Sequence[str]) -> str:
    """Names in a message."""
    return ", ".join(harmless(one, 60) for one in names) or _("none")


def unknown_check(name: str, then: str = "") -> UsageError:
    """No check has this id; where the word behind it has (`then`), they stand in the wrong order."""
    said = _("'{name}' is not the id of a check; see check --list", name=harmless(name, 60))
    known = [one.id for one in all_checks()]
    if then in known:
        return UsageError(said + _("; did you mean {word}?", word=f"fix {then} {harmless(name, 60)}"))
    return UsageError(said + meant(name, known))


def unchanged(why: object, limit: int = 400) -> str:
    """Nothing was done, and why."""
    return _("nothing was changed: {why}", why=harmless(heard(why), limit))


def nobody_to_ask() -> str:
    """Nothing was done, since nobody could be asked."""
    return _("nothing was changed: without a terminal to ask on it takes --yes")


def takes_root() -> str:
    """Nothing was done, since only root may."""
    return _("nothing was changed: this needs root. Run: {line}", line=terminal.as_root())
