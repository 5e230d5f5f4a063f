"""The command without a word: the full-screen wizard, where the terminal can hold it."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.engine.session import Session


def wizard(options: Options, write: Callable[[str], None]) -> int:
    """Starts the wizard; returns the exit code, writes no data.

    Raises UsageError for a terminal that it cannot serve, and where lines or a document are wanted.
    """
    from mailcow_wizard.host.terminal.abilities import examine, instead

    terminal = examine()
    refusal = heard(terminal.refusal)
    if not refusal and (options.json or options.plain):
        refusal = _("the wizard is a full screen: neither lines nor a document")
    if refusal:
        raise UsageError(f"{refusal}\n{_('Run this instead: {line}', line=instead())}")
    from mailcow_wizard.cli.opening import open_session
    from mailcow_wizard.tui.start import start

    session = open_session(options)
    try:
        _take_over(session)
        _go_on(session)
        return start(
            session,
            ascii_only=options.ascii or not terminal.utf8,
            colour=terminal.colour and not options.no_color,
            mouse=options.mouse,
        )
    finally:
        session.host.close()


def _take_over(session: Session) -> None:
    """What a file answers is kept like what is typed; where it cannot be, it counts for this session."""
    from mailcow_wizard.host.errors import HostError

    try:
        session.take_over()
    except HostError as error:
        streams.say(_("the answers count for this session only: {why}", why=heard(error)))


def _go_on(session: Session) -> None:
    """Where an install is not finished, the screens show the machine as that install was told of it."""
    from mailcow_wizard.install.leftover import left_over

    if session.recorded or not left_over(session):
        return
    from mailcow_wizard.install import going_on
    from mailcow_wizard.install.standing import Record

    session.settings = going_on.settings(session, Record(session.state).load())
