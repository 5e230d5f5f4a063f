"""The first screen: what this is, which machine it looks at, and the two questions asked once."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mailcow_wizard.names import mail_domain, mail_host_name
from mailcow_wizard.tui import greeting
from mailcow_wizard.tui.frame import inside
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

if TYPE_CHECKING:
    from textual.widgets import Input

    from mailcow_wizard.tui.widgets.field import Field


class Welcome(Vertical):
    """Two fields with a remark below each; `Answered` when both can be used."""

    class Answered(Message):
        """The server's name and its first mail domain."""

        def __init__(self, hostname: str, domain: str) -> None:
            super().__init__()
            self.hostname = hostname
            self.domain = domain

    def __init__(self, look: Look, said: greeting.Greeting) -> None:
        super().__init__(id="welcome")
        self._look = look
        self._said = said
        self._own_domain = bool(said.domain)
        self._values = [*said.values]
        self._fields: tuple[Field, ...] = ()

    def compose(self) -> ComposeResult:
        """One widget for the first paint; the fields follow it."""
        yield Lines(id="texts")

    def on_mount(self) -> None:
        """Draws the texts at once: drawn when the size is known they would be the second paint."""
        self._draw()

    async def add_fields(self) -> None:
        """Puts fields in the place of the names that were only drawn so far."""
        # Imported here: it takes longer than everything else on this screen.
        from mailcow_wizard.tui.widgets.field import Field

        # What is only supposed gives way to what is typed.
        supposed = bool(greeting.read(self._values[0], mail_host_name)[1]), not self._own_domain
        self._fields = tuple(
            Field(value, id=id, compact=True, select_on_focus=gives_way)
            for value, id, gives_way in zip(self._values, ("hostname", "domain"), supposed, strict=True)
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
        self.focus_wrong()

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
        about, lines = self.query_one("#about", Lines), greeting.about(self._look, self._said, *self._room)
        about.styles.height = len(lines)
        about.put(lines)
        self._show_labels()
        self._show_remarks()

    def _show_labels(self) -> None:
        for id, label in zip(
            ("hostname", "domain"), greeting.labels(self._look, self._said, self._values), strict=True
        ):
            self.query_one(f"#{id}-label", Lines).put([label])

    def _texts(self) -> list[list[Part]]:
        """Everything as the fields will look, where there are none yet."""
        return greeting.texts(self._look, self._said, self._values, *self._room)

    @property
    def _room(self) -> tuple[int, int]:
        """Its size; before its first layout what the frame leaves of the terminal."""
        return self.size if self.size.width else inside(*self.app.size)

    def _show_remarks(self) -> None:
        remarks = greeting.remarks(self._look, self._said, self._values)
        for id, remark in zip(("hostname", "domain"), remarks, strict=True):
            self.query_one(f"#{id}-remark", Lines).put([remark])

    def on_input_changed(self) -> None:
        """The domain follows the server's name until it is typed itself."""
        hostname, domain = self._fields
        for field, value in zip(self._fields, self._values, strict=True):
            if field.has_focus and field.value != value:
                field.select_on_focus = False
        if domain.has_focus:
            self._own_domain = True
        elif hostname.has_focus and not self._own_domain:
            domain.value = greeting.domain_of(hostname.value)
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

    def focus_wrong(self) -> None:
        """Puts the cursor into the first field that cannot be used; into none when both can."""
        for field, read in zip(self._fields, (mail_host_name, mail_domain), strict=True):
            if greeting.read(field.value, read)[1]:
                self.screen.set_focus(field)
                return

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Enter in a field."""
        event.stop()
        names = self.answer()
        if names:
            self.post_message(self.Answered(*names))
        else:
            for field in self._fields:
                field.sent = False
            self.focus_wrong()

    def answer(self) -> tuple[str, str] | None:
        """The server's name and the domain when both can be used."""
        hostname, wrong_name = greeting.read(self._values[0], mail_host_name)
        domain, wrong_domain = greeting.read(self._values[1], mail_domain)
        return None if wrong_name or wrong_domain else (hostname, domain)
