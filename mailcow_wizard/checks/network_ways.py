"""What became of some attempts to get out, and why: the words that all checks of the network share. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.checks.firewall_neighbours import LEAVE_OUT
from mailcow_wizard.checks.firewall_switches import switching_on
from mailcow_wizard.facts.firewall.foreseen import USER_CHAIN
from mailcow_wizard.facts.firewall.leaving import Met
from mailcow_wizard.facts.firewall.tools import DOCKER, FIREWALLD, IPTABLES, NFT, UFW
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.language import _
from mailcow_wizard.model import Evidence, Stops
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal[
        "open", "blocked here", "no route", "refused", "rejected", "cut", "dropped", "dead", "not allowed",
        "untried",
    ]  # fmt: skip

_OWN_RULES = _(
    "See which rule it is: `nft list ruleset`, or `iptables -S OUTPUT` and `ip6tables -S OUTPUT`. "
    "Let packets out again there, or with ufw: `ufw default allow outgoing`."
)
_PROVIDER = _(
    "Ask the provider, or look into the firewall of its control panel (and that of a router before it)."
)


NOT_KNOWN = ("not allowed", "untried")
"""Kinds of a way that nothing was sent on: what becomes of it is not known."""


class Way(NamedTuple):
    """Why attempts ended as they did: the kind, the words, what mends it, and where that is."""

    kind: Kind
    words: str
    remedies: tuple[str, ...] = ()

    @property
    def stops(self) -> Stops:
        """Where packets end."""
        if self.kind in ("open", *NOT_KNOWN):
            return ""
        here = self.kind == "blocked here" or (self.kind == "no route" and _PROVIDER not in self.remedies)
        return "here" if here else "way"


def way(tries: Sequence[Try], control: bool) -> Way:
    """One verdict over the attempts to reach one thing; `control` that something else of the same family gets
    out. A single attempt that succeeds is enough."""
    by_outcome = {one.result.outcome: one.result for one in reversed(tries)}
    if "open" in by_outcome:
        return Way("open", "answers")
    held = next((one for one in tries if one.own and one.own.stops), None)
    if held and held.own:
        return Way(
            "blocked here",
            _("this machine's own firewall {held_words}", held_words=held_words(held.own)),
            let_out(held),
        )
    if "blocked" in by_outcome:
        return Way("blocked here", _("this machine's own firewall does not let it out"), (_OWN_RULES,))
    if "not allowed" in by_outcome:
        return Way(
            "not allowed", _("this user may not try it"), (_("Run the wizard as root: sudo ./wizard"),)
        )
    if "silent" in by_outcome:
        if control:
            return Way("dropped", _("nothing comes back, while other things are answered"), (_PROVIDER,))
        return Way("dead", _("nothing comes back, nor from anything else"), (_PROVIDER,))
    if "refused" in by_outcome:
        by = next((one.result.told_by for one in tries if one.result.told_by), "")
        to = {one.probe.address for one in tries}
        if by and by not in to:
            return Way(
                "rejected", _("a router or firewall on the way refuses it ({by})", by=by), (_PROVIDER,)
            )
        return Way(
            "refused", _("refused: nobody listens there, or a firewall answers in its place"), (_PROVIDER,)
        )
    if "no route" in by_outcome:
        return _no_route(tries)
    if "reset" in by_outcome:
        return Way("cut", _("accepted, and cut off at once"), (_PROVIDER,))
    text = next((one.result.text for one in tries if one.result.text), _("it could not be tried"))
    return Way("untried" if "failed" in by_outcome else "no route", text)


def held_words(met: Met) -> str:
    """What a rule does, and which."""
    if met.answer:
        return _("does not let the answer in: {named}", named=met.named)
    return _("does not let it out") + f": {met.named}"


def let_out(one: Try) -> tuple[str, ...]:
    """What lets an attempt out that a rule of this machine stops, and whom that rule does not concern."""
    met = one.own
    if met is None:
        return (_OWN_RULES,)
    passes = one.container and one.container.outcome == "through"
    note = (
        _(
            "What mailcow's containers send passes other rules, which let it out; whether it gets "
            "further can only be tried once this rule lets the wizard try it."
        ),
    )
    return (allowing(met, one.probe), *(note if passes else ()))


def allowing(met: Met, probe: Probe) -> str:
    """How to let a packet pass that a rule stops, by the program that the rule is of."""
    see = _("See it: {command}.", command=met.command)
    if met.switch:
        return f"{see} {switching_on(met.switch)}."
    if met.unmasked:
        how = _(
            "Docker puts its rules back when it is started again: systemctl restart docker. Something took "
            "them away, such as a firewall that was loaded anew: start Docker after it, each time"
        )
        return f"{see} {how}."
    if met.parted:
        return f"{see} {LEAVE_OUT}"
    kind = {"ping": "icmp", "udp": "udp"}.get(probe.kind, "tcp")
    icmp = "ipv6-icmp" if ":" in probe.address else "icmp"
    to = f"-p {icmp}" if kind == "icmp" else f"-p {kind} --dport {probe.port}"
    tool = "ip6tables" if ":" in probe.address else "iptables"
    if met.answer:
        if met.owner == "nftables":
            how = _("Let answers in before it: ct state established,related accept")
        else:
            how = _("Let answers in before it: -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
    elif met.chain == USER_CHAIN:
        how = _(
            "Put one before it that returns: {tool} -I {user_chain} {to} -j RETURN",
            tool=tool,
            user_chain=USER_CHAIN,
            to=to,
        )
    elif met.owner == UFW and kind != "icmp":
        routed = f"ufw route allow proto {kind} to any port {probe.port}"
        allow = routed if "forward" in met.chain.lower() else f"ufw allow out {probe.port}/{kind}"
        how = _("Let it out: {allow}", allow=allow)
    elif met.owner == UFW:
        how = _("Let echo requests out in /etc/ufw/before.rules (before6.rules), then: ufw reload")
    elif met.owner == FIREWALLD:
        how = _(
            "Take it out of firewalld's policies or direct rules: firewall-cmd --list-all-policies, "
            "firewall-cmd --direct --get-all-rules"
        )
    elif met.owner == NFT:
        how = _("Put a rule that accepts before it, in nft's own file too (/etc/nftables.conf)")
    elif met.owner in (IPTABLES, DOCKER):
        how = _(
            "Put one before it that accepts ({tool} -I {chain} {to} -j ACCEPT), and save it as this "
            "machine does",
            tool=tool,
            chain=met.chain,
            to=to,
        )
    else:
        how = _("That rule is {owner}'s: allow it in its settings", owner=met.owner)
    return f"{see} {how}."


def inner(tries: Sequence[Try]) -> Try | None:
    """An attempt that gets out of this machine and would not out of mailcow's containers; None: there is
    none."""
    return next((one for one in tries if one.container and one.container.outcome != "through"), None)


def only_own(mets: Sequence[tuple[Met | None, Met | None]]) -> bool:
    """Whether rules of this machine stop every one of these packets (the first of each pair), and none of
    them when a container sends it (the second)."""
    return bool(mets) and all(
        own and own.stops and container and container.outcome == "through" for own, container in mets
    )


def inner_words(met: Met) -> str:
    """What becomes of what mailcow's containers send."""
    if met.unmasked:
        if met.outcome == "unknown":
            return _(
                "what mailcow's containers send there leaves with their own address ({address}), as Docker's "
                "rule for masquerading is missing; whether answers come back is not known",
                address=met.unmasked,
            )
        return _(
            "what mailcow's containers send there leaves with their own address ({address}), to which "
            "nothing comes back: Docker's rule for masquerading is missing",
            address=met.unmasked,
        )
    if met.switch:
        return _(
            "what mailcow's containers send there is not passed on by the kernel ({named})", named=met.named
        )
    if met.parted and met.outcome != "unknown":
        return _(
            "what mailcow's containers send there gets no answer: {named} keeps it out of the connection "
            "tracking that translates addresses",
            named=met.named,
        )
    said = {
        "dropped": _("is dropped by"),
        "refused": _("is refused by"),
        "sent elsewhere": _("is sent to {elsewhere} instead by", elsewhere=met.elsewhere),
        "unknown": _("meets a rule that is not understood,"),
    }[met.outcome]
    if met.answer:
        said = _("gets no answer, which is stopped by")
    return _("what mailcow's containers send there {said} {named}", said=said, named=met.named)


def _no_route(tries: Sequence[Try]) -> Way:
    by = next((one.result.told_by for one in tries if one.result.told_by), "")
    if by:
        return Way("no route", _("{by}, a router on the way, knows no way there", by=by), (_PROVIDER,))
    return Way(
        "no route",
        _("this machine has no way there, or its gateway does not answer"),
        (_("See the routes and the gateway: `ip route`, `ip -6 route`, `ip neigh`."),),
    )


def ending(one: Try) -> str:
    """How an attempt ended, in few words."""
    result = one.result
    words = {
        "open": _("open"),
        "silent": _("no answer"),
        "blocked": _("held back by this machine's own rules"),
        "refused": _("refused"),
        "reset": _("reset"),
        "no route": _("no route"),
        "too large": _("too large"),
        "not allowed": _("not allowed"),
        "failed": _("failed"),
    }
    said = words.get(result.outcome, result.outcome)
    return _("{said} (says {router})", said=said, router=result.told_by) if result.told_by else said


def evidence(tries: Sequence[Try], most: int = 3) -> tuple[Evidence, ...]:
    """How to try it by hand, and how it ended here; the rules of this machine that stop it."""
    return (
        *(
            Evidence(_command(one), " ".join(filter(None, (ending(one), one.result.greeting))))
            for one in tries[:most]
        ),
        *rules_shown([met for one in tries for met in (one.own, one.container)]),
    )


def rules_shown(mets: Sequence[Met | None]) -> tuple[Evidence, ...]:
    """The rules that stop something, each with the command that shows it."""
    shown = {met.rule: Evidence(met.command, met.rule) for met in mets if met and met.stops and met.command}
    return tuple(shown.values())[:2]


def _command(one: Try) -> str:
    probe = one.probe
    if probe.kind == "ping":
        size = f" -M do -s {probe.size - (28 if one.family == 4 else 48)}" if probe.size else ""
        return f"ping -c 1 -W 2{size} {probe.address}"
    if probe.kind == "udp":
        return _("a datagram to {address} port {port}", address=probe.address, port=probe.port)
    read = "; read -rt 4 line <&3; echo $line" if probe.kind == "greeting" else " && echo open"
    return f"timeout 4 bash -c 'exec 3<>/dev/tcp/{probe.address}/{probe.port}{read}'"
