"""The first run of all checks: in a process of its own, while this one makes the screen. Later ones: beside
the screen."""

from collections.abc import Callable, Iterable, Sequence

from mailcow_wizard.engine import limits
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import domain_of
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.processes import apart
from mailcow_wizard.model import Event, Listed
from mailcow_wizard.tui.board import Board
from mailcow_wizard.typed import NamedTuple

_BY_NAME = ("network", "dns", "config", "verify")
"""Steps with checks that ask for the server's name or the mail domains."""


class Known(NamedTuple):
    """All checks, in the order of the steps."""

    checks: tuple[Listed, ...]


Tell = Callable[[Sequence[Event | Known]], None]


class Looking:
    """The run, and what it says: first the words of all checks, which this process need not import for that,
    then what becomes of each."""

    def __init__(self, session: Session, facts: Facts) -> None:
        """Starts it; where this user may have no more processes it ends at once, with nothing said."""

        def look(say: apart.Say) -> None:
            from mailcow_wizard import checks

            def tell(event: Event) -> None:
                if event.kind != "started":  # the screen shows all of them as running from the beginning
                    say(event)

            all_checks = checks.all_checks()
            say(Known(tuple(one.listed for one in all_checks)))
            session.prepare(all_checks, facts, tell).run()

        self._child = apart.start(look, session.host.close)

    def found(self) -> list[Event | Known]:
        """What was said so far."""
        said: list[Event | Known] = []
        while self._child and (more := self._child.hear(wait=False)):
            said += _told(more)
        return said

    def follow(self, tell: Tell, ended: Callable[[], object]) -> None:
        """Calls `tell` with what is said from now on, in batches, then `ended`; both from a thread. Raises
        HostError where there can be none."""
        limits.begin(lambda: self._follow(tell, ended), "looking")

    def _follow(self, tell: Tell, ended: Callable[[], object]) -> None:
        while self._child and (said := self._child.hear(wait=True)) is not None:
            tell(_told(said))
        ended()

    def end(self) -> None:
        """Ends the run where it goes on."""
        if self._child:
            self._child.end()


def know(board: Board) -> None:
    """Adds all checks to the board, where the process that looks has not told them yet."""
    if not board.checks():
        from mailcow_wizard import checks

        board.add([one.listed for one in checks.all_checks()])


def names(session: Session) -> tuple[str, ...]:
    """What the checks take the server and its mail domains to be called."""
    name = session.hostname_if_known().name
    return name, *(session.settings.domains or (domain_of(name),))


def by_name(board: Board) -> tuple[Listed, ...]:
    """The checks that have to look again when the server or a mail domain is called otherwise."""
    know(board)
    return tuple(one for step in _BY_NAME for one in board.checks_of(step))


def again(session: Session, checks: Sequence[str], facts: Facts, tell: Callable[[Event], None]) -> None:
    """Runs checks, by id, in a thread of this process; calls `tell` from there with what becomes of each.
    Raises HostError where there can be none."""

    def run() -> None:
        from mailcow_wizard.engine.selection import select

        session.prepare(select(checks) if checks else (), facts, tell).run()

    limits.begin(run, "checks")


def _told(said: Iterable[object]) -> list[Event | Known]:
    return [one for one in said if isinstance(one, Event | Known)]
