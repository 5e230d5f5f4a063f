"""Which certificate authorities may issue for the names on mailcow's certificate (CAA, RFC 8659)."""

from __future__ import annotations

from mailcow_wizard.facts.dns.acme_settings import AcmeSettings, acme_settings, candidates
from mailcow_wizard.facts.dns.caa import DNS, HTTP, MOST_PARTS
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.dns.state import ends, texts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple


class Climb(NamedTuple):
    """A name on the certificate, and what CAA there is at it and at each name above, the closest first."""

    name: str
    seen: tuple[Seen, ...]

    @property
    def relevant(self) -> Seen | None:
        """The closest record set, which alone counts (RFC 8659, 3); None where there is none, and where a
        closer name could not be asked."""
        for one in self.seen:
            if said(one) or one == self.silent:
                return one if said(one) else None
        return None

    @property
    def holder(self) -> str:
        """Where the closest record set stands: at the name itself, or at the end of the alias that it is."""
        seen = self.relevant
        rows = [row for one in ends(seen) for row in one.of("CAA")] if seen else []
        return rows[0].name if rows else self.name

    @property
    def silent(self) -> Seen | None:
        """The first that could not be asked, below the top-level domain, or whose alias could not be
        followed; None where all answered."""
        return next((one for one in self.seen if not ends(one) and one.name.count(".")), None)


def said(seen: Seen) -> tuple[str, ...]:
    """The CAA records at a name, or at the end of the alias that it is."""
    return texts(seen)


class Authorities(NamedTuple):
    """The server, whether mailcow will ask for certificates, and the climb of each name; `others` are
    those of names that mailcow asks for only once MTA-STS is switched on; `method` is how it proves them,
    and `directory` the host of the authority that it asks, where that is not Let's Encrypt."""

    server: MailServer
    asks: bool
    climbs: tuple[Climb, ...]
    others: tuple[Climb, ...] = ()
    method: str = HTTP
    directory: str = ""


def authorities(facts: Facts) -> Authorities:
    """Asks for CAA at the names that go on the certificate, and at all names above. Raises HostError."""
    server, settings = facts.get(mail_server), facts.get(acme_settings)
    # Where mailcow asks nobody, those of a usual certificate are looked at.
    tried = candidates(server, settings if settings.asks else AcmeSettings())
    others = tuple(one.name for one in tried if one.whose == "mta-sts")
    rows = {one.name: _upwards(one.name.removeprefix("*.")) for one in tried}
    every = tuple(dict.fromkeys(one for row in rows.values() for one in row))
    seen = look(facts, tuple(Wanted(one, "CAA", one.partition(".")[2] or one) for one in every))
    by_name = dict(zip(every, seen, strict=True))
    climbs = [Climb(name, tuple(by_name[one] for one in row)) for name, row in rows.items()]
    return Authorities(
        server,
        settings.asks,
        tuple(one for one in climbs if one.name not in others),
        tuple(one for one in climbs if one.name in others),
        DNS if settings.by_dns else HTTP,
        settings.directory,
    )


def _upwards(name: str) -> tuple[str, ...]:
    """The name and each above it, but not the root."""
    labels = name.split(".")
    return tuple(".".join(labels[place:]) for place in range(len(labels)))[:MOST_PARTS]
