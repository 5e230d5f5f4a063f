"""The proof from outside as the screen shows it: the listeners in a thread of their own, and what is kept."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from mailcow_wizard.engine import limits
from mailcow_wizard.engine.reach import Reach, Target, Verdict
from mailcow_wizard.engine.reach_words import BadReport, pasted
from mailcow_wizard.engine.session import Session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.reach import desk
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.report import reach as report
from mailcow_wizard.report import reach_lines
from mailcow_wizard.typed import NamedTuple

_TURN_S = 0.2


class Row(NamedTuple):
    """A port, and what is known of it over each family."""

    target: Target
    verdicts: tuple[tuple[int, Verdict], ...]


class Line(NamedTuple):
    """A line to paste: for which kind of machine, and the line."""

    title: str
    text: str


class ShownProof:
    """What the screen shows. The thread that listens puts whole values here, the screen only reads them;
    `draw` is called in that thread whenever there is something new."""

    def __init__(self, session: Session, draw: Callable[[], object]) -> None:
        self._session = session
        self._draw = draw
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
        self.address_known = True
        """Whether the lines hold this server's address; else the word ADDRESS stands in its place."""
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
        try:
            limits.begin(self._work, "reach")
        except HostError as error:
            self.problem = str(error)
            self._draw()

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
            proof = self._proof = Reach(self._session.new_facts())
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
        self.address_known = bool(proof.addresses)
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
                # All are asked: where much arrives there would be no time for the others.
                if any([proof.wait(_TURN_S), _reported(proof, asked), self._heard(proof)]):
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
            self.changed = proof.keep(self._session.state) or self.changed
        except HostError as error:
            self.problem = _("this proof is not kept: {error}", error=harmless(str(error)))


def _reported(proof: Reach, asked: desk.Asked | None) -> bool:
    """Whether a report came home with the connection, since no port could take it."""
    text = asked.report() if asked else ""
    with contextlib.suppress(BadReport):
        if text:
            proof.hear_desk(text)
            return True
    return False
