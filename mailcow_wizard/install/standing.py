"""How far an install came: on disk after every step, so that any kill leaves a place to go on from."""

from __future__ import annotations

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.given import Allowed, FirstMailbox
from mailcow_wizard.engine.given import Choices as Choices
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.log import last_with, size, tail
from mailcow_wizard.host.files.state import StateDirectory, obstacle
from mailcow_wizard.install.record_shape import examine
from mailcow_wizard.install.stages import STAGES
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal

    State = Literal["running", "stopped", "failed", "done"]
    StageState = Literal["waiting", "running", "done", "failed"]
else:
    State = StageState = str

NAME = "install"
_PROGRESS = "install-progress"
_SECRETS = "install-secrets"
_PROXIES = "install-proxies"
_CREDENTIALS = "install-credentials"
_LOG = "install.log"

STARTED = "started"
"""The mark that containers were about to be made: what listens may be mailcow itself."""


class Stand(NamedTuple):
    """A stage's state; `note` is what came of it in one line, `began` and `ended` are ISO 8601 (empty: not
    yet)."""

    id: str
    state: StageState = "waiting"
    note: str = ""
    began: str = ""
    ended: str = ""


class Running(NamedTuple):
    """A command that is under way: its process, the mark in its environment, and for how many seconds it is
    waited for when this program was killed meanwhile (0: it is ended at once, and run again)."""

    pid: int
    mark: str
    patience: float


class Standing(NamedTuple):
    """An install as it stands.

    `run` tells this attempt from others; `settings` are those of the session. `error` says why it stands
    still, `remedies` what helps, `findings` (as JSON) what was found, `notes` what the first checks found
    worth a look. `marks` are words that a stage leaves for itself, `change` is the change of the journal that
    is under way, `changes` are all that it made. `answers` is the file that says what the same
    install would take (empty: none yet).
    """

    run: str
    state: State
    begun: str
    directory: str
    hostname: str
    settings: dict[str, Any]
    choices: Choices
    stages: tuple[Stand, ...]
    error: str = ""
    remedies: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    running: Running | None = None
    change: str = ""
    changes: tuple[str, ...] = ()
    ended: str = ""
    answers: str = ""

    @property
    def stage(self) -> str:
        """The stage that is under way or comes next; the last one's name where all are done."""
        return next((one.id for one in self.stages if one.state != "done"), self.stages[-1].id)


class Progress(NamedTuple):
    """How far the stage under way is, in one line, and as two numbers of any unit (0: nobody knows)."""

    stage: str = ""
    text: str = ""
    done: int = 0
    whole: int = 0


def fresh(run: str, at: str, hostname: str, settings: dict[str, Any], choices: Choices) -> Standing:
    """An install that has not begun."""
    stages = tuple(Stand(one.id) for one in STAGES)
    return Standing(run, "running", at, settings["directory"], hostname, settings, choices, stages)


class Unreadable(HostError):
    """An install's record holds what this version does not know."""

    def __init__(self, path: str) -> None:
        said = _("{path} is not readable for this wizard: a newer one wrote it, or it is damaged", path=path)
        super().__init__(f"{said}; {_('where it is moved away, install begins anew')}")


class Record:
    """The install of one state directory. Looking needs no lock; whoever writes holds it."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state

    @property
    def log_path(self) -> str:
        """Where what it did is written down, with times."""
        return f"{self._state.path}/{_LOG}"

    def load(self) -> Standing | None:
        """How it stands; None where there is no install, or none that can be read."""
        try:
            return self.look()
        except Unreadable:
            return None

    def look(self) -> Standing | None:
        """How it stands; None where there is no install. Raises Unreadable."""
        if not self._state.has(NAME):
            return None
        try:
            return _standing(self._state.load(NAME))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise Unreadable(f"{self._state.path}/{NAME}.json") from None

    def save(self, standing: Standing) -> None:
        """On disk before this returns, on a full one too where room was kept for it. Raises HostError."""
        fields = standing._asdict()
        fixes = [list(one) for one in standing.choices.fixes]
        mailbox = list(standing.choices.mailbox)
        fields["choices"] = {**standing.choices._asdict(), "fixes": fixes, "mailbox": mailbox}
        fields["stages"] = [one._asdict() for one in standing.stages]
        fields["running"] = standing.running._asdict() if standing.running else None
        try:
            self._state.save(NAME, fields)
        except HostError:
            if not self._state.release_room():
                raise
            self._state.save(NAME, fields)
        if standing.state == "done":
            self._state.release_room()

    def obstacle(self) -> str:
        """Why it cannot be written down how it stands; empty: it can be."""
        return obstacle(f"{self._state.path}/{NAME}.json")

    def keep_room(self) -> None:
        """Keeps room for how it ends: what it fetches may fill the disk."""
        self._state.keep_room()

    def alive(self) -> bool:
        """Whether an install is under way at this moment."""
        holder = lock.holder(self._state)
        return holder is not None and holder.change == lock.INSTALL

    def progress(self) -> Progress:
        """How far the stage under way is."""
        said = self._state.load(_PROGRESS)
        try:
            found = Progress(**said)
        except TypeError:
            return Progress()
        kinds = [type(one) for one in found]
        return found if kinds == [str, str, int, int] else Progress()

    def save_progress(self, progress: Progress) -> None:
        """For those who follow; it may be lost. Raises HostError."""
        self._state.save(_PROGRESS, progress._asdict(), durable=False)

    def secrets(self) -> dict[str, str]:
        """The passwords of a configuration that is not written yet."""
        return self._texts(_SECRETS)

    def save_secrets(self, secrets: dict[str, str]) -> None:
        """Keeps them, for root alone; {} forgets them. Raises HostError."""
        self._state.save(_SECRETS, secrets)

    def proxies(self) -> dict[str, str]:
        """The variables that name the proxy, of who began it; an address may hold a password."""
        return self._texts(_PROXIES)

    def save_proxies(self, proxies: dict[str, str]) -> None:
        """Keeps them, for root alone. Raises HostError."""
        self._state.save(_PROXIES, proxies)

    def _texts(self, name: str) -> dict[str, str]:
        said = self._state.load(name)
        return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}

    def hand_credentials(self, variables: dict[str, str]) -> None:
        """Puts down what a DNS provider or a mailbox elsewhere asks for, for the process at work; for root
        alone. Raises HostError."""
        self.forget_credentials()
        if variables:
            self._state.save(_CREDENTIALS, variables, durable=False)

    def take_credentials(self) -> dict[str, str]:
        """What was put down; nobody finds it there any more."""
        said = self._state.load(_CREDENTIALS)
        self.forget_credentials()
        return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}

    def forget_credentials(self) -> None:
        """Nobody will take it."""
        self._state.forget(_CREDENTIALS)

    def log_end(self) -> int:
        """Where the log ends now."""
        return size(self.log_path)

    def log_begin(self) -> int:
        """Where the log of the last run begins."""
        return last_with(self.log_path, b"begin: ")

    def log_lines(self, start: int) -> tuple[tuple[str, ...], int]:
        """The whole lines behind this byte, without their times, and where they end; those of a piece where
        it is much, and all where the log was emptied since."""
        start = start if start <= size(self.log_path) else 0
        data = tail(self.log_path, start)
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.decode("utf-8", "replace").splitlines()
        return tuple(line.partition(" ")[2] for line in lines), start + len(whole)


def _standing(said: dict[str, Any]) -> Standing:
    examine(said)
    running = said["running"]
    # One that was begun by an older version may have fewer stages.
    stages = {one["id"]: Stand(**one) for one in said["stages"]}
    return Standing(
        **{
            **said,
            "choices": _choices(said["choices"]),
            "stages": tuple(stages.get(one.id, Stand(one.id)) for one in STAGES),
            "running": Running(**running) if running else None,
            **{name: tuple(said[name]) for name in ("remedies", "findings", "notes", "marks", "changes")},
        }
    )


def _choices(said: dict[str, Any]) -> Choices:
    """An install that was begun by an older version has fewer of them."""
    fixes = tuple(Allowed(*one) for one in said.get("fixes", ()))
    mailbox = FirstMailbox(*said.get("mailbox", ()))
    return Choices(**{**said, "fixes": fixes, "mailbox": mailbox})
