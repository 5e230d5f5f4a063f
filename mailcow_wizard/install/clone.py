"""The stage of the download: mailcow's files with their whole history, in one step at their place."""

from __future__ import annotations

from mailcow_wizard.facts.checkout import checkout, git_files
from mailcow_wizard.facts.compose_files import BEFORE_IT, COMPOSE_FILE, OVERRIDES
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.run_as_root import changed_by, replaced_by
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.troubles import disk_remedies, of_end
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number, whole

_CLONE_S = 3 * 3600.0
_TRIES = 5
_PAUSE_S = 5.0
_WRITABLE_BY_OTHERS = 0o022
# What runs as root, or says what does: mailcow's script, and what Compose reads.
_RUN = (
    "generate_config.sh",
    "_modules",
    *BEFORE_IT,
    COMPOSE_FILE,
    *OVERRIDES,
    "mailcow.conf",
    ".env",
)
_NEEDED = (COMPOSE_FILE, "generate_config.sh", ".git")
# A line that brings less than this many bytes a second, for so many seconds, is given up and tried again.
_VARIABLES = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_HTTP_LOW_SPEED_LIMIT": "500",
    "GIT_HTTP_LOW_SPEED_TIME": "60",
}


def part_of(directory: str) -> str:
    """Where it is downloaded to, before it gets its real name."""
    above, _slash, name = directory.rpartition("/")
    return f"{above}/.{name}.mailcow-wizard"


def argv(repository: str, branch: str, directory: str) -> tuple[str, ...]:
    """The command that downloads."""
    return ("git", "clone", "--progress", "--branch", branch, "--", repository, directory)


def run(job: Job) -> str:
    """Clones, or uses what is there. Raises Failed."""
    # A link that leads to another disk stays one.
    real = job.changing.real(job.directory)
    part = part_of(real)
    job.changing.remove_tree(part)
    here = job.facts().get(place)
    if here.names:
        if all(one in here.names for one in _NEEDED[:2]):
            return _examined(job)
        names = ", ".join(here.names[:3])
        raise Failed(
            _("{directory} holds something else than mailcow: {names}", directory=job.directory, names=names),
            (_("Choose another directory with --dir, or move that away."),),
        )
    _clone(job, part)
    for name in _NEEDED:
        if not job.session.host.exists(f"{part}/{name}"):
            job.changing.remove_tree(part)
            raise Failed(
                _(
                    "{repository} does not hold mailcow: it has no {name}",
                    repository=job.standing.choices.repository,
                    name=name,
                )
            )
    try:
        job.changing.put_in_place(part, real)
    except HostError as error:
        job.changing.remove_tree(part)
        raise Failed(
            str(error), (_("Choose a directory that is not a mount of its own, with --dir."),)
        ) from None
    return _("{directory}, branch {branch}", directory=job.directory, branch=job.standing.choices.branch)


def _examined(job: Job) -> str:
    """A checkout that is there is used as it is; what is wrong with it is found with the configuration.

    Its scripts run as root: what somebody else may change is not used.
    """
    found = job.facts().get(checkout)
    info = job.session.host.info(job.directory)
    if info.uid or any(one.uid for one in found.owners):
        raise Failed(
            _(
                "{directory} does not belong to root, and its scripts would run as root",
                directory=job.directory,
            ),
            (_("Look at it, then: chown -R root:root {directory}", directory=job.directory),),
        )
    if info.mode & _WRITABLE_BY_OTHERS:
        raise Failed(
            _(
                "{directory} may be changed by others than root, and its scripts would run as root",
                directory=job.directory,
            ),
            (_("Look at it, then: chmod go-w {directory}", directory=job.directory),),
        )
    nobody_else_changes(job)
    if found.branch and found.branch != job.standing.choices.branch:
        job.tell(
            _(
                "{directory} is on branch {branch}; it stays there",
                directory=job.directory,
                branch=found.branch,
            )
        )
    if not found.branch:
        return _("{directory} was there already and is used", directory=job.directory)
    return _(
        "{directory} was there already and is used (branch {branch})",
        directory=job.directory,
        branch=found.branch,
    )


def nobody_else_changes(job: Job) -> None:
    """What mailcow's directory makes root run could be changed by root alone. Raises Failed."""
    host = job.session.host
    try:
        git = git_files(host, job.directory)
    except Missing:
        git = ()
    except HostError as error:
        raise Failed(str(error)) from None
    if who := changed_by(host, (*(f"{job.directory}/{name}" for name in _RUN), *git)):
        raise Failed(
            _("{who}, and what is in {directory} would run as root", who=who, directory=job.directory),
            (*_moved(job), _("Look at it, then give it to root alone: chown root:root, chmod go-w.")),
        )


def _moved(job: Job) -> tuple[str, ...]:
    """What helps where it is a directory above, unless that is /opt itself: a home that is root's is none any
    more."""
    above, _slash, name = job.directory.rpartition("/")
    if above == "/opt" or not replaced_by(job.session.host, job.directory):
        return ()
    return (
        _(
            "If that is a home it stays its owner's: mv {directory} /opt/, then start with --dir /opt/{name}",
            directory=job.directory,
            name=name,
        ),
    )


def _clone(job: Job, part: str) -> None:
    choices = job.standing.choices
    above = part.rpartition("/")[0]
    job.changing.make_directory(above or "/")
    for number in range(1, _TRIES + 1):
        said: list[str] = []

        def listen(line: str, said: list[str] = said) -> None:
            if "%" in line:
                job.progress(line.strip(), *_percent(line))
            else:
                said.append(line)
                job.tell(f"  {line}")

        code = job.run(argv(choices.repository, choices.branch, part), _CLONE_S, listen, variables=_VARIABLES)
        if code == 0:
            return
        job.changing.remove_tree(part)
        trouble = of_end(code, said)
        if not trouble.again or number == _TRIES:
            remedies = disk_remedies(above) if trouble.kind == "disk" else trouble.remedies
            raise Failed(_("mailcow's files could not be downloaded: {words}", words=trouble.words), remedies)
        job.tell(
            _(
                "{trouble}; tries again ({number} of {tries})",
                trouble=trouble.words,
                number=number + 1,
                tries=_TRIES,
            )
        )
        job.wait(_PAUSE_S * number)


def _percent(line: str) -> tuple[int, int]:
    said = line.partition("%")[0].rpartition(" ")[2]
    return (whole(said), 100) if is_number(said) else (0, 0)
