"""The first screen: what this is, which machine it looks at, and the two questions asked once."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mailcow_wizard.language import _
from mailcow_wizard.names import NotAName, doubt, mail_domain, mail_host_name
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

if TYPE_CHECKING:
    from textual.widgets import Input

ORIGINS = {
    "option": _("as given on the command line"),
    "mailcow.conf": _("from mailcow.conf"),
    "saved": _("from last time"),
    "guess": _("a guess: this machine's own name"),
}
"""Where the server's name comes from, in words."""

_ABOUT_HEIGHT = 5
_FRAME_HEIGHT = 3  # steps, heading, keys


class Welcome(Vertical):
    """Two fields with a remark below each; `Answered` when both can be used."""

    class Answered(Message):
        """The server's name and its first mail domain."""

        def __init__(self, hostname: str, domain: str) -> None:
            super().__init__()
            self.hostname = hostname
            self.domain = domain

    def __init__(
        self,
        look: Look,
        machine: str,
        hostname: str,
        domain: str,
        origin: str,
        resumed: str,
        there: bool = False,
    ) -> None:
        """`there`: mailcow is set up on this machine already."""
        super().__init__(id="welcome")
        self._look = look
        self._machine = machine
        self._origin = origin
        self._resumed = resumed
        self._there = there
        self._own_domain = bool(domain)
        self._known = hostname
        self._counts = hostname if origin == ORIGINS["mailcow.conf"] else ""
        self._values = [hostname, domain or _domain_of(hostname)]
        self._fields: tuple[Input, ...] = ()

    def compose(self) -> ComposeResult:
        """One widget for the first paint; the fields follow it."""
        yield Lines(id="texts")

    def on_mount(self) -> None:
        """Draws the texts at once: drawn when the size is known they would be the second paint."""
        self._draw()

    async def add_fields(self) -> None:
        """Puts fields in the place of the names that were only drawn so far."""
        # Imported here: it takes longer than everything else on this screen.
        from textual.widgets import Input

        self._fields = tuple(
            Input(value, id=id, compact=True, select_on_focus=False)
            for value, id in zip(self._values, ("hostname", "domain"), strict=True)
        )
        for field in self._fields:
            # Nothing is written to the terminal while nothing happens.
            field.cursor_blink = False
        hostname, domain = self._fields
        with self.app.batch_update():
            await self.query_one("#texts").remove()
            await self.mount(
                Lines(id="about"),
                Lines(id="hostname-label"),
                hostname,
                Lines(id="hostname-remark"),
                Lines(id="domain-label"),
                domain,
                Lines(id="domain-remark"),
            )
        self._draw()
        self._focus_wrong()

    def on_resize(self) -> None:
        """Draws the texts for the width and height; the field with the cursor stays in sight."""
        self._draw()
        self.call_after_refresh(self._show_focused)

    def on_descendant_focus(self) -> None:
        """Scrolls to the field; the rest is out of sight where there is little room."""
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        for field in self._fields:
            if field.has_focus:
                field.scroll_visible(animate=False)

    def _draw(self) -> None:
        if not self._fields:
            self.query_one("#texts", Lines).put(self._texts())
            return
        self.query_one("#about", Lines).put(self._about())
        self._show_labels()
        self._show_remarks()

    def _show_labels(self) -> None:
        for id, label in zip(("hostname", "domain"), self._labels(), strict=True):
            self.query_one(f"#{id}-label", Lines).put([label])

    def _about(self) -> list[list[Part]]:
        look = self._look
        resumed = (
            " " + _("Welcome back: you were at {resumed}. Enter goes on from there.", resumed=self._resumed)
            if self._resumed
            else ""
        )
        first = _("Looks at this server, says what mailcow needs and what is in its way.")
        if self._there:
            first = _("mailcow is set up on this server. The step Verify proves that it works.")
        return [
            [(f" {first}", look.bold)],
            [
                (
                    " " + _("It shows every change before it makes it, and asks; most can be taken back."),
                    look.plain,
                )
            ],
            [(f" {look.text(self._machine)}", look.plain)],
            [(resumed, look.bold)],
        ]

    def _labels(self) -> tuple[list[Part], list[Part]]:
        look = self._look
        hostname, domain = self._values
        # In the field an example would look like a value.
        origin = self._origin if hostname == self._known else ""
        origin = origin if hostname else _("such as mail.example.org")
        example = "" if domain else _("such as example.org")
        return (
            [(" " + _("Full name of the mail server"), look.bold), (f"  {origin}", look.dim)],
            [(" " + _("Mail domain: what stands behind the @"), look.bold), (f"  {example}", look.dim)],
        )

    def _remarks(self) -> tuple[list[Part], list[Part]]:
        hostname, wrong_name = _read(self._values[0], mail_host_name)
        domain, wrong_domain = _read(self._values[1], mail_domain)
        if self._counts and hostname and hostname != self._counts.lower().rstrip("."):
            wrong_name = _("mailcow.conf says {name}, and that counts", name=self._counts)
        return self._remark(wrong_name or doubt(hostname, domain)), self._remark(wrong_domain)

    def _remark(self, problem: str) -> list[Part]:
        state = "warn" if problem else "pass"
        return [(f" {self._look.glyph(state)} {problem}", self._look.state(state))]

    def _texts(self) -> list[list[Part]]:
        """Everything as the fields will look, where there are none yet."""
        height = self.size.height or self.app.size.height - _FRAME_HEIGHT
        low = height < _ABOUT_HEIGHT + 6
        lines = self._about()[:1] if low else [*self._about(), []]
        for label, value, remark in zip(self._labels(), self._values, self._remarks(), strict=True):
            lines += [label, [("  ", self._look.plain), (value, self._look.underlined)], remark]
        return lines

    def _show_remarks(self) -> None:
        for id, remark in zip(("hostname", "domain"), self._remarks(), strict=True):
            self.query_one(f"#{id}-remark", Lines).put([remark])

    def on_input_changed(self) -> None:
        """The domain follows the server's name until it is typed itself."""
        hostname, domain = self._fields
        if domain.has_focus:
            self._own_domain = True
        elif hostname.has_focus and not self._own_domain:
            domain.value = _domain_of(hostname.value)
        self._values = [field.value for field in self._fields]
        self._show_labels()
        self._show_remarks()

    def name_domain(self, domain: str) -> None:
        """Another domain is the first one now."""
        self._own_domain = True
        self._values[1] = domain
        if self._fields:
            self._fields[1].value = domain
        self._draw()

    def _focus_wrong(self) -> None:
        """Puts the cursor into the first field that cannot be used; into none when both can."""
        for field, read in zip(self._fields, (mail_host_name, mail_domain), strict=True):
            if _read(field.value, read)[1]:
                self.screen.set_focus(field)
                return

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Enter in a field."""
        event.stop()
        names = self.answer()
        if names:
            self.post_message(self.Answered(*names))

    def answer(self) -> tuple[str, str] | None:
        """The server's name and the domain when both can be used; else the cursor goes to what cannot."""
        hostname, wrong_name = _read(self._values[0], mail_host_name)
        domain, wrong_domain = _read(self._values[1], mail_domain)
        if not wrong_name and not wrong_domain:
            return hostname, domain
        self._focus_wrong()
        return None


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
