"""The DNS records: read, watched until they are right, copied, published; and the mail domains."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import limits, records, watching
from mailcow_wizard.engine.records import Records
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _, heard
from mailcow_wizard.tui import certificate
from mailcow_wizard.tui.record_words import COPIED, value
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.record import RecordScreen
from mailcow_wizard.tui.screens.records import RecordsScreen
from mailcow_wizard.tui.screens.text import Question, TextScreen
from mailcow_wizard.tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard

clock: Callable[[], float] = time.monotonic
"""The clock of waiting; a picture has one that stands still."""

_SAID_FOR_S = 3.0
_NEW_DOMAIN = Asked(_("New mail domain"), _("what stands behind the @, such as example.org"), _("add"))


class Book:
    """What the screens show: the rows, and whether they are waited for. Changed in the app's own thread only;
    it outlives the screens, so that leaving them loses nothing."""

    def __init__(self, app: Wizard) -> None:
        self._app = app
        self.records: Records | None = None
        self.watch: watching.Watch | None = None
        self.domains = records.mail_domains(app.session)
        self.can_publish = dns_records.configured(app.session.new_facts())
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
        return next((one for one in self.rows if one.expected == row.expected), row)

    def now(self) -> float:
        """This moment."""
        return clock()

    def read(self) -> None:
        """Asks for everything, in a thread."""
        self._ask(lambda: records.read(self._app.session), self._read)

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
                draw(self._app)

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
            self._app.call_later(end, found, problem)

        try:
            limits.begin(work, "records")
        except HostError as error:
            self._app.call_later(end, None, str(error))

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
            return known._replace(rows=records.read_again(self._app.session, known, some))

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


def show(app: Wizard, adding: bool = False) -> None:
    """Opens the records; waiting goes on where it was left."""
    if any(isinstance(one, RecordsScreen) for one in app.screen_stack):
        return  # the key was pressed twice
    book = app.book = app.book or Book(app)
    screen = RecordsScreen(app.look, book, lambda *asked: _do(app, book, *asked))

    def closed(_result: None) -> None:
        if book.right_since is not None:
            book.watching, book.right_since = False, None
        elif book.watching:
            app.show_keys(_("Nothing is lost: t goes on waiting for the records."))

    app.push_screen(screen, closed)
    if not book.watching:
        book.domains = records.mail_domains(app.session)
        book.read()
    if adding:
        _add(app, book)


def add_domain(app: Wizard) -> None:
    """Opens the records, and asks for one more mail domain."""
    show(app, adding=True)


def draw(app: Wizard) -> None:
    """Draws what is different now, where one of the screens is open; goes on when all is right."""
    for one in app.screen_stack:
        if isinstance(one, RecordsScreen | RecordScreen):
            one.draw()


def _do(app: Wizard, book: Book, what: str, row: Row | None, domain: str) -> None:
    """What a key of the list asks for, with the cursor on a row or on a domain's heading."""
    if what == "tick":
        _tick(app, book)
    elif what == "add":
        _add(app, book)
    elif what == "watch":
        _toggle(app, book)
    elif what == "again":
        book.read()
        draw(app)
    elif what == "publish":
        _publish(app, book, row, domain)
    elif what == "certificate":
        _certificate(app, book)
    elif what == "remove" and domain:
        _remove(app, book, domain)
    elif row and what == "open":
        app.push_screen(RecordScreen(app.look, book, row, lambda: _copy(app, row)))
    elif row and what == "copy" and _copy(app, row):
        app.push_screen(
            TextScreen(app.look, COPIED, [[(app.look.text(value(row)), app.look.plain)]], value(row))
        )


def _certificate(app: Wizard, book: Book) -> None:
    """The names that mailcow will try for its certificate, each with its fate."""
    if book.records is None:
        _say(app, _("Nothing is known of the certificate yet."))
        return
    certificate.show(app, book.records.overview)


def _tick(app: Wizard, book: Book) -> None:
    before = book.right_since
    book.tick()
    if book.right_since is not None and before is None:
        app.events_log.append(_("All records are right."))
        app.look_again(app.board.checks_of("dns"))
    draw(app)
    # `is_current` is true of a screen behind another one, too.
    on_top = isinstance(app.screen, RecordScreen | RecordsScreen)
    # On a busy machine the next second may come before the screen is gone.
    if book.said_enough and on_top and app.screen not in book.closed:
        book.closed.append(app.screen)
        app.screen.dismiss(None)


def _toggle(app: Wizard, book: Book) -> None:
    if book.watching:
        book.watching, book.right_since = False, None
    elif book.watch is None:
        _say(app, _("There is nothing to wait for yet: nothing is known of any record yet."))
        return
    elif not watching.waiting(book.watch):
        _say(app, _("There is nothing to wait for: all that mail needs is right."))
        return
    else:
        book.begin()
    draw(app)


def _say(app: Wizard, notice: str) -> None:
    for one in app.screen_stack:
        if isinstance(one, RecordsScreen):
            one.say(notice)


def _copy(app: Wizard, row: Row) -> bool:
    """Sends the value to the terminal's clipboard; whether there is one."""
    text = value(row)
    if text:
        app.copy_to_clipboard(text)
    else:
        _say(app, _("There is no value to copy yet: {note}.", note=row.expected.note))
    return bool(text)


def _add(app: Wizard, book: Book) -> None:
    def typed(kept: tuple[str, ...] | None) -> None:
        if kept:
            _keep(app, book, kept)

    app.push_screen(Naming(app.look, _NEW_DOMAIN, lambda text: records.added(book.domains, text)), typed)


def _remove(app: Wizard, book: Book, domain: str) -> None:
    """Asks whether to leave a mail domain out."""
    if len(book.domains) < 2:
        _say(app, _("One mail domain is needed; + adds another."))
        return

    def answered(yes: bool | None) -> None:
        if yes:
            _keep(app, book, tuple(one for one in book.domains if one != domain))

    app.push_screen(
        Question(app.look, _("Look at {domain} no more? What is published stays.", domain=domain)), answered
    )


def _keep(app: Wizard, book: Book, kept: tuple[str, ...]) -> None:
    first = book.domains[:1] != kept[:1]
    book.name(kept)
    try:
        records.keep_domains(app.session, kept)
    except HostError as error:
        _say(app, _("The domains are kept for this session only: {error}", error=harmless(str(error))))
    if first:
        app.screen_stack[0].query_one(Welcome).name_domain(kept[0])
    book.read()
    app.look_again(app.board.checks_of("dns"))
    draw(app)


def _publish(app: Wizard, book: Book, row: Row | None, domain: str) -> None:
    """The record under the cursor; on a heading all of its records."""
    from mailcow_wizard.tui import publishing

    rows = (row,) if row else [one for one in book.rows if one.expected.domain == domain]

    def made() -> None:
        book.begin()
        book.read()
        draw(app)

    names = {(one.expected.name, one.expected.type) for one in rows}
    publishing.show(app, names, lambda notice: _say(app, notice), made)
