"""The DNS of a few lines of a test: who asks gets packets, as name servers write them."""

from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from fake_host import FakeHost

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Probe, Probed
from mailcow_wizard.model import Settings

RESOLVER = "192.0.2.53"
SERVER = "192.0.2.54"
OURS = "198.51.100.25"
OURS_V6 = "2001:db8:25::25"
NAME, DOMAIN = "mail.example.org", "example.org"
ZONE = {
    ("example.org", "NS"): "ns.example.net.",
    ("ns.example.net", "A"): SERVER,
    ("mail.example.org", "A"): OURS,
    ("mail.example.org", "AAAA"): OURS_V6,
    ("example.org", "MX"): "10 mail.example.org.",
}

Rows = Mapping[tuple[str, str], str | tuple[str, ...]]


class World(FakeHost):
    """`records` maps a name and type to a value or several, in the zone file's form; TXT without quotes.

    A value of `silence` gives no answer, `SERVFAIL` and `REFUSED` that code, whatever server is asked.
    `pages` maps a host's name to what fetching from it gives; `servers` an address to one of those words,
    which it then says to everything.
    """

    def __init__(self, records: Rows, pages: Mapping[str, HttpReply | HostError] | None = None) -> None:
        super().__init__()
        self.records = {key: (one,) if isinstance(one, str) else one for key, one in records.items()}
        self.pages = dict(pages or {})
        self.servers: dict[str, str] = {}
        self.rounds: list[tuple[DnsQuestion, ...]] = []

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        self.rounds.append(questions)
        return tuple(self._reply(one) for one in questions)

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
        response.flags |= dns.flags.AA
        name = asked.name
        for _ in range(5):
            found = self.records.get((name, asked.type), ())
            if asked.servers[0] in self.servers:
                found = (self.servers[asked.servers[0]],)
            if "silence" in found:
                return DnsReply(asked.servers[0], "", b"", 0.0, f"no answer within {2} s")
            if found and found[0] in ("SERVFAIL", "REFUSED"):
                response.set_rcode(dns.rcode.from_text(found[0]))
                break
            alias = self.records.get((name, "CNAME"), ())
            kind, values = ("CNAME", alias) if alias and not found else (asked.type, found)
            if values:
                texts = [_strings(one) if kind == "TXT" else one for one in values]
                response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", kind, *texts))
            if kind != "CNAME" or asked.type == "CNAME":
                break
            name = alias[0].removesuffix(".")
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        raise HostError("nothing is tried here")

    def source_address(self, destination: str) -> str:
        return OURS_V6 if ":" in destination else OURS

    def fetch(
        self,
        name: str,
        path: str,
        family: int = 0,
        timeout: float = 4.0,
        tls: bool = False,
        proxy: str = "",
        address: str = "",
    ) -> HttpReply:
        self.asked.append(f"https://{name}{path}" if tls else f"http://{name}{path}")
        page = self.pages.get(name, HostError(f"{name} has no address that could be looked up"))
        if isinstance(page, HostError):
            raise page
        return page


def _strings(text: str) -> str:
    """A text in the zone file's form, in strings that are short enough."""
    return " ".join(f'"{text[place : place + 250]}"' for place in range(0, len(text) or 1, 250))


def facts(
    records: Rows,
    pages: Mapping[str, HttpReply | HostError] | None = None,
    addresses: tuple[str, ...] = (OURS, OURS_V6),
    domains: tuple[str, ...] = (DOMAIN,),
) -> Facts:
    """The server mail.example.org in a world of these records and those of its zone."""
    world = World({**ZONE, **records}, pages)
    settings = Settings(hostname=NAME, domains=domains, addresses=addresses, resolver=RESOLVER)
    return Facts(world, settings)


def world_of(known: Facts) -> World:
    """The world that these facts are asked of."""
    assert isinstance(known.host, World)
    return known.host
