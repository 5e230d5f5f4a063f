"""The DNS records: read, watched until they are right, copied, published; and the mail domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.engine import records, watching
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.tui import certificate
from mailcow_wizard.tui.book import Book
from mailcow_wizard.tui.help import record_lines
from mailcow_wizard.tui.record_words import COPIED, value
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.record import RecordScreen
from mailcow_wizard.tui.screens.records import RecordsScreen
from mailcow_wizard.tui.screens.text import Question, TextScreen
from mailcow_wizard.tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_NEW_DOMAIN = Asked(_("New mail domain"), _("what stands behind the @, such as example.org"), _("add"))


def show(app: Wizard, adding: bool = False) -> None:
    """Opens the records; waiting goes on where it was left."""
    if any(isinstance(one, RecordsScreen) for one in app.screen_stack):
        return  # the key was pressed twice
    book = app.book = app.book or Book(app.session, app.call_later, lambda: draw(app))
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
    elif what == "help":
        app.push_screen(TextScreen(app.look, _("Help"), lambda width: record_lines(app.look, width)))
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
