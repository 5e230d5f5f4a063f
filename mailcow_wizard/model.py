"""What the engine and the faces speak of: findings, checks, events. Immutable, no behaviour of their own."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Status = Literal["pass", "warn", "fail", "unknown", "skipped", "crashed"]
    Severity = Literal["blocks", "breaks", "degrades", "advice"]
    Certainty = Literal["proved", "inferred", "untested"]
    Risk = Literal["low", "medium", "high"]
    Kind = Literal["started", "finished", "done"]
    Per = Literal["", "family", "name", "domain"]
    Stops = Literal["", "here", "names", "way", "there"]
else:
    Status = Severity = Certainty = Risk = Kind = Stops = str

STATUSES: tuple[Status, ...] = ("pass", "warn", "fail", "unknown", "skipped", "crashed")
SEVERITIES: tuple[Severity, ...] = ("blocks", "breaks", "degrades", "advice")
CERTAINTIES: tuple[Certainty, ...] = ("proved", "inferred", "untested")
RISKS: tuple[Risk, ...] = ("low", "medium", "high")
STOPS: tuple[Stops, ...] = ("", "here", "names", "way", "there")
"""Where packets end too early: nowhere, on this machine, at its resolver, on the way, at the far side."""


class Evidence(NamedTuple):
    """How to see it by hand: the command or file, and what it showed here."""

    what: str
    value: str


class Fix(NamedTuple):
    """A change that is on offer for a finding (contract: `fixes`)."""

    id: str
    title: str
    risk: Risk
    reversible: bool
    needs_root: bool


class Edit(NamedTuple):
    """A step of a plan: a file's whole content before and after; None where there is no file.

    An existing file keeps its mode and owner; a new one gets `mode`, and belongs to who makes it.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


class Proof(NamedTuple):
    """A command that only looks, whose exit code 0 shows that something was really taken back; `otherwise`
    says what is wrong where it fails, as part of a sentence (`nginx.service does not run`)."""

    argv: tuple[str, ...]
    otherwise: str


class Place(NamedTuple):
    """A place that somebody listened at: `names` are the units, the container or the process that did."""

    names: tuple[str, ...]
    address: str
    port: int
    v6only: bool = False


class Command(NamedTuple):
    """A step of a plan: a command, and those that take it back, in the order in which they run.

    `undo` is made from the state that was found (a unit that was not enabled is not enabled again).
    `timeout` is in seconds. `undo_optional`: an undo that fails is told and is no failure (a kernel module
    that is in use by then stays loaded). After a kill nobody knows how far a command came: it, or its undo,
    may run once more, and should do no harm then. `proofs` are looked at, with some patience, when it was
    taken back, whatever came of it. `places` are where what is started again listens: while somebody else has
    one of them it is not taken back.
    """

    argv: tuple[str, ...]
    undo: tuple[tuple[str, ...], ...] = ()
    timeout: float = 120.0
    undo_optional: bool = False
    proofs: tuple[Proof, ...] = ()
    places: tuple[Place, ...] = ()


class Manual(NamedTuple):
    """A step of a plan that only a person can do, or should know, in words."""

    text: str


if TYPE_CHECKING:
    PlanStep: TypeAlias = Edit | Command | Manual


class Plan(NamedTuple):
    """A change, as data: it can be shown, refused, applied and taken back (contract: `plan`).

    `consequence` is one sentence on what is different afterwards; `interrupts` names what stops working
    meanwhile or from then on, empty where nothing does. `settle` is how many seconds the check may need to
    see the change (Debian's postfix frees its port after systemctl has returned). `confirm`: the change may
    cut off who makes it; it takes itself back after so many seconds, unless somebody says that all is well.
    """

    check: str
    subject: str | None
    fix: str
    title: str
    steps: tuple[PlanStep, ...]
    risk: Risk
    reversible: bool
    needs_root: bool
    consequence: str
    interrupts: str = ""
    settle: float = 0.0
    confirm: float = 0.0


class Judgement(NamedTuple):
    """What a pure judge says of the facts. The runner joins it with its check into a `Finding`.

    `summary` is one line; `found` what there is; `remedies` what mends it, in words, best first.
    `severity`, `needed`, `why` and `doc` replace the check's own where one case differs from the others.
    `stops` is where packets end, of what is about getting out. `left_to_install`: by hand it has to be
    mended; an install by the wizard settles it, with nothing to apply before.
    """

    status: Status
    summary: str
    found: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    certainty: Certainty = "proved"
    severity: Severity | None = None
    needed: str | None = None
    why: str | None = None
    doc: str | None = None
    subject: str | None = None
    stops: Stops = ""
    left_to_install: bool = False


class Check(NamedTuple):
    """One thing that mailcow needs: where its facts come from and how they are judged.

    `source` asks the machine, a function of `facts.store.Facts` (so that each source is read once a run);
    `judge` is pure, and gives one judgement, or one for each subject. `after` names checks whose failure
    makes this one pointless; `network` says that it sends packets (`--offline` skips it); `deadline` is in
    seconds. `per` says what its results are told apart by, where that is known without an answer: families of
    addresses, the server's name, its mail domains.
    """

    id: str
    title: str
    needed: str
    why: str
    doc: str
    severity: Severity
    source: Callable[[Any], Any]
    judge: Callable[[Any], Judgement | tuple[Judgement, ...]]
    after: tuple[str, ...] = ()
    network: bool = False
    deadline: float = 10.0
    per: Per = ""

    @property
    def step(self) -> str:
        """The wizard's step that shows this check."""
        return _step_of(self.id)

    @property
    def listed(self) -> Listed:
        """Its words, for a list."""
        return Listed(self.id, self.title, self.needed, self.severity)


class Listed(NamedTuple):
    """What a list shows of a check before there is a finding: words, and nothing that asks or judges, whose
    modules take longer to import than the screen does."""

    id: str
    title: str
    needed: str
    severity: Severity

    @property
    def step(self) -> str:
        """The wizard's step that shows this check."""
        return _step_of(self.id)


def _step_of(check: str) -> str:
    topic = check.partition(".")[0]
    return STEP_OF_TOPIC.get(topic, topic)


class Step(NamedTuple):
    """A step of the wizard: its id and the words for it."""

    id: str
    title: str
    about: str


class Acknowledgement(NamedTuple):
    """Somebody has seen a finding and accepts it. Dates are ISO 8601."""

    reason: str
    by: str
    at: str
    until: str | None


class Finding(NamedTuple):
    """A check's result (contract: an element of `checks`), `remedies` in words; the last two are the
    judgement's."""

    id: str
    subject: str | None
    step: str
    title: str
    status: Status
    severity: Severity
    certainty: Certainty
    summary: str
    needed: str
    found: str
    why: str
    doc: str
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    acknowledged: Acknowledgement | None = None
    duration_ms: int = 0
    stops: Stops = ""
    left_to_install: bool = False


class Event(NamedTuple):
    """What the runner tells a face. `started` and `finished` name a check; `finished` brings its findings;
    `done` comes last."""

    kind: Kind
    check: str = ""
    findings: tuple[Finding, ...] = ()


class Settings(NamedTuple):
    """What the administrator said, by option or on a screen. Empty means: find out.

    `saved_hostname` comes from an earlier session and counts less than mailcow.conf. `tsig` is the path of a
    key file, `dns_server` the address that dynamic updates go to, `dns_provider` dns-lexicon's name of one.
    `mailbox` is one that test messages may use, `mailbox_password` the path of the file with its password;
    `far_mailbox`, `far_imap` (server, or server:port) and `far_password` are the same of one elsewhere.
    `conf` is what mailcow.conf will hold where there is none yet, each as KEY=value.
    """

    directory: str = "/opt/mailcow-dockerized"
    hostname: str = ""
    saved_hostname: str = ""
    domains: tuple[str, ...] = ()
    offline: bool = False
    timeout: float | None = None
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    ntp: tuple[str, ...] = ()
    tsig: str = ""
    dns_server: str = ""
    dns_provider: str = ""
    mailbox: str = ""
    mailbox_password: str = ""
    far_mailbox: str = ""
    far_imap: str = ""
    far_password: str = ""
    conf: tuple[str, ...] = ()

    def within(self, name: str) -> str:
        """The path of what is called so in mailcow's directory."""
        return f"{self.directory.rstrip('/')}/{name}"


STEP_OF_TOPIC = {"firewall": "network", "reputation": "dns", "mail": "verify"}

STEPS: tuple[Step, ...] = (
    Step("system", _("System"), _("processor, memory, disk, operating system")),
    Step("kernel", _("Kernel"), _("version, modules, limits")),
    Step("ports", _("Ports"), _("the thirteen ports that mailcow listens on")),
    Step("network", _("Network"), _("addresses, routes, firewall")),
    Step("dns", "DNS", _("records, reverse names, reputation")),
    Step("time", _("Time"), _("clock, synchronisation, timezone")),
    Step("docker", "Docker", _("engine, compose, storage")),
    Step("config", _("Configuration"), "mailcow.conf"),
    Step("install", _("Install"), _("download and first start")),
    Step("verify", _("Verify"), _("proof that mail flows")),
)
