"""Work beside the screen: in a thread, whose mistakes are told in words and not printed over the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.language import _

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard


def beside(
    app: Wizard, name: str, work: Callable[[], object], say: Callable[[str], object] | None = None
) -> None:
    """Does the work in a thread of this name. A mistake of the wizard in it is told in the app's own thread:
    by `say`, without it in the line of keys."""

    def run() -> None:
        try:
            work()
        except Exception as error:  # the screen stays, and says so
            mistake = _("The wizard made a mistake here: {name}", name=type(error).__name__)
            app.call_later(say or app.show_keys, mistake)

    threading.Thread(target=run, daemon=True, name=name).start()
