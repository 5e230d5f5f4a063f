"""One sitting at one machine: what was answered, what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mailcow_wizard.engine.given import Answers as Answers
from mailcow_wizard.engine.given import Given
from mailcow_wizard.engine.runner import Listen, Mark, Run, Whole
from mailcow_wizard.facts.identity import Hostname, hostname
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Check, Event, Finding, Settings
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeVar

    Answer = TypeVar("Answer")

_ANSWERS = "answers"


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
        self.answers = Answers(said.hostname or saved.hostname, said.domains or saved.domains, saved.step)
        self.settings = settings._replace(
            saved_hostname=self.answers.hostname or settings.saved_hostname,
            domains=settings.domains or self.answers.domains,
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
        self.state.save(_ANSWERS, {**self.answers._asdict(), "domains": list(self.answers.domains)})
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
    domains = saved.get("domains")
    known = tuple(one for one in domains if isinstance(one, str)) if isinstance(domains, list) else ()
    return Answers(**texts, domains=known)
