"""The command `reach`: listens for a knock from outside and shows what arrives; `--from` is the far side."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.making import code_of
from mailcow_wizard.cli.opening import open_session
from mailcow_wizard.cli.values import NothingDone
from mailcow_wizard.engine.reach import DEFAULT_MINUTES, Reach
from mailcow_wizard.engine.reach_words import BadReport
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.reach import desk
from mailcow_wizard.host.terminal import abilities as terminal
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.report import reach as report
from mailcow_wizard.report import reach_lines

_TURN_S = 0.5


def reach(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError."""
    if options.offline:
        raise UsageError(_("reach is a proof over the network; it cannot work with --offline"))
    if options.asked_from:
        from mailcow_wizard.cli.reach_from import ask

        return ask(options, write)
    session = open_session(options)
    if session.recorded:
        raise UsageError(_("a recorded machine cannot be reached"))
    try:
        return _NearSide(options, write, Reach(session.new_facts(), options.minutes or DEFAULT_MINUTES)).run(
            lambda proof: proof.keep(session.state)
        )
    except HostError as error:
        raise NothingDone(code_of(error), f"reach: {harmless(heard(error))}") from None
    finally:
        session.host.close()


class _NearSide:
    def __init__(self, options: Options, write: Callable[[str], None], proof: Reach) -> None:
        self._options = options
        self._proof = proof
        # With --json the one document comes last; what goes on meanwhile is narration.
        self._say: Callable[[str], None] = streams.say if options.json else lambda text: write(f"{text}\n")
        self._write = write
        self._shown: dict[int, str] = {}
        self._asked: desk.Asked | None = None
        self._patient = streams.on_terminal() and not options.json and not options.plain
        """Somebody looks on, who may mend what is found and ask once more."""

    def run(self, keep: Callable[[Reach], object]) -> int:
        proof = self._proof
        try:
            if proof.forbidden:
                # Nor is it known then which of them are in use, as a report that is typed in needs.
                why = _("only root may listen on mailcow's ports. Run: {line}", line=terminal.as_root())
                raise NothingDone(exit_codes.NEEDS_ROOT, why)
            if self._options.result:
                self._typed_in(self._options.result)
            else:
                self._invite()
                self._follow(keep)
            keep(proof)
        except (KeyboardInterrupt, SystemExit):
            keep(proof)
            raise
        finally:
            proof.close()
            if self._asked:
                self._asked.close()
        return self._end()

    def _typed_in(self, report_text: str) -> None:
        try:
            self._proof.hear(report_text)
        except BadReport as error:
            raise UsageError(f"--result: {error}") from None
        self._tell()

    def _invite(self) -> None:
        proof = self._proof
        if not proof.addresses:
            self._say(_("This server's public address is not known; put it in the place of ADDRESS below."))
        self._asked = desk.invite(proof.addresses, proof.token)
        if self._asked:
            self._say(_("The machine where --ssh was started knocks by itself now.") + "\n")
        where = proof.addresses or ("ADDRESS",)
        self._say(_("Paste one of these lines on another machine, outside this network:") + "\n")
        self._say(f"Linux, macOS (bash):\n{reach_lines.bash(proof.token, proof.ports, where)}\n")
        self._say(f"Windows (PowerShell):\n{reach_lines.powershell(proof.token, proof.ports, where)}\n")
        own = reach_lines.wizard(proof.token, ",".join(where))
        self._say(f"{_('a machine with this program:')}\n{own}\n")
        if proof.extra:
            self._say(
                _(
                    "All ports are in use and are asked as they are; port {port} takes the report.",
                    port=str(proof.extra),
                )
            )
        self._say(
            ngettext(
                "Listening for 1 minute, for whoever knows the token; Ctrl+C ends it.",
                "Listening for {n} minutes, for whoever knows the token; Ctrl+C ends it.",
                round(proof.seconds_left / 60),
            )
        )
        self._tell(waiting=False)

    def _follow(self, keep: Callable[[Reach], object]) -> None:
        """Until all has arrived, or the time is over; for programs, until a report came."""
        proof = self._proof
        invited = False
        while proof.seconds_left and not (proof.told and (proof.all_arrived or not self._patient)):
            # Both are asked: where much arrives there would be no time for the other.
            if not any([proof.wait(_TURN_S), self._reported()]):
                continue
            self._tell(waiting=False)
            if self._patient and proof.told and not proof.all_arrived and not invited:
                keep(proof)
                self._say(_("The same line can be asked again until the time is over; Ctrl+C ends it."))
                invited = True
        self._tell()

    def _reported(self) -> bool:
        """Whether a report came home with the connection, since no port could take it."""
        report_text = self._asked.report() if self._asked else ""
        with contextlib.suppress(BadReport):
            if report_text:
                self._proof.hear_desk(report_text)
                return True
        return False

    def _tell(self, waiting: bool = True) -> None:
        """The ports of which something new is known."""
        for target in self._proof.targets:
            verdicts = report.verdicts(self._proof, target)
            line = report.row(target, verdicts)
            if self._shown.get(target.port) == line:
                continue
            if waiting or any(one.state != "waiting" for _family, one in verdicts):
                self._shown[target.port] = line
                self._say(line)

    def _end(self) -> int:
        found = report.summary(self._proof)
        self._say(report.verdict(found))
        for line in report.notes(self._proof):
            self._say(line)
        if self._options.json:
            import json

            self._write(json.dumps(report.of_reach(self._proof)) + "\n")
        if found["blocked"]:
            return exit_codes.FAIL
        return exit_codes.UNKNOWN if found["unknown"] else exit_codes.OK
