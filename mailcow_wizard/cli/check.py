"""The command `check`: runs checks and says what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailcow_wizard.checks import STEPS, TOPICS, all_checks
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.cli.output import Output, sentence_columns
from mailcow_wizard.cli.values import meant
from mailcow_wizard.engine.selection import Chosen, UnknownSelector
from mailcow_wizard.engine.session import Result, Session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, called, heard
from mailcow_wizard.model import Check, Event, Finding
from mailcow_wizard.report import lines
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.engine.memory import Difference

Write = Callable[[str], None]

# What keeps a run and makes its document.
_AFTERWARDS = ("engine.memory", "engine.acknowledging", "report.document")


def check(options: Options, write: Write) -> int:
    """Runs the command; returns the exit code."""
    return looked(options, write)[0]


def looked(options: Options, write: Write) -> tuple[int, tuple[Finding, ...]]:
    """Runs the checks that the words name; the exit code, and the findings (none with `--list`)."""
    try:
        chosen = Chosen(options.words)
    except UnknownSelector as error:
        raise _unknown(str(error)) from None
    if options.list:
        if options.directory is not None or options.host is not None or options.answers is not None:
            # What is named on the line is there, also where nothing of it is needed.
            open_session(options).host.close()
        return _list(chosen.all, options, write), ()
    if options.record is not None:
        _refuse_record(options.record)
    session = open_session(options)
    _mention_unfinished(session)
    try:
        if options.record is None:
            return _run(session, chosen, options, write)
        return _recorded(session, chosen, options, write)
    finally:
        session.host.close()


def _unknown(selector: str) -> UsageError:
    name = harmless(selector, 60)
    said = _("'{name}' is not a step, the beginning of an id, or an id; see check --list", name=name)
    known = [*STEPS, *TOPICS, *(one.id for one in all_checks())]
    return UsageError(said + meant(selector, known))


def _mention_unfinished(session: Session) -> None:
    """Says on stderr what an earlier session left half made."""
    from mailcow_wizard.engine.leftover import left_over

    if left_over(session):
        from mailcow_wizard.cli.making import mention_unfinished
        from mailcow_wizard.engine import way_back

        for line in way_back.take_back(session):
            streams.say(line)

        mention_unfinished(session)


def _run(session: Session, chosen: Chosen, options: Options, write: Write) -> tuple[int, tuple[Finding, ...]]:
    """The exit code, and the findings."""
    if options.json:
        return _json(session, chosen, options, write)
    if options.format:
        return _formatted(session, chosen, options, write)
    return _lines(session, chosen, options, write)


def _refuse_record(path: str) -> None:
    """What cannot be written after the run is said before it. Raises UsageError."""
    from mailcow_wizard.host.files.state import obstacle

    problem = obstacle(path)
    if problem:
        raise UsageError(f"--record {harmless(heard(problem))}")


def _recorded(
    session: Session, chosen: Chosen, options: Options, write: Write
) -> tuple[int, tuple[Finding, ...]]:
    """Runs the checks, and writes down what the machine answered."""
    from mailcow_wizard.engine.recording import ask_the_rest
    from mailcow_wizard.host.files.state import write_private
    from mailcow_wizard.host.recording.recorded import RecordingHost

    path = options.record or ""
    recorder = RecordingHost(session.host)
    session.host = recorder
    output = Output(write)
    code, findings = _run(session, chosen, options, output.write)
    recorder.settle()
    ask_the_rest(session, findings)
    try:
        write_private(path, recorder.document(session.settings.directory))
    except HostError as error:
        streams.say(f"--record: {harmless(heard(error))}")
        return exit_codes.CANNOT_WRITE, findings
    output.end()
    return code, findings


def _list(checks: Sequence[Check], options: Options, write: Write) -> int:
    if options.json:
        from mailcow_wizard.report.document import of_list

        _dump(of_list(checks), write)
    else:
        from mailcow_wizard.wrapping import wrapped

        columns = sentence_columns(options.plain)
        shown = (part for line in lines.listing(checks) for part in wrapped(line, columns, hanging=4))
        write("".join(f"{part}\n" for part in shown))
    return exit_codes.OK


def _json(
    session: Session, chosen: Chosen, options: Options, write: Write
) -> tuple[int, tuple[Finding, ...]]:
    result = session.run(chosen.first, lambda event: None, lambda: _whole(chosen))
    document, code, _differences = _remembered(session, chosen.all, result, options)
    _dump(document, write)
    return code, result.findings


def _whole(chosen: Chosen) -> tuple[Check, ...]:
    """All of them; what is needed at the end is imported with them, while the first ones wait for answers."""
    checks = chosen.all
    for name in _AFTERWARDS:
        __import__(f"mailcow_wizard.{name}")
    return checks


def _remembered(
    session: Session, checks: Sequence[Check], result: Result, options: Options
) -> tuple[dict[str, Any], int, tuple[Difference, ...]]:
    """Keeps the run; its document, its exit code, and with `--changes` what is different from the last."""
    from mailcow_wizard.engine.memory import Memory
    from mailcow_wizard.report.document import of_differences, of_run

    document = of_run(result.hostname, result.started, result.duration, result.findings)
    memory = Memory(session.state, session.recorded)
    first, before = memory.incomparable, memory.hostname
    asked = {one.id for one in checks}
    differences = memory.differences(asked, result.findings) if options.changes and not first else ()
    again = memory.counting_again(result.findings)
    trouble = memory.keep(asked, result.findings, document, polled=bool(options.format))
    code = exit_codes.of_findings(result.findings)
    _mention_over(session, result.findings)
    if trouble:
        streams.say(_("this run is not remembered: {why}", why=harmless(heard(trouble))))
    if not options.changes:
        return document, code, ()
    if first:
        streams.say(_("there is no run before this one to compare with"))
    else:
        code = exit_codes.of_differences(differences, result.findings, again)
        if before and before != result.hostname:
            streams.say(_("the run before this one was of {server}", server=harmless(before, 100)))
    return {**document, "changes": of_differences(differences)}, code, differences


def _mention_over(session: Session, findings: Sequence[Finding]) -> None:
    """Says which acknowledgements have ended."""
    from mailcow_wizard.engine.acknowledging import Acknowledgements

    for one in Acknowledgements(session.state).over(findings):
        streams.say(
            _(
                "{finding} was acknowledged until {day}: it counts again",
                finding=lines.named(one.check, one.subject),
                day=one.acknowledgement.until,
            )
        )


def _dump(document: object, write: Write) -> None:
    import json

    # ASCII: a stdout that lacks a character would make an escape of it that JSON does not have.
    write(json.dumps(document) + "\n")


def _lines(
    session: Session, chosen: Chosen, options: Options, write: Write
) -> tuple[int, tuple[Finding, ...]]:
    plain = options.plain or not streams.on_terminal()
    colour = not plain and not options.no_color and streams.wants_colour()
    printer = _InOrder(chosen.all, _plain_printer(write) if plain else _terminal_printer(write, colour))
    result = session.run(chosen.all, printer.hear)
    _document, code, differences = _remembered(session, chosen.all, result, options)
    write("".join(f"{line}\n" for line in lines.changed(differences)))
    write(f"{lines.closing(result.findings)}\n")
    mendable = "" if plain else lines.mendable(result.findings)
    if mendable:
        import shlex

        from mailcow_wizard.cli.repeating import finding_again

        line = called(f"./wizard {shlex.join(['fix', mendable, *finding_again(options)])}")
        write("".join(f"{part}\n" for part in _next(line, sentence_columns(options.plain))))
    return code, result.findings


def _next(line: str, columns: int) -> list[str]:
    """What to type now, in one piece."""
    from mailcow_wizard.wrapping import wrapped

    said = _("Next: {line} shows what can be done", line=line)
    if not columns or len(said) <= columns:
        return [said]
    return wrapped(_("Next: {line} shows what can be done", line=f"`{line}`"), columns)


def _formatted(
    session: Session, chosen: Chosen, options: Options, write: Write
) -> tuple[int, tuple[Finding, ...]]:
    """For monitoring. Nagios and Icinga have exit codes of their own."""
    from mailcow_wizard.report import monitoring

    result = session.run(chosen.first, lambda event: None, lambda: _whole(chosen))
    _document, code, _differences = _remembered(session, chosen.all, result, options)
    if options.format == "nagios":
        text, code = monitoring.nagios(result.findings, proof=options.command == "verify")
    else:
        text = monitoring.prometheus(result.findings, result.started, result.duration)
    write(text)
    return code, result.findings


class _InOrder:
    """Prints findings as they come, but in the order of the checks."""

    def __init__(self, checks: Sequence[Check], show: Callable[[Finding], None]) -> None:
        self._waiting = [check.id for check in checks]
        self._ready: dict[str, tuple[Finding, ...]] = {}
        self._show = show

    def hear(self, event: Event) -> None:
        if event.kind != "finished":
            return
        self._ready[event.check] = event.findings
        while self._waiting and self._waiting[0] in self._ready:
            for finding in self._ready.pop(self._waiting.pop(0)):
                self._show(finding)


def _plain_printer(write: Write) -> Callable[[Finding], None]:
    return lambda finding: write(f"{lines.plain(finding)}\n")


def _terminal_printer(write: Write, colour: bool) -> Callable[[Finding], None]:
    shown: list[str] = []

    def show(finding: Finding) -> None:
        if finding.step not in shown:
            shown.append(finding.step)
            write(f"{lines.heading(finding.step)}\n")
        write("".join(f"{line}\n" for line in lines.coloured(finding, colour, streams.columns())))

    return show
