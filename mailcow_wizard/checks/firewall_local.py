"""Judge of this machine's own firewall: whether it lets the world to mailcow's ports, and by which rule."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import firewall_early, firewall_neighbours
from mailcow_wizard.checks.firewall_astray import sent_elsewhere
from mailcow_wizard.checks.firewall_neighbours import LEAVE_OUT, LOOK, by_rule, done, has_v4
from mailcow_wizard.checks.firewall_switches import switching_on
from mailcow_wizard.checks.troubles import Trouble, judged, listed, word
from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.forwarding import Switch
from mailcow_wizard.facts.firewall.rules import program
from mailcow_wizard.facts.firewall.state import State, state
from mailcow_wizard.facts.firewall.tools import DOCKER, FIREWALLD, IPTABLES, NFT, UFW, is_left_out, owner_of
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import Status

_FEW = 4
_MOST_EVIDENCE = 4
_OPENING = {
    UFW: _("Open them: ufw allow {ports}/tcp"),
    FIREWALLD: _("Open them: firewall-cmd --permanent --add-port={ports}/tcp, then firewall-cmd --reload"),
    NFT: _(
        "Put a rule that accepts them before that one: nft insert rule {family} {table} {chain} tcp dport "
        "{{ {ports} }} accept; in nft's own file too (/etc/nftables.conf)."
    ),
    IPTABLES: _(
        "Put a rule that accepts them before that one: {program} -I {chain} -p tcp -m multiport --dports "
        "{ports} -j ACCEPT; save it as this machine does."
    ),
    DOCKER: _(
        "Take the rule out of DOCKER-USER, or put one before it that returns: iptables -I "
        "DOCKER-USER -p tcp -m multiport --dports {ports} -j RETURN"
    ),
}
_DENIED = _(
    "Take ufw's rule against them out (ufw status numbered, then ufw delete and its number), then: ufw allow "
    "{ports}/tcp"
)
_WITHOUT_V6 = _(
    "ufw shuts IPv6 altogether: set IPV6=yes in /etc/default/ufw, then run ufw disable and ufw enable, and "
    "allow the ports again."
)
# What only passes this machine, on its way to containers and from them.
_PASSING = {
    NFT: _(
        "Let packets to containers pass there: nft insert rule {family} {table} {chain} oifname br-mailcow "
        "accept, and the same with iifname; in nft's own file too (/etc/nftables.conf)."
    ),
    IPTABLES: _(
        "Let packets to containers pass there: {program} -I {chain} -o br-mailcow -j ACCEPT, and the same "
        "with -i; save it as this machine does."
    ),
}


def judge_local(seen: State) -> Judgement:
    """One judgement over all ports: the worst leads, each with the rule that decides."""
    known = seen.entries
    if not known.entries:
        words = _("this machine has no address that the world could come to")
        seen_by_hand = (Evidence("ip -o addr show scope global", _("nothing")),)
        return Judgement("unknown", words, _("none"), seen_by_hand, certainty="untested")
    troubles = [Trouble("unknown", one) for one in known.unread]
    troubles += [_trouble(seen, group) for group in _groups(seen)]
    troubles += firewall_neighbours.troubles(seen)
    troubles += firewall_early.troubles(known.early, has_v4(seen))
    troubles += [_held(seen, one) for one in known.switched_off]
    evidence = _evidence(seen)
    if troubles:
        made = judged(troubles, evidence)
        return made if made.status == "unknown" else made._replace(certainty="inferred")
    return Judgement("pass", _all_is_open(seen), _table(seen), evidence, certainty="inferred")


def _held(seen: State, switch: Switch) -> Trouble:
    """A switch of the kernel's, as a list of settings for hardening turns it off after Docker's start."""
    v6 = switch.family == 6 and has_v4(seen)
    words = (
        _("over IPv6 the kernel does not pass packets on to containers ({name} is 0)", name=switch.name)
        if v6
        else _("the kernel does not pass packets on to containers ({name} is 0)", name=switch.name)
    )
    return Trouble("warn" if v6 else "fail", words, (switching_on(switch),))


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
    if one.astray:
        return ("partly astray" if one.partly else "astray"), one.astray
    if one.unrouted:
        return "unrouted", one.fate
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
    v6 = _(", over IPv6,") if families == {6} and has_v4(seen) else ""
    by = by_rule(seen, end)
    if end.outcome == "unknown":
        words = ngettext(
            "whether {ports}{v6} is let through is not known: {why}, in {by}",
            "whether {ports}{v6} are let through is not known: {why}, in {by}",
            2 if several else 1,
            ports=ports,
            v6=v6,
            why=end.why,
            by=by,
        )
        return Trouble("unknown", words, (LOOK,))
    if group.kind in ("astray", "partly astray"):
        return sent_elsewhere(seen, group.entries, ports, v6, end)
    if group.kind == "unrouted":
        return _unrouted(group, ports, v6, 2 if several else 1)
    if end.parted_by and end.outcome != "through":
        words = _(
            "answers from {ports}{v6} are lost: {by} keeps them out of the connection tracking that "
            "translates addresses",
            ports=ports,
            v6=v6,
            by=by,
        )
        return Trouble("warn" if v6 else "fail", words, (LEAVE_OUT,))
    remedy = _remedy(seen, group)
    did = done(end.outcome, 2 if several else 1)
    if group.kind == "partly":
        words = _("{ports}{v6} {did} only from some addresses, see {by}", ports=ports, v6=v6, did=did, by=by)
        return Trouble("warn", words, (_("Mail comes from everywhere: leave these ports out of that rule."),))
    status: Status = "warn" if v6 else "fail"
    words = _("{ports}{v6} {did} by {by}", ports=ports, v6=v6, did=did, by=by)
    if group.kind == "later":
        words = _("{ports}{v6} would not reach mailcow's containers: {by}", ports=ports, v6=v6, by=by)
        return Trouble(status, words, remedy)
    if group.kind == "passed by" and seen.entries.docker:
        words += _("; mailcow's containers will be reached past it, nothing else here is")
        return Trouble("warn", words, remedy, "advice")
    return Trouble(status, words, remedy)


def _unrouted(group: _Group, ports: str, v6: str, count: int) -> Trouble:
    """Docker's bridge has lost its address, as when IPv6 is switched off for a while, or a network service
    takes away what it did not set up."""
    words = ngettext(
        "{ports}{v6} is sent on to mailcow's container, to which no route leads: packets leave again by "
        "{interface}",
        "{ports}{v6} are sent on to mailcow's containers, to which no route leads: packets leave again by "
        "{interface}",
        count,
        ports=ports,
        v6=v6,
        interface=group.end.packet.out,
    )
    remedy = _(
        "See whether mailcow's bridge still has its address: ip addr show br-mailcow. Docker gives it back "
        "when it is started again: systemctl restart docker."
    )
    return Trouble("warn" if v6 else "fail", words, (remedy,))


OUTCOMES = {
    "through": _("let through"),
    "dropped": _("dropped"),
    "refused": _("refused"),
    "unknown": _("unknown"),
}
"""What becomes of a packet, for people."""


def _remedy(seen: State, group: _Group) -> tuple[str, ...]:
    if group.end.place is None:
        return ()
    if is_left_out(group.end.place, seen.tools):
        return (_WITHOUT_V6,)
    owner = owner_of(group.end.place, seen.tools)
    ports = ",".join(str(one) for one in sorted({one.number for one in group.entries}))
    words = (_PASSING if group.end.forwarded else _OPENING).get(owner, _OPENING.get(owner))
    if owner == UFW and "-user-" in group.end.place.chain.name:
        words = _DENIED
    if words is None:
        return (_("That rule is {owner}'s: allow TCP {ports} in its settings.", owner=owner, ports=ports),)
    chain = group.end.place.chain
    table = chain.table
    said = words.format(
        ports=ports,
        family=table.family,
        table=word(table.name),
        chain=word(chain.name),
        program=program(table),
    )
    return (said,)


def named(entries: list[Entry]) -> str:
    """The ports in few words: `port 25`, `ports 25, 465 and 587`, `all 10 ports`."""
    numbers = sorted({one.number for one in entries})
    public = [one for one in need.PORTS if not one.address]
    if len(numbers) == len(public):
        return _("all {number} ports", number=len(numbers))
    if len(numbers) > _FEW:
        return _(
            "ports {numbers} and {more} more",
            numbers=", ".join(map(str, numbers[:_FEW])),
            more=len(numbers) - _FEW,
        )
    return ngettext(
        "port {ports}", "ports {ports}", len(numbers), ports=listed([str(one) for one in numbers])
    )


def _all_is_open(seen: State) -> str:
    known = seen.entries.entries
    ports = named(list(known))
    boxes = [one for one in known if one.taker == "container"]
    names = [one for one in seen.tools.names if one in (UFW, FIREWALLD)]
    if boxes:
        past = _(", past the rules of {listed}", listed=listed(names)) if names else ""
        return _(
            "packets to {named} are sent on to mailcow's containers{past}", named=named(boxes), past=past
        )
    ends = [one.fate.place for one in known]
    if not any(place and place.rule for place in ends):
        return _("nothing on this machine stops packets to {ports}", ports=ports)
    words = next(place.words for place in ends if place and place.rule)
    return _(
        "packets to {ports} are let through, such as {known} by {words}",
        ports=ports,
        known=known[0].number,
        words=words,
    )


def _table(seen: State) -> str:
    """What happens to each port, in few words."""
    ends = []
    for one in seen.entries.entries:
        end = one.decisive
        by = _(" by {rule}", rule=end.place.words) if end.place else ""
        outcome = OUTCOMES.get(end.outcome, end.outcome)
        ends.append(
            _(
                "{number} (IPv{family}): {outcome}{by}",
                number=one.number,
                family=one.family,
                outcome=outcome,
                by=by,
            )
        )
    return "; ".join(ends)


def _evidence(seen: State) -> tuple[Evidence, ...]:
    """The commands that show the rules which decide."""
    found: dict[str, str] = {}
    for lost in seen.entries.lost:
        if lost.fate.place:
            found.setdefault(lost.fate.place.command, lost.fate.place.words)
    for one in sorted(seen.entries.entries, key=lambda entry: _kind(entry)[0] == ""):
        place = _kind(one)[1].place
        if place and place.chain.table.name != "what Docker will do":
            found.setdefault(place.command, place.words)
    some = [Evidence(command, words) for command, words in list(found.items())[:_MOST_EVIDENCE]]
    return tuple(some) or (Evidence("nft list ruleset", _("no rule that stops them")),)


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.local",
        title=_("Local firewall"),
        needed=_("its rules let connections from everywhere to mailcow's ten public ports, IPv4 and IPv6"),
        why=_("A packet that is dropped here never reaches mailcow: no mail comes in, or nobody can log in."),
        doc=need.DOC_FIREWALL,
        severity="breaks",
        source=state,
        judge=judge_local,
        deadline=20.0,
    ),
)
