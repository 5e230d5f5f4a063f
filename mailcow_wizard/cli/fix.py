"""The command `fix`: shows what can be done about a finding, and does it."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from mailcow_wizard import fixes
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.making import (
    Refused,
    Talk,
    code_of,
    code_of_outcome,
    is_unseen,
    mention_unfinished,
    permitted,
    say_unseen,
    say_what_is,
    shown,
    takes_root,
    told,
    unchanged,
    unknown_check,
)
from mailcow_wizard.cli.repeating import finding_again
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.cli.values import meant
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.obstacles import is_root
from mailcow_wizard.engine.selection import UnknownSelector
from mailcow_wizard.engine.session import Session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.host.files.changing import Changed
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, called, heard
from mailcow_wizard.model import Finding, Plan
from mailcow_wizard.report import lines
from mailcow_wizard.report.plan import of_fix, of_fixes, of_refused_fix, offer_line
from mailcow_wizard.wrapping import wrapped


def fix(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    if options.resume is None:
        return in_session(options, write, lambda session, talk: _fix(session, options, talk))
    from mailcow_wizard.cli.undo import resume

    return in_session(options, write, lambda session, talk: resume(session, options, talk))


def _fix(session: Session, options: Options, talk: Talk) -> int:
    name = options.words[0]
    try:
        seen = mending.look(session, name)
    except UnknownSelector:
        raise unknown_check(name, "".join(options.words[1:])) from None
    findings = _of_subject(seen.findings, name, options.subject)
    mention_unfinished(session)
    if len(options.words) == 1:
        return _list(findings, options, talk)
    wanted = options.words[1]
    finding = _the_one(findings, name, wanted)
    offer = next((one for one in seen.offers(finding) if one.fix.id == wanted), None)
    if offer is None:
        if _is_hidden(session, finding, wanted):
            raise Refused(exit_codes.NEEDS_ROOT, takes_root())
        return _nothing_to_do(finding, wanted, talk)
    try:
        plan = _planned(offer)
    except Refused as refusal:
        code = talk.refused(refusal, of_refused_fix(finding.id, finding.subject, wanted, str(refusal)))
        return exit_codes.OK if options.dry_run and code == exit_codes.CANNOT_WRITE else code
    return Making(session, options, talk, plan, finding, _new_password(plan)).run()


def _of_subject(findings: tuple[Finding, ...], name: str, subject: str | None) -> tuple[Finding, ...]:
    if subject is None:
        return findings
    chosen = tuple(one for one in findings if one.subject == subject)
    if not chosen:
        there = shown([one.subject for one in findings if one.subject])
        raise UsageError(
            _(
                "{check} has no subject '{subject}'; there are: {there}",
                check=name,
                subject=harmless(subject, 60),
                there=there,
            )
        )
    return chosen


def _the_one(findings: tuple[Finding, ...], name: str, wanted: str) -> Finding:
    """The finding that is meant: of several the only one that the fix is for."""
    fitting = [one for one in findings if any(fix.id == wanted for fix in one.fixes)]
    if len(fitting) > 1:
        subjects = shown([one.subject or "" for one in fitting])
        raise UsageError(
            _(
                "{check} has several subjects; choose with --subject one of: {subjects}",
                check=name,
                subjects=subjects,
            )
        )
    return fitting[0] if fitting else findings[0]


def _list(findings: tuple[Finding, ...], options: Options, talk: Talk) -> int:
    if talk.json:
        talk.document(of_fixes([(one.subject, fix) for one in findings for fix in one.fixes]))
        return exit_codes.OK
    for one in findings:
        talk.sentence(lines.plain(one), hanging=lines.WIDTH + 2)
        for fix in one.fixes:
            talk.sentence(f"  {offer_line(fix)}", hanging=2)
        if not one.fixes:
            talk.line(
                _("  nothing to do")
                if one.status == "pass"
                else _("  nothing that the wizard can do by itself")
            )
            for remedy in one.remedies:
                talk.sentence(_("  by hand: {what}", what=remedy), hanging=2)
    mendable = [one for one in findings if one.fixes]
    if mendable and options.yes:
        command = _command(mendable[0], [*finding_again(options), "--yes"])
        streams.say(unchanged(_("--yes does one of these fixes, by name: {command}", command=command), 1200))
    elif mendable:
        talk.lines(_next(mendable[0], finding_again(options), talk.columns))
    return exit_codes.OK


def _command(finding: Finding, more: list[str]) -> str:
    words = ["fix", finding.id, finding.fixes[0].id]
    if finding.subject:
        words += ["--subject", finding.subject]
    return called(f"./wizard {harmless(shlex.join([*words, *more]), 1000)}")


def _next(finding: Finding, more: list[str], columns: int) -> list[str]:
    """What to type for the first of the fixes; in a line of its own where it has no room."""
    command = _command(finding, more)
    line = _("What the first would do, asking before it does it: {command}", command=command)
    if not columns or len(line) <= columns:
        return [line]
    return [*wrapped(line.removesuffix(command).rstrip(), columns), f"  {command}"]


def _is_hidden(session: Session, finding: Finding, wanted: str) -> bool:
    """Whether root might be offered it: what it is about could not be told."""
    knows = finding.status != "unknown" or not fixes.is_known(finding.id, wanted)
    return not (knows or session.recorded or is_root(session))


def _nothing_to_do(finding: Finding, wanted: str, talk: Talk) -> int:
    """The fix is not on offer: all is well already, or there is no such fix."""
    if finding.status != "pass" or not fixes.is_known(finding.id, wanted):
        there = shown([one.id for one in finding.fixes])
        said = _(
            "{check} has no fix '{fix}' now; there are: {there} ({summary})",
            check=finding.id,
            fix=harmless(wanted, 60),
            there=there,
            summary=finding.summary,
        )
        raise UsageError(said + meant(wanted, (one.id for one in finding.fixes)))
    plan = Plan(
        *(finding.id, finding.subject, wanted, _("Nothing to do"), (), "low", True, False),
        consequence=finding.summary,
    )
    talk.line(_("nothing to do: {finding}", finding=lines.plain(finding)))
    talk.document(of_fix(plan, False, None, finding, ""))
    return exit_codes.OK


def _planned(offer: fixes.Offer) -> Plan:
    try:
        return offer.plan()
    except NotRecorded as error:
        raise UsageError(
            _("this recording does not know enough for a plan: {why}", why=harmless(heard(error)))
        ) from None
    except HostError as error:
        raise Refused(code_of(error), unchanged(error)) from None


class Making:
    """One plan on its way from the screen to the machine."""

    def __init__(
        self,
        session: Session,
        options: Options,
        talk: Talk,
        plan: Plan,
        finding: Finding | None = None,
        password: tuple[str, str] | None = None,
    ) -> None:
        """`finding` is what it is made for, where that is known; `password` whose new one the work leaves in
        which file, to be shown once."""
        self._session = session
        self._options = options
        self._talk = talk
        self._finding = finding
        self._plan = plan
        self._password = password
        self.applied = False

    def run(self) -> int:
        """Shows, asks, does; returns the exit code."""
        self._talk.plan(self._plan)
        if self._options.dry_run:
            return self._not_applied(exit_codes.OK)
        if not mending.works(self._plan):
            self._talk.line(_("There is nothing that the wizard would do itself; nothing was changed."))
            return self._not_applied(self._as_before())
        try:
            if not permitted(self._talk, self._session, self._plan, _("Do this?")):
                self._talk.line(_("Nothing was changed."))
                return self._not_applied(self._as_before())
            outcome = told(
                self._talk,
                self._session,
                lambda listen: mending.apply(self._session, self._plan, listen, back=self._options.yes),
            )
        except Refused as refusal:
            self._talk.document(of_fix(self._plan, False, None, None, str(refusal)))
            raise
        except Changed as error:
            return self._shown_again(str(error))
        except HostError as error:
            streams.say(unchanged(error))
            return self._not_applied(code_of(error), str(error))
        return self._ended(outcome)

    def _as_before(self) -> int:
        return exit_codes.of_findings([self._finding] if self._finding else [])

    def _not_applied(self, code: int, error: str = "") -> int:
        result = self._finding if not error and not self._options.dry_run else None
        self._talk.document(of_fix(self._plan, False, None, result, harmless(error)))
        return code

    def _shown_again(self, error: str) -> int:
        """A file is not what was shown: what would be done now is shown, and not done."""
        streams.say(unchanged(error))
        seen = mending.look(self._session, self._plan.check)
        for finding in seen.findings:
            for offer in seen.offers(finding):
                if finding.subject == self._plan.subject and offer.fix.id == self._plan.fix:
                    self._plan = _planned(offer)
                    self._talk.line(_("What would be done now:"))
                    self._talk.plan(self._plan)
        return self._not_applied(exit_codes.CANNOT_WRITE, error)

    def _ended(self, outcome: mending.Outcome) -> int:
        if outcome.state == "failed" and not self._options.yes and outcome.change:
            streams.say(_("it was stopped: {why}", why=harmless(heard(outcome.error))))
            if self._talk.ask(_("Take back what was done?"), otherwise=True):
                error = outcome.error
                outcome = told(
                    self._talk,
                    self._session,
                    lambda listen: mending.take_back(self._session, outcome.change, listen),
                )
                outcome = outcome._replace(error=outcome.error or error)
        self._talk.finding(outcome.finding)
        self.applied = outcome.state == "applied"
        if not self.applied:
            say_what_is(self._session, outcome)
        elif self._password:
            show_password(self._talk, *self._password)
        if is_unseen(outcome):
            say_unseen(self._plan, outcome)
        self._talk.document(of_fix(self._plan, self.applied, outcome.change, outcome.finding, outcome.error))
        return code_of_outcome(outcome)


def _new_password(plan: Plan) -> tuple[str, str] | None:
    """Whose new password a plan leaves in which file."""
    from mailcow_wizard.fixes.mail import PASSWORD_FILE, RESETS

    return ("admin", PASSWORD_FILE) if (plan.check, plan.fix) == RESETS else None


def show_password(talk: Talk, whose: str, file: str) -> None:
    """On a terminal a new password is shown, this once, and kept nowhere; else it stays in its file."""
    from mailcow_wizard.host.files.new_password import shown_once

    if talk.json or not streams.on_terminal():
        return
    password = shown_once(file)
    if password:
        talk.line(
            _(
                "The new password of {whose}, shown this once: {password}",
                whose=whose,
                password=harmless(password),
            )
        )
