"""The proof from outside: the listeners beside the screen, and what is kept when they end."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from mailcow_wizard.engine.reach import Reach, Target, Verdict
from mailcow_wizard.engine.reach_words import BadReport, pasted
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host import desk, streams
from mailcow_wizard.host.door import HostError
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.report import reach as report
from mailcow_wizard.report import reach_lines
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.reach import ReachScreen
from mailcow_wizard.tui.screens.text import Question
from mailcow_wizard.typed import NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard

CHECK = "firewall.inbound"
_TURN_S = 0.2
_REPORT = Asked(
    _("What it shows:"),
    _("paste the line with --result, or type the part between the quotes"),
    _("take it"),
)


class Row(NamedTuple):
    """A port, and what is known of it over each family."""

    target: Target
    verdicts: tuple[tuple[int, Verdict], ...]


class Line(NamedTuple):
    """A line to paste: for which kind of machine, and the line."""

    title: str
    text: str


class Asking:
    """What the screen shows. The thread that listens puts whole values here, the screen only reads them."""

    def __init__(self, app: Wizard) -> None:
        self._app = app
        self._proof: Reach | None = None
        self._ended = threading.Event()
        self._typed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.lines: tuple[Line, ...] = ()
        self.rows: tuple[Row, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.problem = ""
        self.listening = False
        self.all_arrived = False
        self.told = False
        self.desk = False
        """Whether the machine where --ssh was started knocks by itself."""
        self.changed = False
        """Whether something was kept."""

    @property
    def seconds_left(self) -> int:
        """Until the listeners end by themselves."""
        return round(self._proof.seconds_left) if self._proof and self.listening else 0

    def begin(self) -> None:
        """Opens the listeners, in a thread."""
        threading.Thread(target=self._work, daemon=True, name="reach").start()

    def end(self) -> None:
        """Ends them."""
        self._ended.set()

    def read(self, text: str) -> tuple[str, ...]:
        """A report that is typed in, and what it says, in words. Raises ValueError."""
        report_text = pasted(text)
        if not self._proof or not self.listening:
            raise ValueError(_("the listeners have ended"))
        answers = self._proof.read(report_text).answers
        opened = sum(one[0] in "aot" for one in answers.values())
        return report_text, ngettext(
            "{n} port, {opened} open there", "{n} ports, {opened} open there", len(answers), opened=opened
        )

    def hear(self, report_text: str) -> None:
        """Takes a report that was typed in."""
        self._typed.put(report_text)

    def _work(self) -> None:
        try:
            proof = self._proof = Reach(self._app.session.new_facts())
            try:
                self._listen(proof)
            finally:
                self.listening = False
                proof.close()
                self._keep(proof)
        except HostError as error:
            self.problem = harmless(heard(error))
        except Exception as error:  # the screen stays, and says so
            self.problem = _("the wizard made a mistake here: {name}", name=type(error).__name__)
        self._draw()

    def _listen(self, proof: Reach) -> None:
        if proof.forbidden:
            self.problem = _("only root may listen on mailcow's ports: start the wizard with sudo")
            return
        where = proof.addresses or ("ADDRESS",)
        self.lines = (
            Line(_("Linux or macOS"), reach_lines.bash(proof.token, proof.ports, where)),
            Line("Windows", reach_lines.powershell(proof.token, proof.ports, where)),
            Line(_("a machine with this wizard"), reach_lines.wizard(proof.token, ",".join(where))),
        )
        self.listening = True
        asked = desk.invite(proof.addresses, proof.token)
        self.desk = asked is not None
        self._take(proof)
        with contextlib.closing(asked) if asked else contextlib.nullcontext():
            while proof.seconds_left and not self._ended.is_set():
                if proof.wait(_TURN_S) or _reported(proof, asked) or self._heard(proof):
                    self._take(proof)
                    self._keep(proof)

    def _heard(self, proof: Reach) -> bool:
        """Whether a report was typed in; it was read before."""
        with contextlib.suppress(queue.Empty, BadReport):
            proof.hear(self._typed.get_nowait())
            return True
        return False

    def _take(self, proof: Reach) -> None:
        self.rows = tuple(Row(one, tuple(report.verdicts(proof, one))) for one in proof.targets)
        self.notes = tuple(report.notes(proof))
        self.all_arrived, self.told = proof.all_arrived, proof.told
        self._draw()

    def _keep(self, proof: Reach) -> None:
        try:
            self.changed = proof.keep(self._app.session.state) or self.changed
        except HostError as error:
            self.problem = _("this proof is not kept: {error}", error=harmless(str(error)))

    def _draw(self) -> None:
        self._app.call_later(draw, self._app)


def _reported(proof: Reach, asked: desk.Asked | None) -> bool:
    """Whether a report came home with the connection, since no port could take it."""
    text = asked.report() if asked else ""
    with contextlib.suppress(BadReport):
        if text:
            proof.hear(text)
            return True
    return False


def show(app: Wizard) -> None:
    """Opens the screen, and listens while it is open."""
    if app.session.recorded:
        app.show_keys(_("A recorded machine cannot be reached: this proof is for the server itself."))
        return
    if app.session.settings.offline:
        app.show_keys(_("This proof needs the network, and the wizard was started with --offline."))
        return
    if any(isinstance(one, ReachScreen) for one in app.screen_stack):
        return  # the key was pressed twice
    asking = Asking(app)

    def closed(_result: None) -> None:
        asking.end()
        app.look_again(tuple(one for one in app.board.checks_of("network") if one.id == CHECK))

    app.push_screen(ReachScreen(app.look, asking, lambda what, line: _do(app, asking, what, line)), closed)
    asking.begin()


def draw(app: Wizard) -> None:
    """Draws what is different now, where the screen is open."""
    for one in app.screen_stack:
        if isinstance(one, ReachScreen):
            one.draw()


def _do(app: Wizard, asking: Asking, what: str, line: str) -> None:
    """What a key asks for."""
    if what == "copy":
        app.copy_to_clipboard(line)
    elif what == "whole":
        with app.suspend():
            streams.show_until_enter(line)
    elif what == "typed":
        _type(app, asking)
    elif what == "leave":
        _leave(app, asking)


def _type(app: Wizard, asking: Asking) -> None:
    def typed(kept: tuple[str, ...] | None) -> None:
        if kept:
            asking.hear(kept[0])

    app.push_screen(Naming(app.look, _REPORT, asking.read), typed)


def _leave(app: Wizard, asking: Asking) -> None:
    """Asks first while somebody may still be about to knock."""

    def answered(yes: bool | None) -> None:
        if yes:
            _close(app)

    if asking.listening and not asking.all_arrived:
        app.push_screen(Question(app.look, _("Stop listening? What has arrived is kept.")), answered)
    else:
        _close(app)


def _close(app: Wizard) -> None:
    for one in app.screen_stack[::-1]:
        if isinstance(one, ReachScreen) and one.is_current:
            one.dismiss(None)
