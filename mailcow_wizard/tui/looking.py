"""The first run of all checks: in a process of its own, while this one makes the screen."""

import threading
from collections.abc import Callable, Iterable

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host import apart
from mailcow_wizard.model import Event


class Looking:
    """The run, and what it says."""

    def __init__(self, session: Session, facts: Facts) -> None:
        """Starts it; where this user may have no more processes it ends at once, with nothing said."""

        def look(say: apart.Say) -> None:
            from mailcow_wizard import checks

            def tell(event: Event) -> None:
                if event.kind != "started":  # the screen shows all of them as running from the beginning
                    say(event)

            session.prepare(checks.all_checks(), facts, tell).run()

        self._child = apart.start(look, session.host.close)

    def found(self) -> list[Event]:
        """What was said so far."""
        return _events(self._child.hear(wait=False) or ()) if self._child else []

    def follow(self, tell: Callable[[Event], None], ended: Callable[[], object]) -> None:
        """Calls `tell` with what is said from now on, then `ended`, both from a thread."""
        threading.Thread(target=self._follow, args=(tell, ended), daemon=True, name="looking").start()

    def _follow(self, tell: Callable[[Event], None], ended: Callable[[], object]) -> None:
        while self._child and (said := self._child.hear(wait=True)) is not None:
            for event in _events(said):
                tell(event)
        ended()

    def end(self) -> None:
        """Ends the run where it goes on."""
        if self._child:
            self._child.end()


def _events(said: Iterable[object]) -> list[Event]:
    return [one for one in said if isinstance(one, Event)]
