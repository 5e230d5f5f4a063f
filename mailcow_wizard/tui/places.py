"""Screens besides the list of findings: the key that opens each, the step that it belongs to, its words.

Steps may share a key: it opens what belongs to the step in view, else to the nearest one before it, else the
first.
"""

from __future__ import annotations

from textual.binding import Binding

from mailcow_wizard.language import _
from mailcow_wizard.model import STEPS
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.tui.board import SUMMARY, WELCOME
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard


class Place(NamedTuple):
    """A screen. `step` shows `label` in its line of keys; `about` stands in the help and the palette; `opens`
    names the function that takes the app: a module of this package, a dot, its name."""

    key: str
    step: str
    label: str
    about: str
    opens: str


PLACES: tuple[Place, ...] = (
    Place("s", "config", _("settings"), _("settings of mailcow.conf"), "settings.show"),
    Place("o", "network", _("outgoing"), _("what gets out, and where it ends"), "network.show"),
    Place("i", "network", _("incoming"), _("what gets in, proved from outside"), "reach.show"),
    Place("t", "dns", _("records"), _("DNS records: what to publish, waiting for it"), "records.show"),
    Place("i", "install", _("install"), _("install mailcow, or see how the install goes"), "installing.show"),
    Place("w", "summary", _("answers"), _("write the answers so far, for other servers"), "answering.write"),
    Place("+", "dns", _("domain"), _("add a mail domain"), "records.add_domain"),
    Place("+", "verify", _("mailbox"), _("make the first mailbox, and try it"), "first_mailbox.show"),
    Place("K", "verify", _("API key"), _("make a lasting key of mailcow's API"), "api_key.show"),
)
_KEY_NAMES = {"+": "plus"}


def bindings() -> tuple[Binding, ...]:
    """All of them by name, for the palette; before them the keys, which depend on the step."""
    names = {one.key: _KEY_NAMES.get(one.key, one.key) for one in PLACES}
    keys = (Binding(name, f"visit({key!r})", show=False) for key, name in names.items())
    named = (
        Binding(
            names[one.key],
            f"visit({one.opens!r})",
            capitalized(one.about),
            key_display=one.key,
        )
        for one in PLACES
    )
    return (*keys, *named)


def open_place(app: Wizard, opens: str) -> None:
    """Opens the screen of that name, or what the key stands for in this step; its module is imported then."""
    module, _unused, function = (opens if "." in opens else _behind(opens, app.current)).partition(".")
    getattr(__import__(f"mailcow_wizard.tui.{module}", fromlist=[function]), function)(app)


def _behind(key: str, step: str) -> str:
    some = [one for one in PLACES if one.key == key]
    order = [WELCOME.id, *(one.id for one in STEPS), SUMMARY.id]
    before = [one for one in some if order.index(one.step) <= order.index(step)]
    return max(before, key=lambda one: order.index(one.step), default=some[0]).opens


def keys_of(step: str) -> list[tuple[str, str]]:
    """The keys that a step has besides those of every step."""
    return [(one.key, one.label) for one in PLACES if one.step == step]
