"""The command `explain`: what a check looks for and why, with the shipped machine as its example."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.making import unknown_check
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.model import Check
from mailcow_wizard.report.explaining import Explanation, lines, of_explanation
from mailcow_wizard.wrapping import wrapped


def explain(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError where no check has this id."""
    name = options.words[0]
    try:
        (check,) = select([name])
    except (UnknownSelector, ValueError):
        raise unknown_check(name) from None
    if check.id != name:
        raise unknown_check(name)
    explained = _explained(check)
    if options.json:
        import json

        write(json.dumps(of_explanation(explained)) + "\n")
    else:
        columns = streams.columns()
        for line in lines(explained):
            write("".join(f"{part}\n" for part in wrapped(harmless(line, 2000), columns, hanging=2)))
    return exit_codes.OK


def _explained(check: Check) -> Explanation:
    from mailcow_wizard.engine.runner import Run
    from mailcow_wizard.facts.store import Facts
    from mailcow_wizard.host.recording.recorded import DEMO, load
    from mailcow_wizard.model import Settings

    demo = load(DEMO)
    findings = Run((check,), Facts(demo, Settings(directory=demo.directory)), lambda event: None).run()
    return Explanation(check, findings, tuple(dict.fromkeys(fix.id for one in findings for fix in one.fixes)))
