"""The process that installs: it goes on when the face that began it is gone, and stops between two steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.answers.collecting import collect
from mailcow_wizard.answers.writing import save
from mailcow_wizard.engine import lock
from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.worker import settings_of
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import far_mailbox
from mailcow_wizard.host.files.log import LogFile
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.processes import detached, handing_on
from mailcow_wizard.host.programs import lexicon
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.install import spoken
from mailcow_wizard.install.job import Failed, Job, Stopped
from mailcow_wizard.install.lasting import lasts
from mailcow_wizard.install.stages import ALWAYS, STAGES, logged
from mailcow_wizard.install.standing import Record, StageState, Stand, Standing
from mailcow_wizard.language import _, heard

_LOCKED = 75


def main(words: Sequence[str]) -> int:
    """Goes on with the install of a state directory, where its run is still the one that is named."""
    place, run = words
    stopping = detached.Stopping()
    state = StateDirectory(place)
    record = Record(state)
    begun = record.load()
    # Before it takes the lock: then who began it knows that they are taken.
    given = record.take_credentials()
    lexicon.adopt(given)
    far_mailbox.adopt(given)
    try:
        held = _held(state, lock.of_install(begun.directory) if begun else ())
    except HostError:
        return _LOCKED
    standing = record.load()
    if standing is None or standing.run != run:
        held.close()
        return _LOCKED
    try:
        log = LogFile(record.log_path, f"begin: mailcow-wizard {__version__}, run {run}")
        session = Session(RealHost(variables=record.proxies()), settings_of(standing.settings), state)
        Installing(Job(session, record, standing, log.write, lambda: stopping.asked)).run()
    except HostError as error:
        _note(record, record.load() or standing, str(error))
    except Exception as error:  # the faces have to hear of a defect, too
        said = _(
            "a defect of the wizard: {name}: {words}",
            name=type(error).__name__,
            words=harmless(str(error), 200),
        )
        _note(record, record.load() or standing, said)
    held.close()
    return 0


def _held(state: StateDirectory, beside: Sequence[str]) -> lock.Lock:
    """The locks, as who began the install hands them on; where nobody does any more, anew. Raises
    HostError."""
    descriptors = handing_on.fetch(state.path)
    if descriptors:
        return lock.adopt(state, descriptors, lock.INSTALL)
    return lock.take(state, lock.INSTALL, beside)


def _note(record: Record, standing: Standing, error: str) -> None:
    try:
        record.save(standing._replace(state="failed", error=error, remedies=(), findings=()))
    except HostError:
        return


class Installing:
    """Does the stages that are not done."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def run(self) -> None:
        """To the end, to the first stage that fails, or until it is asked to stop."""
        job = self._job
        # What failed the last time has not failed yet.
        stages = tuple(Stand(one.id) if one.state == "failed" else one for one in job.standing.stages)
        job.stand(state="running", error="", remedies=(), findings=(), ended="", stages=stages)
        job.read_secrets()
        try:
            job.settle()
            for stage in STAGES:
                if self._is_done(stage.id):
                    continue
                job.stage = stage.id  # what is asked to stop here stops before this one: the last is done
                job.may_stop()
                self._one(stage.id)
            job.stand(state="done", ended=job.now())
            self._keep_answers()
            job.tell(_("mailcow is installed"))
        except Stopped:
            begun = self._stand(job.stage).state == "running"
            self._mark(job.stage, "waiting", _("stopped here, as was asked for"))
            job.stand(state="stopped", error=_left(job.standing, begun), ended=job.now())
            job.tell(job.standing.error)
        except Failed as failure:
            self._failed(failure)
        except HostError as error:
            self._failed(Failed(str(error)))

    def _is_done(self, stage: str) -> bool:
        """Whether what the stage did still stands."""
        if self._stand(stage).state != "done" or stage in ALWAYS:
            return False
        return lasts(stage, self._job.facts())

    def _keep_answers(self) -> None:
        """Writes down what the same install would take, on another machine."""
        job = self._job
        try:
            standing = job.standing
            path = save(job.session.state, collect(job.session, standing.choices, standing.changes))
        except Exception as error:  # the install is done, whatever is wrong with this
            job.tell(_("the answers of this install are not written: {why}", why=heard(error)))
            return
        job.stand(answers=path)
        job.tell(_("the answers of this install, for another one: {file}", file=path))

    def _one(self, stage: str) -> None:
        job = self._job
        self._mark(stage, "running")
        job.progress("", now=True)
        job.tell(f"== {logged(stage)}")
        note = _work_of(stage)(job)
        self._mark(stage, "done", job.shown(note))
        job.tell(_("done: {note}", note=note))

    def _failed(self, failure: Failed) -> None:
        job = self._job
        error = job.shown(str(failure))
        self._mark(job.stage, "failed", error)
        job.tell(_("failed: {why}", why=error))
        for one in failure.remedies:
            job.tell(f"{spoken.REMEDY}{one}")
        found = tuple(of_finding(one) for one in failure.findings)
        remedies = tuple(job.shown(one) for one in failure.remedies)
        job.stand(state="failed", error=error, remedies=remedies, findings=found, ended=job.now())

    def _stand(self, stage: str) -> Stand:
        return next(one for one in self._job.standing.stages if one.id == stage)

    def _mark(self, stage: str, state: StageState, note: str = "") -> None:
        job = self._job
        began = job.now() if state == "running" else self._stand(stage).began
        ended = job.now() if state in ("done", "failed") else ""
        made = Stand(stage, state, note, began, ended)
        job.stand(stages=tuple(made if one.id == stage else one for one in job.standing.stages))


def _work_of(stage: str) -> Callable[[Job], str]:
    """A stage's work; its module is imported when it begins."""
    work: Callable[[Job], str] = __import__(f"mailcow_wizard.install.{stage}", fromlist=["run"]).run
    return work


def _left(standing: Standing, begun: bool) -> str:
    """What is there when somebody stopped it; `begun`: amid a stage, which has done a part of its work (it
    may have started containers)."""
    done = [logged(one.id) for one in standing.stages if one.state == "done"]
    stage = logged(standing.stage)
    if begun and (done or standing.changes):
        return _(
            "stopped in {stage}; done: {done}",
            stage=stage,
            done=", ".join(done) or _("nothing"),
        )
    if not done:
        return _("stopped before {stage}; nothing was changed", stage=stage)
    return _("stopped before {stage}; done: {done}", stage=stage, done=", ".join(done))
