"""The command `install`: the first install in stages, by a process of its own that this one follows."""

from __future__ import annotations

import time
from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.making import Refused, Talk, code_of, nobody_to_ask, takes_root, unchanged
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.engine.findings import from_fields
from mailcow_wizard.engine.obstacles import is_root, obstacle
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.install import after, first_password, following, going_on, outlook
from mailcow_wizard.install.standing import Choices, Record, Standing
from mailcow_wizard.language import _, called, heard
from mailcow_wizard.model import Finding
from mailcow_wizard.names import is_full
from mailcow_wizard.report import install as report
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    Answer = TypeVar("Answer")

_PROGRESS_EVERY_S = 5.0
_ORIGINS = {"guess": _(" (this machine's own name; --hostname names another)")}


def install(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    return in_session(options, write, lambda session, talk: _Install(session, options, talk).run())


def _milder(finding: Finding) -> Finding:
    """The first password is no failure of the install, and not nothing either."""
    return finding._replace(status="warn") if first_password.is_still_there(finding) else finding


class _Install:
    def __init__(self, session: Session, options: Options, talk: Talk) -> None:
        self._session = session
        self._options = options
        self._talk = talk
        self._record = Record(session.state)
        self._before = None if options.stop else self._told_first(lambda: outlook.standing_of(session))
        session.settings = going_on.settings(session, self._before)
        self._choices = self._chosen()
        self._told_at = 0.0
        self._told = ""

    def _chosen(self) -> Choices:
        """The line counts more than a file of answers, and that more than what was said when it was begun."""
        chosen = going_on.choices(self._session, self._before)
        return chosen._replace(
            repository=self._options.repository or chosen.repository,
            branch=self._options.branch or chosen.branch,
        )

    def run(self) -> int:
        """Shows, asks, begins, follows; returns the exit code."""
        if self._options.stop:
            return self._stop()
        if self._record.alive() and not self._options.dry_run:
            return self._join()
        here = self._told_first(lambda: outlook.present(self._session, self._before))
        if here:
            return self._present(here)
        return self._new()

    def _told_first(self, ask: Callable[[], Answer]) -> Answer:
        """What the machine tells before anything is begun. Raises Refused where it does not."""
        try:
            return ask()
        except HostError as error:
            raise Refused(code_of(error), unchanged(error)) from None

    def _stop(self) -> int:
        if following.stop(self._session):
            self._talk.line(_("It stops at the next place where nothing is half made."))
            self._document("running", "")
            return exit_codes.OK
        raise Refused(exit_codes.USAGE, _("no install is under way"))

    def _present(self, here: str) -> int:
        """Day two: what runs is not touched."""
        self._talk.line(
            _(
                "{here}. Nothing was changed; {command} shows how it is.",
                here=harmless(here),
                command=outlook.shown_by(self._session, called("./wizard verify")),
            )
        )
        start = outlook.starts(self._session)
        if start:
            self._talk.line(harmless(start, 1000))
        if self._before is not None and self._before.state == "done":
            self._show_after(self._before)
        self._document("present", here, remedies=(start,) if start else ())
        return exit_codes.OK

    def _new(self) -> int:
        name = self._session.hostname_if_known()
        directory = self._session.settings.directory
        unfit = self._unfit()
        if unfit and self._options.dry_run:
            streams.say(unfit)
        elif unfit and self._talk.can_ask():
            raise Refused(exit_codes.USAGE, unchanged(unfit))
        some = self._told_first(lambda: outlook.outlook(self._session, self._before, self._choices))
        stages = report.of_outlook(some)
        if not self._talk.json or self._talk.can_ask():
            origin = _ORIGINS.get(name.origin, "")
            columns = self._talk.columns
            self._talk.lines(report.outlook_lines(some, name.name, origin, directory, columns))
        if self._options.dry_run:
            self._talk.document(report.of_install(directory, name.name, "planned", stages, ""))
            return exit_codes.OK
        try:
            if not self._permitted():
                self._talk.line(_("Nothing was changed."))
                self._talk.document(report.of_install(directory, name.name, "planned", stages, ""))
                return exit_codes.OK
        except Refused as refusal:
            document = report.of_install(directory, name.name, "refused", stages, str(refusal))
            return self._talk.refused(refusal, document)
        try:
            standing = self._followed(lambda: following.start(self._session, self._choices, self._heard))
        except HostError as error:
            document = report.of_install(directory, name.name, "refused", stages, str(error))
            return self._talk.refused(Refused(code_of(error), unchanged(error)), document)
        return self._ended(standing)

    def _permitted(self) -> bool:
        trouble = obstacle(self._session, needs_root=False)
        if trouble:
            raise Refused(exit_codes.USAGE, unchanged(trouble))
        if not self._talk.yes and not self._talk.can_ask():
            raise Refused(exit_codes.USAGE, nobody_to_ask())
        if not is_root(self._session):
            raise Refused(exit_codes.NEEDS_ROOT, takes_root())
        unfit = self._unfit()
        if unfit:
            raise Refused(exit_codes.USAGE, unchanged(unfit))
        return self._talk.yes or self._talk.ask(_("Install mailcow?"))

    def _unfit(self) -> str:
        """Why the server's name, or the directory, does not do; empty where both do."""
        name = self._session.hostname_if_known().name
        if is_full(name):
            return outlook.unfit(self._session)
        return _(
            "'{name}' is not a full name, such as mail.example.org; give it with --hostname",
            name=harmless(name, 80),
        )

    def _join(self) -> int:
        """An install is under way already: it is shown."""
        if not self._talk.yes and not self._talk.can_ask():
            raise Refused(exit_codes.USAGE, _("an install is under way; with --yes this follows it"))
        self._talk.line(_("An install is under way; this follows it."))
        try:
            standing = self._followed(lambda: following.follow(self._session, self._heard))
        except HostError as error:
            raise Refused(exit_codes.CANNOT_WRITE, harmless(heard(error))) from None
        return self._ended(standing)

    def _followed(self, work: Callable[[], Standing]) -> Standing:
        """Interrupted it leaves; the install goes on, and somebody should know."""
        try:
            return work()
        except (KeyboardInterrupt, SystemExit):
            if self._record.alive():
                streams.say(
                    _("the install goes on by itself; ./wizard install shows it again, --stop stops it")
                )
            raise

    def _heard(self, heard: following.Heard) -> None:
        for line in heard.lines:
            stage, _colon, text = line.partition(": ")
            if stage != "begin" and text:
                self._talk.line(harmless(text, 600))
        progress, moment = heard.progress, time.monotonic()
        new = bool(progress.text) and progress.text != self._told
        if new and not heard.lines and moment - self._told_at >= _PROGRESS_EVERY_S:
            self._told, self._told_at = progress.text, moment
            self._talk.line(f"  … {harmless(progress.text)}")

    def _ended(self, standing: Standing) -> int:
        findings = tuple(from_fields(one) for one in standing.findings)
        if standing.state == "done":
            self._show_after(standing)
            self._document("done", "", standing)
            return exit_codes.of_findings(map(_milder, findings))
        self._talk.lines(report.stage_lines(standing, self._talk.columns))
        streams.say(harmless(heard(standing.error), 1000))
        self._talk.line(
            _("./wizard install goes on where it stopped. Log: {path}", path=self._record.log_path)
        )
        self._document(standing.state, standing.error, standing)
        return exit_codes.FAIL

    def _show_after(self, standing: Standing) -> None:
        now = after.current(self._session, standing)
        page = after.page(now, self._project(), self._record.log_path)
        self._talk.lines(report.after_lines(page, self._talk.columns))

    def _project(self) -> str:
        try:
            conf = self._session.new_facts().get(mailcow_conf)
        except HostError:
            return DEFAULT_PROJECT
        return conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)

    def _document(
        self, state: str, error: str, standing: Standing | None = None, remedies: tuple[str, ...] = ()
    ) -> None:
        known = standing or self._before
        settings = self._session.settings
        name = known.hostname if known else self._session.hostname_if_known().name
        self._talk.document(
            report.of_install(
                settings.directory,
                name,
                state,
                report.of_stages(known) if known else [],
                error,
                remedies or (known.remedies if known else ()),
                known.findings if known else (),
                self._record.log_path,
            )
        )
