"""The command `answers`: what this machine and its wizard know, as a file for `--answers`."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.answers.collecting import collect
from mailcow_wizard.answers.writing import text
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.install.standing import Record
from mailcow_wizard.language import _, heard


def answers(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError with what is wrong in a file of answers."""
    session = open_session(options)
    try:
        standing = None if session.recorded or options.answers else Record(session.state).look()
        choices = standing.choices if standing else session.given.choices
        found = collect(session, choices, standing.changes if standing else ())
    except HostError as error:
        streams.say(harmless(heard(error)))
        return exit_codes.UNKNOWN
    finally:
        session.host.close()
    streams.write_utf8()
    write(text(found, ""))
    if found.secrets:
        names = ", ".join(found.secrets)
        streams.say(
            _(
                "secrets of mailcow.conf are left out: {names}; they belong into a file of mode 600",
                names=names,
            )
        )
    return exit_codes.OK
