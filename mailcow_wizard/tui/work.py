"""A change that is under way, as the screens show it: what it said so far, and how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import limits
from mailcow_wizard.engine.mending import Outcome, Progress
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, heard
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.tui.look import WORDS
from mailcow_wizard.tui.writing import Line

if TYPE_CHECKING:
    from mailcow_wizard.engine.mending import Listen

MOST_LINES = 2000
_INDENT = "    "
_ROLES = {"done": "added", "undone": "added", "failed": "removed"}


class Work:
    """One call of the engine in a thread of its own.

    `title` says what is done in a few words, `check` for which check, `steps` in how many steps; `back` is
    whether it takes something back, `reversible` whether it can be taken back once it is made; `do` blocks
    until it is done; `made` is called when a change was made.
    """

    def __init__(
        self,
        title: str,
        check: str,
        steps: int,
        do: Callable[[Listen], Outcome],
        back: bool = False,
        reversible: bool = True,
        made: Callable[[], None] = lambda: None,
    ) -> None:
        self.title = title
        self.check = check
        self.steps = steps
        self.back = back
        self.reversible = reversible
        self.made = made
        self.told = False
        """Whether its end was shown."""
        self.stopping = False
        """Whether it was asked to stop."""
        self.asked = False
        """Whether the question to confirm it was in view."""
        self.step = 0
        self.confirming = ""
        """In how many seconds it takes itself back, where it waits to be confirmed."""
        self.looking = False
        """Whether all steps are behind it, and the check is asked again."""
        self.lines: deque[Line] = deque(maxlen=MOST_LINES)
        self.outcome: Outcome | None = None
        self.refused = ""
        self._do = do
        self._tell: Callable[[], None] = lambda: None
        self._untold = False

    @property
    def running(self) -> bool:
        """Whether it goes on at this moment."""
        return self.outcome is None and not self.refused

    def start(self, tell: Callable[[], None]) -> None:
        """Begins. `tell` is called from the thread when there is something new, once until `seen` is."""
        self._tell = tell
        try:
            limits.begin(self._run, "change")
        except HostError as error:
            self.refused = str(error)
            self._say()

    def _run(self) -> None:
        try:
            self.outcome = self._do(self._heard)
        except HostError as error:
            self.refused = heard(error)
        except Exception as error:  # the screen stays, and says so
            self.refused = _("the wizard made a mistake: {name}", name=type(error).__name__)
        self._say()

    def seen(self) -> None:
        """What was said so far is drawn now."""
        self._untold = False

    def _say(self) -> None:
        if not self._untold or not self.running:
            self._untold = True
            self._tell()

    def _heard(self, progress: Progress) -> None:
        """Called from the thread that follows the work."""
        self.confirming = progress.text if progress.kind == "confirm" else ""
        self.looking = progress.kind == "check"
        if progress.kind == "step":
            self.step = progress.step
            self.lines.append(Line("", f"{progress.step + 1}. {progress.text}", "bold"))
        elif progress.kind == "check":
            self.lines.append(Line("", _("Looking again: {text}", text=progress.text), "bold"))
        elif progress.kind == "confirm":
            self.lines.append(Line("", _("Waits to be confirmed"), "bold"))
        elif progress.text:
            said = _("taken back: {text}", text=progress.text) if progress.kind == "undone" else progress.text
            self.lines.append(Line("", _INDENT + said, _ROLES.get(progress.kind, "")))
        self._say()


def can_go_back(work: Work) -> bool:
    """Whether the work has ended and left something that can be taken back."""
    if work.outcome is None or work.back:
        return False
    return work.outcome.state in ("failed", "interrupted") or (
        work.outcome.state == "applied" and work.reversible
    )


def asks_back(work: Work) -> bool:
    """Whether the work ended halfway, so that its end asks whether to take back what was done."""
    return can_go_back(work) and work.outcome is not None and work.outcome.state != "applied"


def ending(work: Work) -> tuple[str, list[str], list[tuple[str, str]]]:
    """How the work stands: a status, sentences, keys."""
    if work.refused:
        return (
            "warn",
            [_("Nothing was changed: {refused}.", refused=work.refused)],
            [("Esc", _("back to the list"))],
        )
    if work.outcome is None:
        return _under_way(work)
    if work.back and work.outcome.state == "applied":
        why = _("Nothing was changed: {refused}.", refused=work.outcome.error)
        return "warn", [why], [("Esc", _("back to the list"))]
    finding, state, error = work.outcome.finding, work.outcome.state, work.outcome.error
    said = f"{finding.title}: {WORDS[finding.status]}, {finding.summary}." if finding else ""
    if state in ("failed", "interrupted") and not work.back:
        question = _("What was done before that is still there. Take it back?")
        return (
            "fail",
            [_("It did not work: {error}.", error=error), question],
            [("y", _("take it back")), ("n", _("leave it so"))],
        )
    if state == "undone":
        begin = (
            _("Taken back: all is as it was before.")
            if work.back
            else _("Taken back, because {error}.", error=error)
        )
        return "pass", [begin, *([said] if said else [])], [("Esc", _("back to the list"))]
    back = [*([("u", _("take it back"))] if work.reversible else []), ("Esc", _("back to the list"))]
    if error and state == "applied" and finding is None:
        return "warn", [_("It is made, and nobody looked whether it helped: {error}.", error=error)], back
    if error:
        begin = _("It did not work: {error}.", error=error)
        # What is left of it to be taken back is in the list.
        more = _("A part of it may be taken back. When that is mended, u in the list of changes (U) goes on.")
        return "fail", [begin, *([said] if said else [more])], [("Esc", _("back to the list"))]
    if finding is None:
        return "pass", [_("Done."), _("Esc goes back to the list.")], back
    if finding.status == "pass":
        summary = f"{capitalized(finding.summary)}."
        return "pass", [summary, _("Esc goes back to the list.")], back
    return finding.status, [_("Done, but the check does not pass yet."), said], back


def _under_way(work: Work) -> tuple[str, list[str], list[tuple[str, str]]]:
    if work.looking:
        said = _("Looking again what the check says; this can take a minute.")
        return "", [said], [("Esc", _("back, it goes on"))]
    if work.stopping:
        return (
            "",
            [_("Stops after this step, and takes back what was done.")],
            [("Esc", _("back, it goes on"))],
        )
    if work.confirming:
        said = _(
            "Still connected? Without an answer this is taken back after {confirming} seconds.",
            confirming=work.confirming,
        )
        return "warn", [said], [("y", _("keep it")), ("s", _("take it back now"))]
    # What is taken back is told step by step, from the last one on; it has no number.
    counted = work.steps and not work.back
    where = _("Step {step} of {steps}.", step=work.step + 1, steps=work.steps) + " " if counted else ""
    keys = [("Esc", _("back, it goes on")), *([] if work.back else [("s", _("stop and take back"))])]
    return "", [_("{where}It goes on even if the connection breaks.", where=where)], keys
