"""How a command that changes something begins and ends: the session is opened, a refusal told, all closed."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.making import Refused, Talk
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.engine.session import Session
from mailcow_wizard.report.plan import of_error
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def in_session(
    options: Options,
    write: Callable[[str], None],
    work: Callable[[Session, Talk], int],
    of_refusal: Callable[[str], dict[str, Any]] = of_error,
) -> int:
    """Does a command's work in the session that the line names; returns the exit code.

    `of_refusal` makes the document of a refusal from its reason. Raises UsageError where the line names no
    session, and what kept the output from being written.
    """
    session = open_session(options)
    talk = Talk(options, write)
    try:
        code = work(session, talk)
    except Refused as refusal:
        code = talk.refused(refusal, of_refusal(str(refusal)))
    finally:
        session.host.close()
    talk.end()
    return code
