"""The first screen: what this is, which machine it looks at, and the two questions asked once."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from mailcow_wizard.names import NotAName, doubt, mail_domain, mail_host_name
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines


class Welcome(Vertical):
    """Two fields with a remark below each; `Answered` when both can be used."""

    class Answered(Message):
        """The server's name and its first mail domain."""

        def __init__(self, hostname: str, domain: str) -> None:
            super().__init__()
            self.hostname = hostname
            self.domain = domain

    def __init__(
        self, look: Look, machine: str, hostname: str, domain: str, origin: str, resumed: str
    ) -> None:
        super().__init__(id="welcome")
        self._look = look
        self._machine = machine
        self._origin = origin
        self._resumed = resumed
        self._hostname = Input(hostname, id="hostname", compact=True, placeholder="mail.example.org")
        self._domain = Input(domain, id="domain", compact=True, placeholder="example.org")
        self._own_domain = bool(domain)

    def compose(self) -> ComposeResult:
        """Text, field, remark, field, remark."""
        yield Lines(id="about")
        yield Lines(id="hostname-label")
        yield self._hostname
        yield Lines(id="hostname-remark")
        yield Lines(id="domain-label")
        yield self._domain
        yield Lines(id="domain-remark")

    def on_mount(self) -> None:
        """The fields do not blink: nothing is written while nothing happens."""
        for field in (self._hostname, self._domain):
            field.cursor_blink = False
        if not self._own_domain:
            self._domain.value = _domain_of(self._hostname.value)
        self._focus_wrong()

    def on_resize(self) -> None:
        """Draws the texts for the width."""
        look = self._look
        resumed = (
            f" Welcome back: you were at {self._resumed}. Enter goes on from there." if self._resumed else ""
        )
        about = [
            [(" Looks at this server, says what mailcow needs and what is in its way.", look.bold)],
            [(" It only looks: nothing is changed.", look.plain)],
            [(f" {look.text(self._machine)}", look.plain)],
            [(resumed, look.bold)],
        ]
        self.query_one("#about", Lines).put(about)
        self._label("hostname-label", " Full name of the mail server", f"  {self._origin}")
        self._label("domain-label", " Mail domain: what stands behind the @", "")
        self._remark()

    def _label(self, id: str, text: str, remark: str) -> None:
        self.query_one(f"#{id}", Lines).put([[(text, self._look.bold), (remark, self._look.dim)]])

    @on(Input.Changed)
    def _remark(self) -> None:
        if self.focused_field is self._domain:
            self._own_domain = True
        elif self.focused_field is self._hostname and not self._own_domain:
            self._domain.value = _domain_of(self._hostname.value)
        hostname, wrong_name = _read(self._hostname.value, mail_host_name)
        domain, wrong_domain = _read(self._domain.value, mail_domain)
        self._say("hostname-remark", wrong_name or doubt(hostname, domain))
        self._say("domain-remark", wrong_domain)

    def _say(self, id: str, problem: str) -> None:
        state = "warn" if problem else "pass"
        shown = f" {self._look.glyph(state)} {problem}"
        self.query_one(f"#{id}", Lines).put([[(shown, self._look.state(state))]])

    @property
    def focused_field(self) -> Input | None:
        """The field that takes the keys, if one does."""
        return next((one for one in (self._hostname, self._domain) if one.has_focus), None)

    def _focus_wrong(self) -> None:
        """Puts the cursor into the first field that is not right; into none when both are."""
        for field, read in ((self._hostname, mail_host_name), (self._domain, mail_domain)):
            if _read(field.value, read)[1]:
                self.screen.set_focus(field)
                return

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.answer()

    def answer(self) -> None:
        """Posts `Answered` when both fields can be used; else the cursor goes to the one that cannot."""
        hostname, wrong_name = _read(self._hostname.value, mail_host_name)
        domain, wrong_domain = _read(self._domain.value, mail_domain)
        if wrong_name or wrong_domain:
            self._focus_wrong()
        else:
            self.post_message(self.Answered(hostname, domain))


def _read(text: str, read: Callable[[str], str]) -> tuple[str, str]:
    """The name and no problem, or no name and the problem."""
    try:
        return read(text), ""
    except NotAName as error:
        return "", str(error)


def _domain_of(hostname: str) -> str:
    """What stands behind the first dot, where that is a domain."""
    rest = hostname.strip().rstrip(".").partition(".")[2]
    return rest if "." in rest else ""
