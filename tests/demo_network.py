"""The demo machine's way out: port 25 is blocked by its provider, as with many, the rest passes; a VPN has a
route over the addresses that mailcow's containers want, and mailcow.conf asks for IPv6 that is not there."""

import dns.exception
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from mailcow_wizard import requirements_dns, requirements_network
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, Probe, Probed
from tests import demo_dns

_ROOTS = requirements_dns.ROOT_SERVERS_V4
_LETTERS = [f"{letter}.root-servers.net." for letter in "abcdefghijklm"]
_WEB, _RSYNC, _RELAY = "192.88.99.161", "192.88.99.162", "192.88.99.164"
_HOST_OF = {"rsync.sanesecurity.net": _RSYNC, **dict.fromkeys(requirements_network.SUBMISSION_HOSTS, _RELAY)}
_MAILS = {
    "gmail.com": ("gmail-smtp-in.l.google.com", "192.88.99.181"),
    "outlook.com": ("outlook-com.olc.protection.outlook.com", "192.88.99.182"),
    "gmx.net": ("mx00.emig.gmx.net", "192.88.99.183"),
    "web.de": ("mx-ha02.web.de", "192.88.99.184"),
}
_SILENT = Probed("silent", 4.0)

FILES: dict[str, str] = {
    "/proc/net/route": (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t016358C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t006358C0\t00000000\t0001\t0\t0\t0\t80FFFFFF\t0\t0\t0\n"
        "wg0\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    ),
    "/proc/net/fib_trie": (
        "Main:\n"
        "  +-- 0.0.0.0/0 3 0 5\n"
        "     |-- 127.0.0.1\n"
        "        /32 host LOCAL\n"
        "     |-- 172.17.0.1\n"
        "        /32 host LOCAL\n"
        f"     |-- {demo_dns.ADDRESS}\n"
        "        /32 host LOCAL\n"
    ),
}


_NOBODY = [address for some in requirements_network.NOBODYS_ADDRESSES.values() for address in some]


def probe(probes: tuple[Probe, ...]) -> tuple[Probed, ...]:
    """What became of each attempt."""
    return tuple(_result(one) for one in probes)


def converse(dialogues: tuple[Dialogue, ...]) -> tuple[Spoken, ...]:
    """What web servers outside say: each has a certificate of its own name."""
    head = "HTTP/1.1 200 OK\nConnection: close"
    return tuple(Spoken("open", replies=(head,), tls="TLSv1.3") for _one in dialogues)


def _result(asked: Probe) -> Probed:
    if asked.port == requirements_network.SMTP:
        return _SILENT._replace(seconds=asked.patience or 4.0)
    if asked.port in (11335, 11445) or asked.address in _NOBODY:
        return _SILENT._replace(seconds=asked.patience)
    if asked.address == _RSYNC:
        return _SILENT
    return Probed("open", 0.02)


def source_address(destination: str) -> str:
    """What is this machine's own stays here."""
    return destination if destination == demo_dns.ADDRESS else demo_dns.source_address(destination)


def ask_dns(questions: tuple[DnsQuestion, ...]) -> tuple[DnsReply, ...]:
    """What each server says: the rest of the world here, the machine's own names in `demo_dns`."""
    return tuple(_reply(one) or demo_dns.ask_dns((one,))[0] for one in questions)


def _reply(asked: DnsQuestion) -> DnsReply | None:
    try:
        query = dns.message.make_query(asked.name, asked.type)
    except dns.exception.DNSException:  # the real door refuses such a name, too
        raise HostError("a name with an empty or too long part cannot be looked up") from None
    response = dns.message.make_response(query)
    response.id = 0
    root = asked.servers[0] in _ROOTS
    if asked.name == ".":
        _root(response, asked)
    elif root or not asked.recursive or not _known(response, asked):
        return None
    if root:
        response.flags |= dns.flags.AA
    transport = asked.transport or "udp"
    return DnsReply(asked.servers[0], transport, response.to_wire(), 0.02, "")


def _known(response: dns.message.Message, asked: DnsQuestion) -> bool:
    """Adds what is known of a name of somebody else's; whether anything is."""
    value = ""
    hosts = {one.host for one in requirements_network.OUTGOING} | set(_HOST_OF)
    mails = dict(_MAILS.values())
    if asked.name in _MAILS and asked.type == "MX":
        value = f"10 {_MAILS[asked.name][0]}."
    elif asked.name in mails and asked.type == "A":
        value = mails[asked.name]
    elif asked.name == "current.cvd.clamav.net":
        value = '"1.4.3:62:27800:1790000000:1:90:49192:339"' if asked.type == "TXT" else ""
    elif asked.name in hosts and asked.type == "A" and not asked.name.startswith("ip6."):
        value = _HOST_OF.get(asked.name, _WEB)
    elif asked.name not in {*hosts, *mails, *_MAILS}:
        return False
    if value:
        response.answer.append(dns.rrset.from_text(f"{asked.name}.", 300, "IN", asked.type, value))
    return True


def _root(response: dns.message.Message, asked: DnsQuestion) -> None:
    if asked.type == "NS":
        # One by one: records that belong together are written in an order by chance.
        for name in _LETTERS:
            response.answer.append(dns.rrset.from_text(".", 518400, "IN", "NS", name))
    elif asked.type == "SOA":
        soa = "a.root-servers.net. nstld.verisign-grs.com. 2026092101 1800 900 604800 86400"
        response.answer.append(dns.rrset.from_text(".", 86400, "IN", "SOA", soa))
    else:
        key = f"257 3 8 {'AwEAAaz' + 'A' * 337}"
        response.answer.append(dns.rrset.from_text(".", 172800, "IN", asked.type, key))
    if asked.dnssec:
        signature = f"{asked.type} 8 0 518400 20261004050000 20260921040000 20326 . {'MTIz' * 86}"
        response.answer.append(dns.rrset.from_text(".", 518400, "IN", "RRSIG", signature))
