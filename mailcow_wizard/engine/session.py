"""One sitting at one machine: what was answered, what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from mailcow_wizard.engine.given import Answers as Answers
from mailcow_wizard.engine.given import Given
from mailcow_wizard.engine.runner import Listen, Mark, Run, Whole
from mailcow_wizard.facts.identity import Hostname, hostname
from mailcow_wizard.facts.mailcow_conf import pairs
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Check, Event, Finding, Settings
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeVar

    Answer = TypeVar("Answer")

_ANSWERS = "answers"
_NAME = "MAILCOW_HOSTNAME"
_SETTING = pattern(r"[A-Z][A-Z0-9_]*=[^\n]*")


class Result(NamedTuple):
    """A run: the server's name, when it began (seconds since 1970), how long it took (s), the findings."""

    hostname: str
    started: float
    duration: float
    findings: tuple[Finding, ...]


class Session:
    """The machine, the settings and the saved answers, for whichever face."""

    def __init__(
        self,
        host: Host,
        settings: Settings,
        state: StateDirectory,
        log: Callable[[str], None] | None = None,
        recorded: bool = False,
        given: Given | None = None,
        named: bool = False,
    ) -> None:
        """What is `given` by a file of answers stands in the place of saved ones."""
        self.host = host
        self.named = named
        """Whether mailcow's directory was named, and is not only the usual one."""
        self.recorded = recorded
        """Whether it is a recorded machine, which is remembered apart from this one."""
        self._log = log
        self.state = state
        self.given = given or Given()
        saved, said = self._saved(), self.given.answers
        self._known = saved
        self.answers = Answers(
            said.hostname or saved.hostname, said.domains or saved.domains, saved.step, saved.conf
        )
        self.settings = settings._replace(
            saved_hostname=self.answers.hostname or settings.saved_hostname,
            domains=settings.domains or self.answers.domains,
            conf=joined(saved.conf, settings.conf),
        )
        self.facts = self.new_facts()
        """What the last run asked."""

    def new_facts(self) -> Facts:
        """An empty store: what is asked through it is asked anew."""
        return Facts(self.host, self.settings)

    def hostname(self) -> Hostname:
        """The server's name by the contract's precedence. Raises HostError where a recording does not hold
        even the machine's own."""
        return hostname(self.new_facts())

    def hostname_if_known(self) -> Hostname:
        """The same; an empty one, to be typed, where the recording does not hold it."""
        return _or(Hostname("", "guess"), self.hostname)

    def run(self, checks: Sequence[Check], listen: Listen, whole: Whole | None = None) -> Result:
        """Runs checks over fresh facts; `listen`, and the log, hear of each as it ends. `whole` gives all of
        them, where these are those that begin first."""
        facts = self.facts = self.new_facts()
        started = _or(0.0, self.host.now)
        begin = time.monotonic()
        findings = self.prepare(checks, facts, listen, whole).run()
        took = time.monotonic() - begin
        return Result(_or("", lambda: hostname(facts).name), started, took, findings)

    def prepare(
        self, checks: Sequence[Check], facts: Facts, listen: Listen, whole: Whole | None = None
    ) -> Run:
        """A run of these checks over these facts, whose events also go to the log."""

        def tell(event: Event) -> None:
            self._note(event)
            listen(event)

        return Run(checks, facts, tell if self._log else listen, self._mark(), whole)

    def _mark(self) -> Mark | None:
        """What marks findings as acknowledged; nothing where nothing is."""
        if not self.given.accepted and not self.state.has("acknowledgements"):
            return None
        from mailcow_wizard.engine.acknowledging import Acknowledgements

        return Acknowledgements(self.state, self.given.accepted).mark

    def take_over(self) -> None:
        """Remembers what a file answered, as if it had been said here. Raises HostError."""
        from mailcow_wizard.engine.acknowledging import Acknowledgements

        if self.given == Given():
            return
        self.keep(self.answers, named=False)
        Acknowledgements(self.state).take_over(self.given.accepted)

    def choose(self, values: Mapping[str, str]) -> None:
        """Remembers, by key, what a mailcow.conf is to hold that an install will make. Raises HostError where
        it cannot be written."""
        said = [f"{key}={value}" for key, value in values.items() if key != _NAME]
        name = values.get(_NAME, "")
        kept = joined(self.answers.conf, said)  # what a file answers stays in that file
        answers = self.answers._replace(conf=kept)
        if name:  # the domains of the command line go on to count beside it
            answers = answers._replace(hostname=name, domains=self.settings.domains)
        self.keep(answers, named=bool(name))
        self.settings = self.settings._replace(conf=joined(self.settings.conf, said))

    def chosen_is_written(self) -> None:
        """Forgets that: it stands in a mailcow.conf now. Raises HostError where it cannot be written."""
        if self.answers.conf:
            self.keep(self.answers._replace(conf=()), named=False)

    def note(self, text: str) -> None:
        """Adds a line to the log, if there is one."""
        if self._log is not None:
            self._log(text)

    def _note(self, event: Event) -> None:
        if self._log is None:
            return
        if event.kind == "started":
            self._log(f"{event.check} started")
        for one in event.findings:
            name = f"{one.id} [{one.subject}]" if one.subject else one.id
            self._log(f"{name} {one.status} after {one.duration_ms} ms: {one.summary}")

    def keep(self, answers: Answers, named: bool = True) -> None:
        """Remembers answers for this and later sessions. Raises HostError where they cannot be written.

        Unless the names were asked for, those of the command line go on to count. A server's name that
        mailcow.conf holds counts more than one that was typed.
        """
        if named:
            known = _or(None, self.hostname)
            configured = known.name if known and known.origin == "mailcow.conf" else ""
            answers = answers._replace(hostname=configured or answers.hostname)
            said = "" if configured else answers.hostname
            self.settings = self.settings._replace(hostname=said, domains=answers.domains)
        # What another session has kept since stays, but for what is said in this one.
        before = self._known._asdict()
        said_here = {name: one for name, one in answers._asdict().items() if one != before[name]}
        self.answers = self._saved()._replace(**said_here)
        lists = {"domains": list(self.answers.domains), "conf": list(self.answers.conf)}
        self.state.save(_ANSWERS, {**self.answers._asdict(), **lists})
        self._known = self.answers

    def _saved(self) -> Answers:
        return _answers(self.state.load(_ANSWERS))


def _or(otherwise: Answer, ask: Callable[[], Answer]) -> Answer:
    """What `ask` says, or `otherwise` on a recorded machine that does not say."""
    try:
        return ask()
    except HostError:
        return otherwise


def _answers(saved: object) -> Answers:
    """Saved answers, as far as they have the shape that they should have."""
    if not isinstance(saved, dict):
        return Answers()
    texts = {name: saved[name] for name in ("hostname", "step") if isinstance(saved.get(name), str)}
    conf = tuple(one for one in _texts(saved.get("conf")) if _SETTING.fullmatch(one))
    return Answers(**texts, domains=_texts(saved.get("domains")), conf=conf)


def _texts(saved: object) -> tuple[str, ...]:
    return tuple(one for one in saved if isinstance(one, str)) if isinstance(saved, list) else ()


def joined(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """Settings as KEY=value, each key once: what comes after counts."""
    return tuple(f"{key}={value}" for key, value in pairs((*before, *after)).items())
