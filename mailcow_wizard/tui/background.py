"""Work in the background: in a thread, whose mistakes are told in words and not printed over the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import limits
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.tui.board import WELCOME

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_REST_S = 0.5


def in_background(
    app: Wizard, name: str, work: Callable[[], object], say: Callable[[str], object] | None = None
) -> None:
    """Does the work in a thread of this name. A mistake of the wizard in it, and that there can be no thread,
    is told in the app's own: by `say`, without it in the line of keys."""

    def run() -> None:
        try:
            work()
        except Exception as error:  # the screen stays, and says so
            app.call_later(say or app.show_keys, _mistake(error))

    try:
        limits.begin(run, name)
    except HostError as error:
        app.call_later(say or app.show_keys, cannot_begin(error))


def cannot_begin(error: HostError) -> str:
    """The sentence where there can be no thread."""
    return _("This cannot be done now: {error}", error=error)


def _mistake(error: Exception) -> str:
    if limits.lacks_threads(error):
        return _("This cannot be done now: {error}", error=limits.NO_MORE)
    return _("The wizard made a mistake here: {name}", name=type(error).__name__)


def waited_for(app: Wizard, title: str, said: str, look: Callable[[], Callable[[], object]]) -> None:
    """Shows that something is looked at, and looks in a thread; then calls what came of it. Once it is left
    with Esc nothing comes any more, least of all a question in the middle of what is typed by then."""
    from mailcow_wizard.tui.screens.waiting import Waiting

    waiting = Waiting(app.look, title, said)

    def opened(what: Callable[[], object] | None) -> None:
        if what:
            # The focus that comes back to the list would draw the keys over a notice.
            app.call_after_refresh(what)

    app.push_screen(waiting, opened)
    in_background(
        app,
        "waited-for",
        lambda: app.call_later(waiting.go_on, look()),
        lambda mistake: waiting.go_on(lambda: app.show_keys(mistake)),
    )


def is_at_rest(app: Wizard) -> bool:
    """Whether no question and no field is open, which would lose the next keys to what opens over it."""
    from mailcow_wizard.tui.screens.decision import Decision
    from mailcow_wizard.tui.screens.sheet import Sheet
    from mailcow_wizard.tui.screens.text import TextScreen

    if len(app.screen_stack) == 1:
        return app.current != WELCOME.id or app.focused is None
    return isinstance(app.screen, TextScreen | Sheet) and not isinstance(app.screen, Decision)


def when_at_rest(app: Wizard, then: Callable[[], object]) -> None:
    """Calls it at once, or as soon as no question and no field is open."""
    if is_at_rest(app):
        then()
    else:
        app.set_timer(_REST_S, lambda: when_at_rest(app, then))
