"""The install on the screens: its plan, its begin, following it, what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from textwrap import wrap
from typing import TYPE_CHECKING

from mailcow_wizard.engine.obstacles import elsewhere, obstacle
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import after, following, gate, going_on, outlook
from mailcow_wizard.install.standing import Record, Standing, Unreadable
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Finding
from mailcow_wizard.names import is_full
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.tui.background import in_background, waited_for
from mailcow_wizard.tui.board import INSTALL
from mailcow_wizard.tui.install_run import InstallRun
from mailcow_wizard.tui.install_words import after_lines, heading, nothing_to_do, outlook_lines, rows
from mailcow_wizard.tui.planned import parts_of
from mailcow_wizard.tui.screens.decision import Asked, Decision
from mailcow_wizard.tui.screens.installing import InstallScreen
from mailcow_wizard.tui.screens.text import TextScreen
from mailcow_wizard.tui.writing import is_set_up

if TYPE_CHECKING:
    from mailcow_wizard.tui.widgets.lines import Part
    from mailcow_wizard.tui.wizard import Wizard

_TITLE = _("Install mailcow")


def fill(app: Wizard) -> None:
    """The stages as they stand, for the step's list, also where another wizard installs; none is begun where
    that cannot be read."""
    standing, running = None, False
    if not app.session.recorded:
        with suppress(Unreadable):
            standing = outlook.standing_of(app.session)
            running = standing is not None and Record(app.session.state).alive()
    board = app.board
    if standing is None and (board.is_elsewhere or is_set_up(board)):
        board.stages = (nothing_to_do(),)
    else:
        board.stages = rows(standing, running, earlier=True)


def mark(app: Wizard) -> None:
    """The step's mark among the steps, before it is visited."""
    fill(app)
    app.show_step(app.current)


def show(app: Wizard) -> None:
    """`i`: the install that is under way; else what it would do, and the question; else what came of it."""
    if len(app.screen_stack) > 1:
        return  # the key was pressed twice
    if app.installing and app.installing.running:
        _watch(app, app.installing)
        return
    if Record(app.session.state).alive() and not app.session.recorded:
        _follow(app, lambda listen: following.follow(app.session, listen))
        return
    waited_for(app, _TITLE, _("Looking at what it would do…"), lambda: _looked_at(app))


def _looked_at(app: Wizard) -> Callable[[], object]:
    """What is shown next; takes some seconds."""
    try:
        standing = None if app.session.recorded else outlook.standing_of(app.session)
        app.session.settings = going_on.settings(app.session, standing)
        here = outlook.present(app.session, standing)
        if here and standing is not None and standing.state == "done":
            standing = after.current(app.session, standing)
        name = app.session.hostname()
        if not here and not is_full(name.name):
            return lambda: _name_first(app, name.origin == "mailcow.conf")
        if not here and (unfit := outlook.unfit(app.session)):
            return lambda: app.show_keys(unfit)
        choices = going_on.choices(app.session, standing)
        some = () if here else outlook.outlook(app.session, standing, choices)
        stops = gate.foreseen(app.board.findings(), choices.fixes)
    except HostError as error:
        said = _("This could not be looked at: {error}", error=error)
        return lambda: app.show_keys(said)
    if here:
        start, shows = outlook.starts(app.session), outlook.shown_by(app.session, _("The step Verify"))
        return lambda: _present(app, here, start, shows, standing)
    return lambda: _ask(app, some, standing, stops)


def _name_first(app: Wizard, configured: bool) -> None:
    """The name is needed before all else: says where it is typed."""
    if configured:
        app.show_keys(_("First mailcow.conf needs a full name, such as mail.example.org."))
    else:
        app.show_keys(_("First a full name, such as mail.example.org: Ctrl+P, Go to Welcome."))


def _present(app: Wizard, here: str, start: str, shows: str, standing: Standing | None) -> None:
    if standing is not None and standing.state == "done" and not start:
        show_after(app, standing)
        return
    look = app.look
    text = f" {capitalized(here)}."
    more = _("Nothing is installed over it. {command} shows how it is.", command=shows)
    lines = [[(look.text(text), look.bold)]]
    for said in filter(None, (more, start)):
        width = max(10, app.size.width - 3)
        lines += [[], *([(f" {look.text(part)}", look.plain)] for part in wrap(said, width))]
    app.push_screen(TextScreen(look, _TITLE, lines))


def _ask(
    app: Wizard, some: tuple[outlook.Outlook, ...], standing: Standing | None, stops: tuple[Finding, ...]
) -> None:
    name = app.session.hostname().name
    goes_on = standing is not None and standing.state != "done"
    what = _("Go on installing mailcow") if goes_on else _TITLE
    asked = Asked(
        _("{what}: {name}, in {directory}", what=what, name=name, directory=app.session.settings.directory),
        _("Go on?") if goes_on else _("Install now?"),
        lambda width: outlook_lines(some, width, stops),
        obstacle=obstacle(app.session, needs_root=True),
        instead=_("{elsewhere}: sudo ./wizard install", elsewhere=elsewhere(app.session)),
    )

    def answered(answer: str | None) -> None:
        if answer == "y":
            _follow(
                app,
                lambda listen: following.start(app.session, going_on.choices(app.session, standing), listen),
            )

    app.push_screen(Decision(app.look, asked), answered)


def _follow(app: Wizard, work: Callable[[following.Listen], Standing]) -> None:
    made = app.installing = InstallRun(None)
    with suppress(Unreadable):
        made.standing = outlook.standing_of(app.session)
    made.start(work, lambda: app.call_later(_heard, app, made))
    _show_rows(app, made)
    _watch(app, made)


def _watch(app: Wizard, made: InstallRun) -> None:
    """Its screen; from there the page after it is one key away."""

    def closed(after_it: bool | None) -> None:
        if after_it:
            app.call_after_refresh(show, app)

    app.push_screen(InstallScreen(app.look, made, lambda: _stop(app)), closed)


def _stop(app: Wizard) -> None:
    """Beside the screen: where the work just begins its process is waited for."""
    in_background(app, "stop", lambda: following.stop(app.session))


def _heard(app: Wizard, made: InstallRun) -> None:
    for screen in app.screen_stack:
        if isinstance(screen, InstallScreen):
            screen.show()
    _show_rows(app, made)
    if made.running:
        return
    app.events_log.append(_("Install: {state}", state=made.refused or heading(made.standing, running=False)))
    if not any(isinstance(one, InstallScreen) for one in app.screen_stack):
        is_done = made.standing is not None and made.standing.state == "done"
        app.show_keys(
            _("mailcow is installed; i shows what comes next.")
            if is_done
            else _("The install has stopped: the step Install says why, and i goes on with it.")
        )
    # It installs packages and Docker, makes mailcow.conf, starts containers: no step is as it was.
    app.look_again(app.board.checks())


def _show_rows(app: Wizard, made: InstallRun) -> None:
    app.board.stages = rows(made.standing, made.running)
    if app.current == INSTALL and len(app.screen_stack) == 1:
        app.show_step(INSTALL)


def greet(app: Wizard) -> None:
    """At the start: an install that is under way is shown, one that stopped is mentioned."""
    record = Record(app.session.state)
    if record.alive():
        _follow(app, lambda listen: following.follow(app.session, listen))
        return
    mark(app)
    try:
        outlook.standing_of(app.session)
    except Unreadable as error:
        app.show_keys(heard(error))
        return
    app.show_keys(_("An install was begun and is not finished: step Install, i goes on with it."))


def show_after(app: Wizard, standing: Standing) -> None:
    """The page after an install."""
    try:
        conf = app.session.new_facts().get(mailcow_conf)
        project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    except HostError:
        project = DEFAULT_PROJECT
    sections = after.page(standing, project, Record(app.session.state).log_path)

    def lines(width: int) -> list[list[Part]]:
        return [parts_of(line, app.look) for line in after_lines(sections, max(20, width - 2))]

    app.push_screen(TextScreen(app.look, _("mailcow is installed"), lines))
