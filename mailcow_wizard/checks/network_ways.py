"""What became of some attempts to get out, and why: the words that all checks of the network share. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.model import Evidence, Stops
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal[
        "open", "blocked here", "no route", "refused", "rejected", "cut", "dropped", "dead", "not allowed"
    ]

OWN_RULES = (
    "See which rule it is: `nft list ruleset`, or `iptables -S OUTPUT` and `ip6tables -S OUTPUT`. "
    "Let packets out again there, or with ufw: `ufw default allow outgoing`."
)
_PROVIDER = (
    "Ask the provider, or look into the firewall of its control panel (and that of a router before it)."
)


class Way(NamedTuple):
    """Why attempts ended as they did: the kind, the words, what mends it, and where that is."""

    kind: Kind
    words: str
    remedies: tuple[str, ...] = ()

    @property
    def stops(self) -> Stops:
        """Where packets end."""
        if self.kind in ("open", "not allowed"):
            return ""
        here = self.kind == "blocked here" or (self.kind == "no route" and _PROVIDER not in self.remedies)
        return "here" if here else "way"


def way(tries: Sequence[Try], control: bool) -> Way:
    """One verdict over the attempts to reach one thing; `control` that something else of the same family gets
    out. A single attempt that succeeds is enough."""
    by_outcome = {one.result.outcome: one.result for one in reversed(tries)}
    if "open" in by_outcome:
        return Way("open", "answers")
    if "blocked" in by_outcome:
        return Way("blocked here", "this machine's own firewall does not let it out", (OWN_RULES,))
    if "not allowed" in by_outcome:
        return Way("not allowed", "this user may not try it", ("Run the wizard as root: sudo ./wizard",))
    if "silent" in by_outcome:
        if control:
            return Way("dropped", "nothing comes back, while other things do get out", (_PROVIDER,))
        return Way("dead", "nothing comes back, nor from anything else", (_PROVIDER,))
    if "refused" in by_outcome:
        by = next((one.result.told_by for one in tries if one.result.told_by), "")
        to = {one.probe.address for one in tries}
        if by and by not in to:
            return Way("rejected", f"a router or firewall on the way refuses it ({by})", (_PROVIDER,))
        return Way(
            "refused", "refused: nobody listens there, or a firewall answers in its place", (_PROVIDER,)
        )
    if "no route" in by_outcome:
        return _no_route(tries)
    if "reset" in by_outcome:
        return Way("cut", "accepted, and cut off at once", (_PROVIDER,))
    text = next((one.result.text for one in tries if one.result.text), "it could not be tried")
    return Way("no route", text)


def _no_route(tries: Sequence[Try]) -> Way:
    by = next((one.result.told_by for one in tries if one.result.told_by), "")
    if by:
        return Way("no route", f"{by}, a router on the way, knows no way there", (_PROVIDER,))
    return Way(
        "no route",
        "this machine has no way there, or its gateway does not answer",
        ("See the routes and the gateway: `ip route`, `ip -6 route`, `ip neigh`.",),
    )


def ending(one: Try) -> str:
    """How an attempt ended, in few words."""
    result = one.result
    words = {"open": "open", "silent": "no answer", "blocked": "held back by this machine's own rules"}
    said = words.get(result.outcome, result.outcome)
    return f"{said}{f' (says {result.told_by})' if result.told_by else ''}"


def evidence(tries: Sequence[Try], most: int = 3) -> tuple[Evidence, ...]:
    """How to try it by hand, and how it ended here."""
    return tuple(
        Evidence(_command(one), " ".join(filter(None, (ending(one), one.result.greeting))))
        for one in tries[:most]
    )


def _command(one: Try) -> str:
    probe = one.probe
    if probe.kind == "ping":
        size = f" -M do -s {probe.size - (28 if one.family == 4 else 48)}" if probe.size else ""
        return f"ping -c 1 -W 2{size} {probe.address}"
    if probe.kind == "udp":
        return f"a datagram to {probe.address} port {probe.port}"
    read = "; read -rt 4 line <&3; echo $line" if probe.kind == "greeting" else " && echo open"
    return f"timeout 4 bash -c 'exec 3<>/dev/tcp/{probe.address}/{probe.port}{read}'"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
