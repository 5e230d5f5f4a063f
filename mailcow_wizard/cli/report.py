"""The command `report`: the last run, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.engine.memory import Memory
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, current
from mailcow_wizard.report.saved import as_text


def report(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError where there was no run yet."""
    session = open_session(options)
    session.host.close()
    memory = Memory(session.state, session.recorded)
    if memory.empty and not session.recorded:
        memory = Memory(session.state, recorded=True)
    form = options.format or ("json" if options.json else "markdown")
    try:
        run = memory.run()
        if run is None:
            raise UsageError(_("there was no run yet to report on; run first: ./wizard check"))
        streams.write_utf8()
        write(as_text(run, form, options.mask))
    except (KeyError, TypeError, AttributeError):
        raise UsageError(_("the last run cannot be read; run again: ./wizard check")) from None
    if form != "json" and memory.language != current():
        streams.say(_("the findings are in the language of that run; check tells them anew, in this one"))
    return exit_codes.OK
