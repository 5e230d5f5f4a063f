"""Judge of this machine's own firewall: whether it lets the world to mailcow's ports, and by which rule."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.network_ways import listed
from mailcow_wizard.checks.troubles import Trouble, judged
from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.state import State, state
from mailcow_wizard.facts.firewall.tools import DOCKER, FIREWALLD, IPTABLES, NFT, UFW, owner_of
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import Status

_FEW = 4
_DID = {"dropped": "dropped", "refused": "refused", "unknown": "not decided"}
_MOST_EVIDENCE = 4
_OPENING = {
    UFW: "Open them: ufw allow {ports}/tcp",
    FIREWALLD: "Open them: firewall-cmd --permanent --add-port={ports}/tcp, then firewall-cmd --reload",
    NFT: "Put a rule that accepts them before that one, in nft's own file too (/etc/nftables.conf).",
    IPTABLES: "Put a rule that accepts them before that one (iptables -I), and save it as this machine does.",
    DOCKER: "Take the rule out of DOCKER-USER, or put one before it that returns: "
    "iptables -I DOCKER-USER -p tcp -m multiport --dports {ports} -j RETURN",
}


def judge_local(seen: State) -> Judgement:
    """One judgement over all ports: the worst leads, each with the rule that decides."""
    known = seen.entries
    if not known.entries:
        words = "this machine has no address that the world could come to"
        return Judgement("unknown", words, certainty="untested")
    troubles = [Trouble("unknown", one) for one in known.unread]
    troubles += [_trouble(seen, group) for group in _groups(seen)]
    if known.forwarding is False and any(one.taker == "container" for one in known.entries):
        words = "the kernel does not pass packets on to containers (net.ipv4.ip_forward is 0)"
        troubles.append(Trouble("fail", words, ("Restart Docker: it switches that on at its start.",)))
    evidence = _evidence(seen)
    if troubles:
        made = judged(troubles, evidence)
        return made if made.status == "unknown" else made._replace(certainty="inferred")
    return Judgement("pass", _all_is_open(seen), _table(seen), evidence, certainty="inferred")


class _Group:
    """Ports to which the same happens by the same rule."""

    def __init__(self, kind: str, end: Fate) -> None:
        self.kind = kind
        self.end = end
        self.entries: list[Entry] = []


def _groups(seen: State) -> list[_Group]:
    """What is not as it should be, the worst first."""
    found: dict[tuple[object, ...], _Group] = {}
    for one in seen.entries.entries:
        kind, end = _kind(one)
        if kind:
            key = (kind, end.place and (end.place.chain.table.owner, end.place.words), end.outcome)
            found.setdefault(key, _Group(kind, end)).entries.append(one)
    return sorted(found.values(), key=lambda group: -len(group.entries))


def _kind(one: Entry) -> tuple[str, Fate]:
    """What is wrong with an entry (empty: nothing), and the fate that shows it."""
    if one.later is not None and one.later.outcome != "through":
        return "later", one.later
    if one.fate.outcome != "through":
        return ("passed by" if one.later else "now"), one.fate
    return ("partly", one.decisive) if one.partly else ("", one.fate)


def _trouble(seen: State, group: _Group) -> Trouble:
    end = group.end
    ports = named(group.entries)
    several = len({one.number for one in group.entries}) > 1
    families = {one.family for one in group.entries}
    v6 = ", over IPv6," if families == {6} and _has_v4(seen) else ""
    by = _by(seen, end)
    if end.outcome == "unknown":
        words = (
            f"whether {ports}{v6} {'are' if several else 'is'} let through is not known: {end.why}, in {by}"
        )
        return Trouble("unknown", words, (_LOOK,))
    remedy = _remedy(seen, group)
    did = f"{'are' if several else 'is'} {_DID.get(end.outcome, 'let through')}"
    if group.kind == "partly":
        words = f"{ports}{v6} {did} only from some addresses, see {by}"
        return Trouble("warn", words, ("Mail comes from everywhere: leave these ports out of that rule.",))
    status: Status = "warn" if v6 else "fail"
    words = f"{ports}{v6} {did} by {by}"
    if group.kind == "later":
        words = f"{ports}{v6} would not reach mailcow's containers: {by}"
        return Trouble(status, words, remedy)
    if group.kind == "passed by" and seen.entries.docker:
        words += "; mailcow's containers will be reached past it, nothing else here is"
        return Trouble("warn", words, remedy, "advice")
    return Trouble(status, words, remedy)


def _by(seen: State, end: Fate) -> str:
    """The rule, and whose it is where its words do not tell."""
    if end.place is None:
        return "the rules"
    owner = owner_of(end.place, seen.tools)
    words = end.place.words
    return words if owner.lower() in words.lower() or owner == NFT else f"{words}, set by {owner}"


_LOOK = "Look at that rule: this program does not know what it does. Then prove it: mailcow-wizard reach"


def _remedy(seen: State, group: _Group) -> tuple[str, ...]:
    if group.end.place is None:
        return ()
    owner = owner_of(group.end.place, seen.tools)
    ports = ",".join(str(one) for one in sorted({one.number for one in group.entries}))
    words = _OPENING.get(owner)
    if words is None:
        return (f"That rule is {owner}'s: allow TCP {ports} in its settings.",)
    return (words.format(ports=ports),)


def _has_v4(seen: State) -> bool:
    return any(one.family == 4 for one in seen.entries.entries)


def named(entries: list[Entry]) -> str:
    """The ports in few words: `port 25`, `ports 25, 465 and 587`, `all 10 ports`."""
    numbers = sorted({one.number for one in entries})
    public = [one for one in need.PORTS if not one.address]
    if len(numbers) == len(public):
        return f"all {len(numbers)} ports"
    if len(numbers) > _FEW:
        return f"ports {', '.join(map(str, numbers[:_FEW]))} and {len(numbers) - _FEW} more"
    return f"port{'s' if len(numbers) > 1 else ''} {listed([str(one) for one in numbers])}"


def _all_is_open(seen: State) -> str:
    known = seen.entries.entries
    ports = named(list(known))
    boxes = [one for one in known if one.taker == "container"]
    names = [one for one in seen.tools.names if one in (UFW, FIREWALLD)]
    if boxes:
        past = f", past the rules of {listed(names)}" if names else ""
        return f"packets to {named(boxes)} are sent on to mailcow's containers{past}"
    ends = [one.fate.place for one in known]
    if not any(place and place.rule for place in ends):
        return f"nothing on this machine stops packets to {ports}"
    words = next(place.words for place in ends if place and place.rule)
    return f"packets to {ports} are let through, such as {known[0].number} by {words}"


def _table(seen: State) -> str:
    """What happens to each port, in few words."""
    ends = []
    for one in seen.entries.entries:
        end = one.decisive
        by = f" by {end.place.words}" if end.place else ""
        outcome = "let through" if end.outcome == "through" else end.outcome
        ends.append(f"{one.number} (IPv{one.family}): {outcome}{by}")
    return "; ".join(ends)


def _evidence(seen: State) -> tuple[Evidence, ...]:
    """The commands that show the rules which decide."""
    found: dict[str, str] = {}
    for one in sorted(seen.entries.entries, key=lambda entry: _kind(entry)[0] == ""):
        place = _kind(one)[1].place
        if place and place.chain.table.name != "what Docker will do":
            found.setdefault(place.command, place.words)
    some = [Evidence(command, words) for command, words in list(found.items())[:_MOST_EVIDENCE]]
    return tuple(some) or (Evidence("nft list ruleset", "no rule that stops them"),)


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.local",
        title="Local firewall",
        needed="its rules let connections from everywhere to mailcow's ten public ports, IPv4 and IPv6",
        why="A packet that is dropped here never reaches mailcow: no mail comes in, or nobody can log in.",
        doc=need.DOC_FIREWALL,
        severity="breaks",
        source=state,
        judge=judge_local,
        deadline=20.0,
    ),
)
