"""The proof from outside: which ports of mailcow can be reached by the world.

Only outside can tell, so somebody outside knocks: the near side listens on mailcow's free ports for whoever
knows the token; the far side (a line for bash or PowerShell, or this program) tries every port, and then
brings its report to a port that could be reached. So the near side sees what arrived with its own eyes, and
learns from the report what was sent and never came. Ports that something serves already are asked by the far
side alone. Where nothing can be reached, the far side shows the report, to be typed in here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from mailcow_wizard.facts.addresses import addresses
from mailcow_wizard.facts.reached import FILE, State, public_ports
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host import invoker
from mailcow_wizard.host.chance import letters_and_digits
from mailcow_wizard.host.reach_listener import IN_USE, Knock, ReachListener
from mailcow_wizard.host.state import StateDirectory
from mailcow_wizard.typed import NamedTuple

TOKEN_LENGTH = 20
DEFAULT_MINUTES = 10
_REPORT = re.compile(r"[46]:\d{1,5}[aomrsn](?:\.\d{1,5}[aomrsn])*")
_TOKEN = re.compile(rf"(?P<secret>[A-Za-z0-9]{{{TOKEN_LENGTH}}})(?P<ports>(?:-\d{{1,5}}u?)+)")


class BadReport(ValueError):
    """It is no report of a far side."""


class Target(NamedTuple):
    """A port that the world must reach. `free` says that the wizard listens there; `trouble` why it cannot
    although nobody has it."""

    port: int
    service: str
    free: bool
    trouble: str = ""


class Verdict(NamedTuple):
    """What is known of a port over one family: its state, and from where it was reached."""

    state: State
    peer: str = ""


def new_token(targets: Sequence[Target]) -> str:
    """A token for one proof: 119 random bits, and which ports to try (`u`: in use, only connect)."""
    ports = "".join(f"-{one.port}{'' if one.free else 'u'}" for one in targets)
    return letters_and_digits(TOKEN_LENGTH) + ports


def ports_of(token: str) -> tuple[tuple[int, bool], ...]:
    """The ports that a token names, and whether the near side listens there. Raises BadReport."""
    found = _TOKEN.fullmatch(token)
    if not found:
        raise BadReport("that is no token of reach")
    words = found["ports"].removeprefix("-").split("-")
    return tuple((int(one.rstrip("u")), not one.endswith("u")) for one in words)


class Reach:
    """One proof: the listeners, what arrived, what the far side reported."""

    def __init__(self, facts: Facts, minutes: float = DEFAULT_MINUTES) -> None:
        self.addresses = tuple(
            one for family in (4, 6) for one in facts.get(addresses, family).public[:1] if one
        )
        self.families = tuple(sorted({6 if ":" in one else 4 for one in self.addresses})) or (4, 6)
        self.knocks: dict[tuple[int, int], str] = {}
        self.reported: dict[tuple[int, int], str] = {}
        self.mail_leaves: bool | None = None
        """Whether the far side's line lets port 25 out; None: not told."""
        self.reporter = ""
        self._ends = time.monotonic() + minutes * 60
        self._listener = ReachListener()
        self.targets = tuple(self._open(*one) for one in facts.get(public_ports))
        self.token = new_token(self.targets)
        self._listener.serve(self.token, self._told)

    def _open(self, port: int, service: str) -> Target:
        said = {family: self._listener.open(port, family) for family in self.families}
        if IN_USE in said.values():
            # Asked as it is in both families: who has one has mostly both.
            for family in said:
                self._listener.shut(port, family)
            return Target(port, service, free=False)
        if all(said.values()):
            return Target(port, service, free=False, trouble=next(iter(said.values())))
        return Target(port, service, free=True)

    @property
    def seconds_left(self) -> float:
        """Until the listeners end by themselves."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def complete(self) -> bool:
        """Whether everything is known: a report came."""
        return bool(self.reported)

    def wait(self, seconds: float) -> bool:
        """Takes what arrives within so many seconds; whether something is new."""
        knocks = self._listener.wait(min(seconds, self.seconds_left))
        for one in knocks:
            self._take(one)
        return bool(knocks)

    def close(self) -> None:
        """Ends the listeners."""
        self._listener.close()

    def _take(self, one: Knock) -> None:
        if not one.report:
            self.knocks[one.port, one.family] = one.peer

    def _told(self, one: Knock) -> str:
        """The table that answers a report, in ASCII, for the far side's terminal."""
        try:
            self.hear(one.report, one.peer)
        except BadReport as error:
            return f"{error}\n"
        rows = []
        for target in self.targets:
            words = ", ".join(f"IPv{family} {self.verdict(target, family).state}" for family in self.families)
            rows.append(f"{target.port:>5} {target.service:<20} {words}\n")
        return "".join(rows)

    def hear(self, report: str, peer: str = "") -> None:
        """Takes a far side's report, such as `4:25a.465s;6:25n;c:o`. Raises BadReport."""
        found: dict[tuple[int, int], str] = {}
        leaves: bool | None = None
        for part in report.strip().split(";"):
            if part in ("c:o", "c:s"):
                leaves = part == "c:o"
            elif _REPORT.fullmatch(part):
                family = int(part[0])
                found |= {(int(one[:-1]), family): one[-1] for one in part[2:].split(".")}
            else:
                raise BadReport("that is no report of reach")
        known = {one.port for one in self.targets}
        if not found or any(port not in known for port, _ in found):
            raise BadReport("that report is of other ports")
        # What arrived once has arrived, whatever a later report says.
        self.reported |= {
            key: code for key, code in found.items() if self.reported.get(key) not in ("a", "o")
        }
        self.mail_leaves = leaves if leaves is not None else self.mail_leaves
        self.reporter = peer or self.reporter

    def verdict(self, target: Target, family: int) -> Verdict:
        """What is known of a port over IPv4 or IPv6."""
        key = target.port, family
        if target.trouble:
            return Verdict("closed here")
        if key in self.knocks:
            return Verdict("arrived", self.knocks[key])
        code = self.reported.get(key, "")
        if code == "o" and not target.free:
            same = (":" in self.reporter) == (family == 6)
            return Verdict("arrived", self.reporter if same else "")
        if code == "s" and target.port == 25 and self.mail_leaves is False:
            return Verdict("not asked: that line lets no port 25 out")
        states: dict[str, State] = {
            "s": "never arrived",
            "r": "refused on the way",
            "m": "answered by something else",
            "o": "answered by something else",
            "a": "answered by something else",  # it says so, and nobody came
            "n": "not asked: no way from there",
        }
        return Verdict(states.get(code, "waiting"))

    def document(self) -> dict[str, object]:
        """What is kept of it for `firewall.inbound`."""
        ports = {}
        for target in self.targets:
            rows = {}
            for family in self.families:
                verdict = self.verdict(target, family)
                if verdict.state != "waiting":
                    rows[f"v{family}"] = {"state": verdict.state, "peer": verdict.peer}
            if rows:
                ports[str(target.port)] = rows
        return {"at": round(invoker.now()), "addresses": list(self.addresses), "ports": ports}

    def keep(self, state: StateDirectory) -> None:
        """Keeps it, where there is something to keep. Raises HostError."""
        document = self.document()
        if document["ports"] and (self.knocks or self.reported):
            state.save(FILE, document)
