"""What proofs from outside showed: which ports of mailcow the world can reach."""

from __future__ import annotations

from mailcow_wizard.facts.addresses import addresses, uses_v6
from mailcow_wizard.facts.bindings import bindings
from mailcow_wizard.facts.mail.set_up import is_set_up
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from mailcow_wizard.host.reach.talk import Kind

    State: TypeAlias = Literal[
        "waiting",
        "arrived",
        "never arrived",
        "refused on the way",
        "closed here",
        "answered by something else",
        "open, and nothing is heard",
        "open, and not known whose it is",
        "not asked: no way from there",
        "not asked: that line lets no port 25 out",
        "not asked: that line may let no port 25 out",
        "asked from this network only",
    ]
else:
    State = str

FILE = "reach"
"""The name under which the proof is kept in the state directory."""
DECIDED = (
    *("arrived", "never arrived", "refused on the way", "closed here"),
    *("answered by something else", "open, and nothing is heard"),
)
"""States that say something of the port; the others replace nothing that is known."""
_SPEAKS: dict[str, Kind] = {
    "ports.http": "http",
    **dict.fromkeys(("ports.https", "ports.smtps", "ports.imaps", "ports.pop3s"), "tls"),
}


STATES: dict[str, str] = {
    "arrived": _("arrived"),
    "waiting": _("waiting"),
    "unknown": _("unknown"),
    "never arrived": _("never arrived"),
    "refused on the way": _("refused on the way"),
    "closed here": _("closed here"),
    "answered by something else": _("answered by something else"),
    "open, and nothing is heard": _("open, and nothing is heard"),
    "open, and not known whose it is": _("open, and not known whose it is"),
    "not asked": _("not asked"),
    "not asked: no way from there": _("not asked: no way from there"),
    "not asked: that line lets no port 25 out": _("not asked: that line lets no port 25 out"),
    "not asked: that line may let no port 25 out": _("not asked: that line may let no port 25 out"),
    "asked from this network only": _("asked from this network only"),
}
"""What is known of a port, for people."""


class PublicPort(NamedTuple):
    """A port that the world must reach, mailcow's service behind it, and how such a service is asked."""

    number: int
    service: str
    speaks: Kind = "greets"


class Seen(NamedTuple):
    """What was seen of a port over one family, and from where it was asked.

    `how`: the one who knocked knew the token (`token`), its packet was seen here (`packet`), it heard the
    server that this machine hears, too, or another one (`greeting`), or only the far side says so (`told`).
    `at` in seconds since 1970; `address` is this server's, for which it was; `said` is what something else
    said there.
    """

    family: int
    state: State
    peer: str
    how: str
    at: float
    address: str
    said: str = ""


class Reached(NamedTuple):
    """The proof: the ports that matter now, and over which families; what was seen, by port and family; the
    time now; by family the public addresses of now, none where they are not known; `served` that mailcow has
    the ports by now, to which Docker leads other ways than to the wizard's own listeners."""

    ports: tuple[PublicPort, ...]
    families: tuple[int, ...]
    seen: dict[tuple[int, int], Seen]
    now: float
    addresses: dict[int, tuple[str, ...]]
    served: bool = False


def public_ports(facts: Facts) -> tuple[PublicPort, ...]:
    """The ports that the world must reach, by mailcow.conf; what is bound to loopback is mailcow's own."""
    conf = facts.get(mailcow_conf)
    found: dict[int, PublicPort] = {}
    for one in bindings(conf.values, conf.odd):
        number = one.public_number
        if number is not None:
            found.setdefault(number, PublicPort(number, one.port.service, _SPEAKS.get(one.port.id, "greets")))
    return tuple(one for _unused, one in sorted(found.items()))


def public_families(facts: Facts) -> tuple[int, ...]:
    """The families over which the world is to reach this server."""
    over_v6 = bool(facts.get(addresses, 6).public) and facts.get(uses_v6)
    four = facts.get(addresses, 4)
    return (*((4,) if four.public or four.own or not over_v6 else ()), *((6,) if over_v6 else ()))


def reached(facts: Facts) -> Reached:
    """Reads what was kept; a file that cannot be understood is none."""
    import json

    families = facts.get(public_families)
    try:
        kept = json.loads(facts.host.kept(FILE))
    except (Missing, ValueError, RecursionError):
        kept = None
    return Reached(
        facts.get(public_ports),
        families,
        seen_in(kept),
        facts.host.now(),
        {family: facts.get(addresses, family).public for family in families},
        facts.get(is_set_up),
    )


def seen_in(kept: object) -> dict[tuple[int, int], Seen]:
    """The rows of a kept document, as far as they have the shape that they should have."""
    rows = kept.get("rows") if isinstance(kept, dict) else None
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        port, family, at = row.get("port"), row.get("family"), row.get("at")
        texts = [row.get(name) for name in ("state", "peer", "how", "address")]
        texts.append(row.get("said", ""))  # before it was kept there was none
        if not isinstance(port, int) or family not in (4, 6) or not isinstance(at, int | float):
            continue
        if all(isinstance(one, str) for one in texts):
            state, peer, how, address, said = texts
            found[port, family] = Seen(family, state, peer, how, float(at), address, said)  # type: ignore[arg-type]
    return found


def to_keep(seen: dict[tuple[int, int], Seen]) -> dict[str, object]:
    """The document that `seen_in` reads."""
    return {"rows": [{"port": port, **one._asdict()} for (port, _unused), one in sorted(seen.items())]}


def joined(
    before: dict[tuple[int, int], Seen], now: dict[tuple[int, int], Seen]
) -> dict[tuple[int, int], Seen]:
    """What is known after a further proof: what it could not find out leaves what was known."""
    new = {key: one for key, one in now.items() if one.state in DECIDED or key not in before}
    return {**before, **new}
