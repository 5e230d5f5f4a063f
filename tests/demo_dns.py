"""The names of the demo machine: root servers, its own zone, its provider's reverse zone, blocklists.

The domain is half ready: mail finds the server, but the provider has not set its name yet, and what tells
programs their settings and others what to do with forged mail is still missing.
"""

import ipaddress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply
from mailcow_wizard.requirements_network import HEALTHCHECK_NAMES

ADDRESS = "192.88.99.10"
RESOLVER = "192.88.99.153"
_ROOTS = (*need.ROOT_SERVERS_V4, *need.ROOT_SERVERS_V6)
_OWN, _TOP, _PROVIDER, _LISTS = "192.88.99.130", "192.88.99.129", "192.88.99.140", "192.88.99.132"
_FAR = "192.88.99.150"
_SOA = "ns1.example.net. hostmaster.example.net. 1 3600 900 604800 3600"
_LISTED = "dnsbl-2.uceprotect.net"

# Each zone: its name server's address, and its records.
ZONES: dict[str, tuple[str, dict[tuple[str, str], tuple[str, ...]]]] = {
    "org": (_TOP, {}),
    "example.org": (
        _OWN,
        {
            ("mail.example.org", "A"): (ADDRESS,),
            ("example.org", "A"): ("192.88.99.161",),
            ("example.org", "MX"): ("10 mail.example.org.",),
            ("example.org", "TXT"): ('"v=spf1 mx ~all"',),
            ("autodiscover.example.org", "CNAME"): ("mail.example.org.",),
        },
    ),
    "99.88.192.in-addr.arpa": (
        _PROVIDER,
        {("10.99.88.192.in-addr.arpa", "PTR"): ("static.10.99.88.192.hosting.example.net.",)},
    ),
    **{one.zone: (_LISTS, {}) for one in need.BLOCKLISTS},
    **{name: (_FAR, {(name, "A"): ("192.88.99.161",)}) for name in HEALTHCHECK_NAMES},
}


def ask_dns(questions: tuple[DnsQuestion, ...]) -> tuple[DnsReply, ...]:
    """What each server of this internet says."""
    return tuple(_reply(one) for one in questions)


def fetch(name: str) -> HttpReply:
    """The pages that checks ask for."""
    if name == need.ASN_CHECK:
        return HttpReply(200, b"OK")
    raise HostError(f"{name} has no address that could be looked up")


def source_address(destination: str) -> str:
    """The machine has IPv4 only."""
    if ":" in destination:
        raise HostError(f"no route to {destination}: network is unreachable")
    return ADDRESS


def _reply(asked: DnsQuestion) -> DnsReply:
    server = asked.servers[0]
    response = dns.message.make_response(dns.message.make_query(asked.name, asked.type))
    response.id = 0
    zone = _zone(asked.name)
    if server in _ROOTS or (server == _TOP and zone != "org"):
        _refer(response, zone)
    elif asked.recursive or server == ZONES[zone][0]:
        _answer(response, asked, zone)
    else:
        response.set_rcode(dns.rcode.REFUSED)
    return DnsReply(server, "udp", response.to_wire(), 0.02, "")


def _zone(name: str) -> str:
    """The deepest zone that holds a name; `org` where there is none."""
    while name and name not in ZONES:
        name = name.partition(".")[2]
    return name or "org"


def _refer(response: dns.message.Message, zone: str) -> None:
    servers = f"ns.{zone}."
    response.authority.append(dns.rrset.from_text(f"{zone}.", 3600, "IN", "NS", servers))
    response.additional.append(dns.rrset.from_text(servers, 3600, "IN", "A", ZONES[zone][0]))


def _answer(response: dns.message.Message, asked: DnsQuestion, zone: str) -> None:
    response.flags |= dns.flags.AA
    records = ZONES[zone][1]
    name, listed = asked.name, _listing(asked.name, zone)
    if listed and asked.type == "A":
        response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "A", listed))
        return
    alias = records.get((name, "CNAME"), ())
    if alias:
        response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "CNAME", *alias))
        name = alias[0].removesuffix(".")
    found = records.get((name, asked.type), ())
    if asked.type == "NS" and name == zone:
        found = (f"ns.{zone}.",)
    if found:
        response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", asked.type, *found))
        return
    if not any(one == name or one.endswith(f".{name}") for one, _ in records) and name != zone:
        response.set_rcode(dns.rcode.NXDOMAIN)
    response.authority.append(dns.rrset.from_text(f"{zone}.", 300, "IN", "SOA", _SOA))


def _listing(name: str, zone: str) -> str:
    """What a blocklist says: its test entries are listed everywhere, and the server on one of them."""
    row = next((one for one in need.BLOCKLISTS if one.zone == zone), None)
    if row is None:
        return ""
    entry = name.removesuffix(f".{zone}")
    tests = {
        "2.0.0.127",
        row.test,
        ipaddress.ip_address("::ffff:7f00:2").reverse_pointer.removesuffix(".ip6.arpa"),
    }
    ours = ".".join(reversed(ADDRESS.split(".")))
    return "127.0.0.2" if entry in tests or (zone == _LISTED and entry == ours) else ""
