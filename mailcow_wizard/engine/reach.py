"""The proof from outside: which ports of mailcow can be reached by the world.

Only outside can tell, so somebody outside knocks: the near side listens on mailcow's free ports for whoever
knows the token; the far side (a line for bash or PowerShell, or this program) tries every port at once, and
then brings its report to a port that could be reached. Three witnesses make the verdict:

- a knock with the token, heard here: the port is reached, and from where;
- the first packet of a connection, seen here before this machine's own rules (where this user may see it):
  what came so far and was not heard is closed here, what never came was stopped before this machine;
- the report: what was sent and never came, what answers in our place. It comes over a port that could be
  reached; where none could, the far side shows it, to be typed in here.

A port that something serves already is asked as it is, by the far side and by this machine itself: it is
reached where both hear the same server. Where that could be any server of its kind, its first packet has to
have been seen here, too.

A knock from this machine or its own network proves nothing. Port 25 that alone fails may be the far side's
own line: it tries other mail servers and says whether they answer. Where every port is in use already, one
more is opened to take the report.
"""

from __future__ import annotations

import contextlib
import threading
import time

from mailcow_wizard.engine.reach_greetings import likeness, shown
from mailcow_wizard.engine.reach_words import Asked, BadReport, Report, new_token, pasted, read_report
from mailcow_wizard.facts.addresses import addresses
from mailcow_wizard.facts.firewall.ssh import sessions
from mailcow_wizard.facts.neighbours import is_near
from mailcow_wizard.facts.reached import (
    FILE,
    Seen,
    State,
    joined,
    public_families,
    public_ports,
    seen_in,
    to_keep,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.reach import asker as reach_asker
from mailcow_wizard.host.reach.listener import IN_USE, NOT_ALLOWED, Knock, ReachListener
from mailcow_wizard.host.reach.packets import Packet
from mailcow_wizard.host.reach.talk import Door, Kind
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

DEFAULT_MINUTES = 10
_SMTP = 25
_MOST_PEERS = 256
_MANY = 3
"""So many of the ports one address asks for only if it is the far side, or somebody who scans."""
_OWN_S = reach_asker.LONGEST_S + 1.0
"""How long a report waits for what this machine itself hears: one that is given with the line that starts the
proof comes as early as the asking."""
_LATE_S = 7.0
"""A connection that arrived and is still not heard after that long is not going to be."""
_INSIDE = (
    "This knock comes from {}, which is this server itself or its own network:\n"
    "no provider's firewall was passed, and nothing is proved. Paste the line elsewhere.\n"
)


class Target(NamedTuple):
    """A port that the world must reach. `free` says that the wizard listens there; `trouble` why it cannot
    although nobody has it; `speaks` how it is asked where somebody has it."""

    port: int
    service: str
    free: bool
    trouble: str = ""
    speaks: Kind = "greets"


class Verdict(NamedTuple):
    """What is known of a port over one family: its state, from where it was asked, how that is known, and
    what something else said there (see `facts.reached.Seen`)."""

    state: State
    peer: str = ""
    how: str = ""
    said: str = ""


class Reach:
    """One proof: the listeners, what arrived, what the far side reported."""

    def __init__(self, facts: Facts, minutes: float = DEFAULT_MINUTES) -> None:
        self._facts = facts
        self.families = facts.get(public_families)
        self._public = {family: facts.get(addresses, family).public[:1] for family in self.families}
        self.addresses = tuple(one for some in self._public.values() for one in some)
        self.nameless = tuple(family for family, some in self._public.items() if not some)
        """Families over which the world is to reach this server, at an address that is not known."""
        self.knocks: dict[tuple[int, int], str] = {}
        self.inside: dict[tuple[int, int], str] = {}
        """Knocks from this machine's own network."""
        self.reported: dict[tuple[int, int], str] = {}
        self.mail_leaves: bool | None = None
        """Whether the far side's line lets port 25 out; None: not told."""
        self.reporter = ""
        self._packets: dict[tuple[int, int], dict[str, float]] = {}
        self._times: dict[tuple[int, int], float] = {}
        self._ends = time.monotonic() + minutes * 60
        self._listener = ReachListener()
        self._unopened: set[tuple[int, int]] = set()
        """Where the kernel let nobody listen: that says nothing of the way there."""
        self.targets = tuple(self._open(*one) for one in facts.get(public_ports))
        self.extra = (
            0 if any(one.free for one in self.targets) else self._listener.listen_anywhere(self.families)
        )
        """A port besides mailcow's that takes the report, where all of those are in use; 0: none."""
        numbers = tuple(one.port for one in self.ports)
        self.watched = tuple(one for one in self.families if self._listener.watch(numbers, one))
        """Families of which first packets are seen."""
        self.token = new_token(self.ports, self.extra)
        self._own: dict[tuple[int, int], str] = {}
        """What this machine itself hears on ports in use, by port and family."""
        self._own_asked = threading.Thread(target=self._ask_own, daemon=True, name="reach own")
        self._own_asked.start()
        self._listener.serve(self.token, self._told)

    @property
    def ports(self) -> tuple[Asked, ...]:
        """The ports that the far side is to try, and how."""
        asked = tuple(Asked(one.port, "knock" if one.free else one.speaks) for one in self.targets)
        return (*asked, *((Asked(self.extra, "knock"),) if self.extra else ()))

    def _ask_own(self) -> None:
        own = {family: self._facts.get(addresses, family).own for family in self.families}
        used = [one for one in self.ports if one.kind != "knock"]
        doors = {Door(own[family], *one): (one.port, family) for family in own if own[family] for one in used}
        with contextlib.suppress(OSError):  # no more files for this process
            self._own |= {doors[one]: said for one, said in reach_asker.knock(tuple(doors), "").items()}

    def _open(self, port: int, service: str, speaks: Kind) -> Target:
        said = {family: self._listener.listen(port, family) for family in self.families}
        if IN_USE in said.values() and self._only_loopback(port):
            for family in [one for one, word in said.items() if word == IN_USE]:
                own = self._facts.get(addresses, family).own
                said[family] = self._listener.listen(port, family, own) if own else IN_USE
        if IN_USE in said.values():
            # Asked as it is in both families: who has one has mostly both.
            for family in said:
                self._listener.shut(port, family)
            return Target(port, service, free=False, speaks=speaks)
        self._unopened |= {(port, family) for family, word in said.items() if word}
        if all(said.values()):
            return Target(port, service, free=False, trouble=next(iter(said.values())))
        return Target(port, service, free=True)

    def _only_loopback(self, port: int) -> bool:
        """Whether the port is taken on loopback alone, where nobody from outside could ever be served."""
        try:
            taken = self._facts.host.listeners((port,)).sockets
        except HostError:
            return False
        return bool(taken) and all(one.address == "::1" or one.address.startswith("127.") for one in taken)

    @property
    def forbidden(self) -> bool:
        """Whether this user may not listen on ports that are free."""
        return any(one.trouble == NOT_ALLOWED for one in self.targets)

    @property
    def seconds_left(self) -> float:
        """Until the listeners end by themselves."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def told(self) -> bool:
        """Whether a report came."""
        return bool(self.reported)

    @property
    def all_arrived(self) -> bool:
        """Whether there is nothing more to find out."""
        return all(
            self.verdict(one, family).state == "arrived" for one in self.targets for family in self.families
        )

    def wait(self, seconds: float) -> bool:
        """Takes what arrives within so many seconds; whether something is new."""
        signs = self._listener.wait(min(seconds, self.seconds_left))
        new = [self._see(one) if isinstance(one, Packet) else self._take(one) for one in signs]
        return any(new)

    def close(self) -> None:
        """Ends the listeners."""
        self._listener.close()

    def _see(self, one: Packet) -> bool:
        """Whether it is the first from there, or a far side asks for so long that it is closed here."""
        peers = self._packets.setdefault((one.port, one.family), {})
        if one.peer in peers:
            return time.monotonic() - peers[one.peer] > _LATE_S and one.peer in self._known(one.family)
        new = len(peers) < _MOST_PEERS
        if new:
            peers[one.peer] = time.monotonic()
        return new

    def _take(self, one: Knock) -> bool:
        """Whether something is new, as with every knock and report."""
        if one.report:
            return True
        key = one.port, one.family
        if is_near(self._facts, one.peer):
            self.inside[key] = one.peer
        else:
            self.knocks[key] = one.peer
            self._times[key] = invoker.now()
        return True

    def _told(self, one: Knock) -> str:
        """The table that answers a report, in ASCII, for the far side's terminal."""
        if is_near(self._facts, one.peer):
            return _INSIDE.format(one.peer)
        try:
            self.hear(one.report, one.peer)
        except BadReport as error:
            return f"{error}\n"
        rows = []
        for target in self.targets:
            words = ", ".join(f"IPv{family} {self.verdict(target, family).state}" for family in self.families)
            rows.append(f"{target.port:>5} {target.service:<20} {words}\n")
        return "".join(rows)

    def read(self, report: str) -> Report:
        """What a far side's report says of these ports. Raises BadReport."""
        found = read_report(report)
        known = {one.port for one in self.ports}
        # Typed in later it may name the port that was opened for it then.
        answers = {key: code for key, code in found.answers.items() if key[0] in known}
        foreign = {port for port, _unused in found.answers} - known
        if not answers or len(foreign) > 1:
            raise BadReport(_("that report is of other ports"))
        return Report(answers, found.mail_leaves)

    def hear(self, report: str, peer: str = "") -> None:
        """Takes a far side's report, such as `4:25a.465s;6:25n;c:o`. Raises BadReport."""
        found, leaves = self.read(report) if peer else self.read(pasted(report))
        self._own_asked.join(_OWN_S)
        now = invoker.now()
        for key, code in found.items():
            # What arrived once has arrived, whatever a later report says.
            if self.reported.get(key, "")[:1] not in ("a", "o", "t"):
                self.reported[key] = code
                self._times.setdefault(key, now)
        self.mail_leaves = leaves if leaves is not None else self.mail_leaves
        self.reporter = peer or self.reporter

    def hear_desk(self, report: str) -> None:
        """Takes the report of the desk (`host.reach.desk`), which came home with its connection: from a desk
        in this server's own network it proves nothing. Raises BadReport."""
        peer = self._desk()
        if peer and is_near(self._facts, peer):
            self.inside |= dict.fromkeys(self.read(report).answers, peer)
        else:
            self.hear(report)

    def _desk(self) -> str:
        """The address that ssh came from; empty where that is not known."""
        try:
            return next((one.peer for one in self._facts.get(sessions) if one.own), "")
        except HostError:
            return ""

    def verdict(self, target: Target, family: int) -> Verdict:
        """What is known of a port over IPv4 or IPv6."""
        key = target.port, family
        if target.trouble or key in self._unopened:
            return Verdict("waiting")
        if key in self.knocks:
            return Verdict("arrived", self.knocks[key], "token")
        code = self.reported.get(key, "")
        peer, since = self._packet(key)
        if code[:1] in ("o", "t") and not target.free:
            return self._answered(key, code, peer)
        late = not code and target.free and since > _LATE_S and peer in self._known(family)
        if peer and (code in ("s", "r") or late):
            return Verdict("closed here", peer, "packet")
        how = "packet" if self._sees(family) else "told"
        if code in ("s", "r") and target.port == _SMTP and self.mail_leaves is not True:
            certain = self.mail_leaves is False
            return Verdict(
                "not asked: that line lets no port 25 out"
                if certain
                else "not asked: that line may let no port 25 out"
            )
        states: dict[str, State] = {
            "s": "never arrived",
            "r": "refused on the way",
            "m": "answered by something else",
            "o": "answered by something else",
            "t": "answered by something else",
            "a": "answered by something else",  # it says so, and nobody came
            "n": "not asked: no way from there",
        }
        if code[:1] in states:
            return Verdict(states[code[:1]], "", how)
        return Verdict("asked from this network only" if key in self.inside else "waiting")

    def _answered(self, key: tuple[int, int], there: str, peer: str) -> Verdict:
        """A port in use that was open to the far side: whether it was this machine's."""
        here = self._own.get(key, "")
        found = likeness(here, there)
        if found == "other":
            return Verdict("answered by something else", how="greeting", said=shown(there))
        if there == "o" and here.startswith(("o~", "t")):
            return Verdict("open, and nothing is heard")
        if peer:
            return Verdict("arrived", peer, "packet")
        unseen = self._sees(key[1])
        # A greeting can be imitated, and what does so forwards nothing; a certificate cannot.
        if found == "same" and self.reporter and (there[0] == "t" or not unseen):
            return Verdict("arrived", "", "greeting")
        if unseen:
            return Verdict("answered by something else", how="packet", said=shown(there))
        if found == "untold":
            return Verdict("open, and not known whose it is")
        return Verdict("arrived", how="told")

    def _packet(self, key: tuple[int, int]) -> tuple[str, float]:
        """From where the far side's first packet to this port came, and how long ago; empty: none came."""
        seen = self._packets.get(key, {})
        for peer in self._far_sides(key[1]):
            if peer in seen:
                return peer, time.monotonic() - seen[peer]
        return "", 0.0

    def _known(self, family: int) -> list[str]:
        """The addresses of whoever knew the token."""
        known = [peer for (_number, other), peer in self.knocks.items() if other == family]
        if self.reporter and (":" in self.reporter) == (family == 6):
            known.append(self.reporter)
        return list(dict.fromkeys(known))

    def _far_sides(self, family: int) -> list[str]:
        """The addresses of the far side; where none of its words came, those that asked for many ports."""
        known = self._known(family)
        if known:
            return known
        asked: dict[str, int] = {}
        for (_number, other), peers in self._packets.items():
            for peer in peers if other == family else ():
                asked[peer] = asked.get(peer, 0) + 1
        least = min(_MANY, len(self.targets))
        return [one for one, count in asked.items() if count >= least and not is_near(self._facts, one)]

    def _sees(self, family: int) -> bool:
        """Whether a packet that was not seen did not come: that of each knock was seen."""
        if family not in self.watched or not self.knocks:
            return False
        if any(len(peers) >= _MOST_PEERS for peers in self._packets.values()):
            return False
        return all(peer in self._packets.get(key, ()) for key, peer in self.knocks.items())

    @property
    def unheard(self) -> str:
        """Who asks for many ports while nothing is heard of him; empty: nobody."""
        if self.knocks or self.reported:
            return ""
        return next((one for family in self.families for one in self._far_sides(family)), "")

    def seen(self) -> dict[tuple[int, int], Seen]:
        """What is kept of it for `firewall.inbound`."""
        now, found = invoker.now(), {}
        for target in self.targets:
            for family in self.families:
                one = self.verdict(target, family)
                at = self._times.get((target.port, family), now)
                address = next(iter(self._public[family]), "")
                if one.state != "waiting":
                    found[target.port, family] = Seen(
                        family, one.state, one.peer, one.how, round(at), address, one.said
                    )
        return found

    def keep(self, state: StateDirectory) -> bool:
        """Keeps it with what was known before; whether there was something to keep. Raises HostError."""
        before = seen_in(state.load(FILE))
        after = joined(before, self.seen() if self.knocks or self.reported else {})
        if after != before:
            state.save(FILE, to_keep(after))
        return after != before
