"""Screens besides the list of findings: the key that opens each, the step that it belongs to, its words."""

from __future__ import annotations

from textual.binding import Binding

from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard


class Place(NamedTuple):
    """A screen. `step` shows `label` in its line of keys; `about` stands in the help and the palette; `opens`
    names the function that takes the app: a module of this package, a dot, its name."""

    key: str
    step: str
    label: str
    about: str
    opens: str


PLACES: tuple[Place, ...] = (
    Place("s", "config", "settings", "settings of mailcow.conf", "settings.show"),
    Place("o", "network", "what gets out", "what gets out, and where it ends", "network.show"),
    Place("i", "network", "what gets in", "what gets in, proved from outside", "reaching.show"),
    Place("t", "dns", "records", "DNS records: what to publish, waiting for it", "records.show"),
    Place("i", "install", "install", "install mailcow, or see how the install goes", "installing.show"),
    Place("+", "dns", "domain", "add a mail domain", "records.add_domain"),
)
_KEY_NAMES = {"+": "plus"}


def bindings() -> tuple[Binding, ...]:
    """A key for each."""
    return tuple(
        Binding(
            _KEY_NAMES.get(one.key, one.key),
            f"open({one.opens!r})",
            one.about[0].upper() + one.about[1:],
            key_display=one.key,
        )
        for one in PLACES
    )


def open_place(app: Wizard, opens: str) -> None:
    """Opens the screen; its module is imported then."""
    module, _, function = opens.partition(".")
    getattr(__import__(f"mailcow_wizard.tui.{module}", fromlist=[function]), function)(app)


def keys_of(step: str) -> list[tuple[str, str]]:
    """The keys that a step has besides those of every step."""
    return [(one.key, one.label) for one in PLACES if one.step == step]
