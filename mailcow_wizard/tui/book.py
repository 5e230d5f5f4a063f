"""What is known of the DNS records while they are shown: asked for, and watched until they are right."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import limits, records, watching
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _, heard

if TYPE_CHECKING:
    from mailcow_wizard.engine.records import Records
    from mailcow_wizard.engine.session import Session
    from mailcow_wizard.facts.dns.table import Row

clock: Callable[[], float] = time.monotonic
"""The clock of waiting; a picture has one that stands still."""

_SAID_FOR_S = 3.0


class Book:
    """What the screens show: the rows, and whether they are waited for. Changed in the app's own thread only;
    it outlives the screens, so that leaving them loses nothing. `later` has that thread call something, and
    `changed` is called there when there is something new to draw."""

    def __init__(self, session: Session, later: Callable[..., object], changed: Callable[[], object]) -> None:
        self._session = session
        self._later = later
        self._changed = changed
        self.records: Records | None = None
        self.watch: watching.Watch | None = None
        self.domains = records.mail_domains(session)
        self.can_publish = dns_records.configured(session.new_facts())
        self.watching = False
        self.asking = False
        self.problem = ""
        self.right_since: float | None = None
        """Since when all that was waited for is right."""
        self.closed: list[object] = []
        """Screens that were told to close."""
        self._round = 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they were heard last."""
        return self.watch.rows if self.watch else ()

    def heard(self, row: Row) -> float:
        """When a row was heard."""
        if self.watch:
            for one, at in zip(self.watch.rows, self.watch.heard, strict=True):
                if one is row:
                    return at
        return self.now()

    def now_of(self, row: Row) -> Row:
        """A row as it was heard last."""
        return next((one for one in self.rows if watching.key(one) == watching.key(row)), row)

    def now(self) -> float:
        """This moment."""
        return clock()

    def read(self) -> None:
        """Asks for everything, in a thread."""
        self._ask(lambda: records.read(self._session), self._read)

    def _read(self, found: Records | None, problem: str) -> None:
        self.problem = problem
        if found is None:
            return
        begun = self.watch.begun if self.watch else self.now()
        self.records = found
        self.domains = found.server.domains
        self.watch = watching.begin(found.rows, self.now())._replace(begun=begun)

    def _ask(self, ask: Callable[[], Records], take: Callable[[Records | None, str], None]) -> None:
        self._round += 1
        self.asking = True
        number = self._round

        def end(found: Records | None, problem: str) -> None:
            if number != self._round:
                return  # something else was asked since
            self.asking = False
            take(found, problem)
            if not self.watching:  # while it waits the screen is drawn once a second
                self._changed()

        def work() -> None:
            found, problem = None, ""
            try:
                found = ask()
            except NotRecorded:
                problem = _("the recording does not hold what name servers say to this")
            except HostError as error:
                problem = heard(error)
            except Exception as error:  # the screen stays, and says so
                problem = _("the wizard made a mistake here: {name}", name=type(error).__name__)
            self._later(end, found, problem)

        try:
            limits.begin(work, "records")
        except HostError as error:
            self._later(end, None, str(error))

    def name(self, domains: tuple[str, ...]) -> None:
        """Other mail domains: the records of one that was left out are of no interest any more."""
        self.domains = domains
        if self.watch:
            self.watch = watching.only(self.watch, ("", *domains))

    def begin(self) -> None:
        """Begins to wait."""
        if self.watch:
            self.watching = True
            self.right_since = None
            self.watch = self.watch._replace(begun=self.now())

    def tick(self) -> None:
        """Once a second while a screen is open and it waits: asks what is due, sees whether all is right."""
        watch, known = self.watch, self.records
        if not self.watching or watch is None or known is None or self.asking:
            return
        if not watching.waiting(watch):
            if self.right_since is None:
                self.right_since = self.now()
            return
        some = watching.due(watch, self.now())
        if some:
            self._ask_again(known, some)

    def _ask_again(self, known: Records, some: tuple[Row, ...]) -> None:
        def ask() -> Records:
            return known._replace(rows=records.read_again(self._session, known, some))

        def take(found: Records | None, problem: str) -> None:
            # What failed is asked again in its time, and not at once.
            answers = found.rows if found else some
            if self.watch:
                self.watch = watching.taken(self.watch, answers, self.now())

        self._ask(ask, take)

    @property
    def said_enough(self) -> bool:
        """Whether it was said long enough that all is right."""
        return self.right_since is not None and self.now() - self.right_since >= _SAID_FOR_S
