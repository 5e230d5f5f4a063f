"""An install that is under way, as the screens show it: its stages, its log, and how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import limits
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.standing import Progress
from mailcow_wizard.language import _, heard

if TYPE_CHECKING:
    from mailcow_wizard.install import following
    from mailcow_wizard.install.standing import Standing

_MOST_LINES = 2000


class InstallRun:
    """An install that is followed, in a thread of its own."""

    def __init__(self, standing: Standing | None) -> None:
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)
        self.standing = standing
        self.progress = Progress()
        self.running = True
        self.refused = ""
        self.stopping = False
        """Whether it was asked to stop."""

    def start(self, work: Callable[[following.Listen], Standing], tell: Callable[[], object]) -> None:
        """Begins; `tell` is called from the thread where there is something new, five times a second at
        most."""

        def listen(some: following.Heard) -> None:
            new = self._lines_of(some)
            changed = bool(new) or some.progress != self.progress or some.standing != self.standing
            self.lines.extend(new)
            self.progress = some.progress
            self.standing = some.standing or self.standing
            if changed:
                tell()

        def run() -> None:
            try:
                self.standing = work(listen)
            except HostError as error:
                self.refused = heard(error)
            except Exception as error:  # the screen stays, and says so
                self.refused = _("the wizard made a mistake: {name}", name=type(error).__name__)
            self.running = False
            tell()

        try:
            limits.begin(run, "install")
        except HostError as error:
            self.refused, self.running = str(error), False
            tell()

    def _lines_of(self, some: following.Heard) -> list[str]:
        found = []
        for line in some.lines:
            stage, _unused, text = line.partition(": ")
            if stage != "begin" and text:
                found.append(harmless(text, 600))
        return found
