"""The first screen: what this is, which machine it looks at, and the two questions asked once."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from mailcow_wizard.names import NotAName, host_name, mail_host_name
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines


class Welcome(Vertical):
    """Two fields with their checks beside them; `Answered` when both are right."""

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
        if self.focused_field is self._hostname and not self._own_domain:
            self._domain.value = _domain_of(self._hostname.value)
        for field, read in ((self._hostname, mail_host_name), (self._domain, host_name)):
            _, problem = _read(field.value, read)
            shown = f" {self._look.glyph('warn')} {problem}" if problem else f" {self._look.glyph('pass')}"
            style = self._look.state("warn" if problem else "pass")
            self.query_one(f"#{field.id}-remark", Lines).put([[(shown, style)]])

    @property
    def focused_field(self) -> Input | None:
        """The field that takes the keys, if one does."""
        return next((one for one in (self._hostname, self._domain) if one.has_focus), None)

    def _focus_wrong(self) -> None:
        """Puts the cursor into the first field that is not right; into none when both are."""
        for field, read in ((self._hostname, mail_host_name), (self._domain, host_name)):
            if _read(field.value, read)[1]:
                field.focus()
                return

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is self._domain:
            self._own_domain = True
        self.answer(event.input)

    def answer(self, submitted: Input | None = None) -> bool:
        """Posts `Answered` when both fields are right; else the cursor goes to the one that is not."""
        hostname, wrong_name = _read(self._hostname.value, mail_host_name)
        domain, wrong_domain = _read(self._domain.value, host_name)
        if wrong_name:
            self._hostname.focus()
        elif wrong_domain or submitted is self._hostname:
            self._domain.focus()
        else:
            self.post_message(self.Answered(hostname, domain))
            return True
        return False


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
