"""Facts of a machine that answers every question alike, and parsers of texts that no other machine has."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import mailcow_wizard.facts
from mailcow_wizard.checks import all_checks
from mailcow_wizard.conf import rules_lines, rules_together
from mailcow_wizard.engine import settings, subjects
from mailcow_wizard.engine.defect import described
from mailcow_wizard.engine.undo import target
from mailcow_wizard.facts import (
    addresses,
    checkout,
    compose_files,
    config,
    cpu,
    data_places,
    docker,
    docker_addresses,
    docker_shims,
    kernel,
    main_programs,
    modprobe,
    modules,
    neighbours,
    owners,
    packages,
    ports,
    protected_services,
    units,
    web_sites,
)
from mailcow_wizard.facts.dns import (
    decide,
    exchangers,
    expected,
    merging,
    message,
    mta_sts,
    own_resolvers,
    signatures,
    spf_record,
    state,
    wire,
)
from mailcow_wizard.facts.firewall import nft_xt, ssh
from mailcow_wizard.facts.mail import mailboxes, postfix_log, relay
from mailcow_wizard.facts.mail.installed import Installed, Listed
from mailcow_wizard.facts.network import hairpin
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_tracking import read_tracking, read_variables
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing, TooLarge
from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Trip, Tripped
from mailcow_wizard.host.replies import (
    MIB,
    Certificate,
    DnsQuestion,
    DnsReply,
    FileInfo,
    HttpReply,
    Listener,
    Listeners,
    Probe,
    Probed,
    Process,
    Ran,
    Space,
    TimeAnswer,
    Uname,
    User,
)
from mailcow_wizard.install import override, services
from mailcow_wizard.model import Settings
from tests.fuzz.dns_packets import packets
from tests.fuzz.target import DEEP, DIGITS, Target, text

_MOST_ASKED = 3000


class Repeating(Host):
    """A machine that says the same whatever it is asked; it has every file."""

    def __init__(self, data: bytes) -> None:
        self._data, self._text = data, text(data)
        self._asked = 0

    def _count(self) -> None:
        self._asked += 1
        assert self._asked < _MOST_ASKED, "it asks without end"

    def read(self, path: str, limit: int = MIB) -> bytes:
        self._count()
        if len(self._data) > limit:
            raise TooLarge(f"{path} is larger than {limit:,} bytes")
        return self._data

    def kept(self, name: str) -> bytes:
        return self.read(name)

    def names(self, path: str) -> tuple[str, ...]:
        self._count()
        if path.count("/") > 4:
            raise Missing(f"{path} is not there")
        return tuple(sorted(one.replace("/", "") for one in self._text.split("\0")[:20] if one))

    def info(self, path: str, follow: bool = True) -> FileInfo:
        self._count()
        return FileInfo("file", 0o644, 0, 0, len(self._data), 0.0)

    def resolve(self, path: str) -> str:
        self._count()
        return path if len(self._data) % 2 else f"/{self._text}"

    def contains(self, path: str, needle: bytes) -> bool:
        return needle in self._data

    def space(self, path: str) -> Space:
        return Space(len(self._data), len(self._data) * 2, 0, 0)

    def which(self, command: str) -> str:
        return f"/usr/bin/{command}"

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        self._count()
        return Ran(0, self._text, self._text)

    def uname(self) -> Uname:
        return Uname(self._text, self._text, self._text, "aarch64", 64)

    def user(self) -> User:
        return User(0, "root", (1 << 41) - 1)

    def variable(self, name: str) -> str:
        return self._text

    def working_directory(self) -> str:
        return "/"

    def now(self) -> float:
        return 1_790_000_000.0

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners(tuple(Listener(4, "0.0.0.0", one, None, "", 0, 1, 1) for one in ports[:3]), "proc")

    def holders(self, sockets: tuple[Listener, ...]) -> Any:
        raise HostError("nobody knows")

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        return (Process(7, names[0], self._text, tuple(self._text.split()), self._text, f"/{self._text}"),)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        self._count()
        return HttpReply(200, self._data)

    def fetch(self, *words: Any, **named: Any) -> HttpReply:
        return HttpReply(200, self._data)

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        return tuple(TimeAnswer(one, "192.0.2.1", 1, 2, self._data[24:32], self._data, "") for one in servers)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        self._count()
        return tuple(DnsReply("192.0.2.53", "udp", self._data, 0.01, "") for _ in questions)

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        return tuple(Probed("open", 0.01, self._text) for _ in probes)

    def source_address(self, destination: str) -> str:
        return "2001:db8::10" if ":" in destination else "192.0.2.10"

    def hairpin(self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5) -> Any:
        raise HostError("no way back")

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        return Certificate(self._data, self._text)

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        replies = (self._text,) * 6
        return tuple(Spoken("open", self._text, replies, "TLSv1.3", self._data) for _ in dialogues)

    def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
        return Tripped("done", self._text, "INBOX", 1.0, (self._text,))


@functools.cache
def sources() -> dict[str, list[Callable[[Any], object]]]:
    """Every function of facts that asks the machine and needs nothing else, by package."""
    found: dict[str, list[Callable[[Any], object]]] = {}
    for place in pkgutil.walk_packages(mailcow_wizard.facts.__path__, "mailcow_wizard.facts."):
        module = importlib.import_module(place.name)
        package = place.name.split(".")[2] if place.name.count(".") > 2 else "machine"
        for one in vars(module).values():
            if inspect.isfunction(one) and one.__module__ == place.name:
                parameters = list(inspect.signature(one).parameters)
                if parameters == ["facts"]:
                    found.setdefault(package, []).append(one)
                elif parameters == ["host"]:
                    found.setdefault(package, []).append(lambda facts, one=one: one(facts.host))
    return found


_SETTINGS = Settings(hostname="mail.example.org", domains=("example.org",), addresses=("192.0.2.10",))


def _asking(package: str) -> Callable[[bytes], object]:
    def feed(data: bytes) -> None:
        if len(data) < 2:
            return
        every = sources()[package]
        ask = every[int.from_bytes(data[:2], "big") % len(every)]
        facts = Facts(Repeating(data[2:]), _SETTINGS)
        with contextlib.suppress(HostError):
            found: Any = ask(facts)
            if inspect.isgenerator(found):
                list(found)

    return feed


def _dns(data: bytes) -> None:
    message._read.cache_clear()
    read = message.answer(DnsReply("192.0.2.53", "udp", data, 0.01, ""))
    read.values("TXT")
    with contextlib.suppress(wire.Unreadable):
        wire.message(data)


def _kernel(data: bytes) -> None:
    list(cpu.dmi_speeds(data))
    cpu.page_size(data, 4), cpu.page_size(data, 8)
    words = text(data)
    parsers = (kernel.parse_release, kernel.hard_limit, kernel.capabilities_of_root)
    for ask in (*parsers, modules.parse_configuration, modules.parse_list):
        with contextlib.suppress(HostError):
            ask(words)  # type: ignore[operator]
    with contextlib.suppress(HostError):
        modules._unpacked(data)
    modprobe.parse_installs(words), read_tracking(words), read_variables(words, 1e9)


def _sites(data: bytes) -> None:
    words = text(data)
    web_sites.nginx_sites(words), web_sites.apache_sites(words)
    web_sites.caddy_sites(words), web_sites.proxied(words)
    checkout.services(words)
    ssh._parsed(words)
    with contextlib.suppress(ValueError):
        relay._far_ends(f"0: 00:0019 {words} 01")
    for key in ("HTTP_PORT", "DBPASS"):
        settings.comment_above(words, key)
    rules_lines._is_name(words[:64], words), rules_together._ipv6(words)


def _macros(data: bytes) -> None:
    spec, _, local = text(data).partition("\n")
    for address in ("192.0.2.1", "2001:db8::1"):
        sender = spf_record.Sender(address, "mail.example.org", local or "postmaster", "example.org")
        with contextlib.suppress(spf_record.BadRecord):
            spf_record._checked(spec, spec)
            spf_record.expanded(spec, sender, "example.org", lambda: "mail.example.org")


def _installing(data: bytes) -> None:
    """What Docker says while an install goes on."""
    facts = Facts(Repeating(data), _SETTINGS)
    with contextlib.suppress(HostError):
        services.services(facts, "mailcowdockerized")
    with contextlib.suppress(HostError):
        services.health_said(facts, services.Service("x", "x", "x", "running", ""))
    override.allowed_files(facts)


_UNIT = units.Unit("x.service", "loaded", "enabled", True, True, path="/etc/systemd/system/x.service")
_OF_DOMAINS = next(one for one in all_checks() if one.id == "dns.mx")
_LISTENER = Listener(4, "0.0.0.0", 25, None, "", 0, 1, 1)
_ABOUT: tuple[Callable[[Facts], object], ...] = (
    lambda facts: units.linked_from(facts, _UNIT),
    lambda facts: units.enabled_besides(facts, _UNIT),
    lambda facts: units.wanted_by_hand(facts, _UNIT),
    lambda facts: units.is_only_linked(facts, _UNIT, "y.service"),
    lambda facts: packages._one_by_one(facts, ("/usr/sbin/x",), ("rpm", "-qf"), True),
    lambda facts: packages._one_by_one(facts, ("/usr/sbin/x",), ("pacman", "-Qo"), False),
    lambda facts: ports._socket_unit(facts, _LISTENER),
    lambda facts: main_programs._runs_only(facts, "/x", 1, "/usr/sbin/x"),
    lambda facts: main_programs._is_kin(facts, "/usr/sbin/x", "/usr/lib/y", "z"),
    lambda facts: neighbours.is_near(facts, "192.0.2.1"),
    lambda facts: relay._has_v6(facts, "mailcowdockerized"),
    lambda facts: mailboxes.known(facts, "a@example.org"),
    lambda facts: owners.Owners(facts.host).has_others(7, 1),
    mailboxes.has_key,
    lambda facts: postfix_log.fate(facts, _MAIL, "queued as 40DBC22AB6A"),
    lambda facts: config._time(facts.host, "%Z", "/x"),
    lambda facts: checkout.as_committed(facts, ("mailcow.conf", "x y")),
    lambda facts: addresses._from_outside(facts, 4, "10.0.0.1"),
    lambda facts: subjects.known_beforehand(_OF_DOMAINS, facts),
)


def _asked_about(data: bytes) -> None:
    """Facts that are asked about something: a unit, a program, a path."""
    if data:
        with contextlib.suppress(HostError):
            _ABOUT[data[0] % len(_ABOUT)](Facts(Repeating(data[1:]), _SETTINGS))


def _pieces(data: bytes) -> None:
    """Parts of answers, as they come out of larger ones."""
    words = text(data)
    docker.seconds(words), expected.right_service("0 1 25 mail.example.org")((words,))
    state._minimum(words), hairpin._name(words), protected_services.where_to_look(words, words)
    own_resolvers.patience(words), signatures._kind(words), exchangers._target(words)
    merging._with("example.org", words, ["mx"]), merging.says_mx(words)
    mta_sts._page(HttpReply(200, data))
    described(ValueError(words))
    target._lines("/etc/fstab", data), data_places.store_root(words), compose_files.said(words)
    for kind in ("TXT", "MX", "A"):
        decide._folded(f"{kind} {words}")
    asked = Facts(Repeating(data), _SETTINGS)
    docker_addresses.addresses(asked, {"bip": words, "default-address-pools": [{"base": words, "size": 1}]})
    docker_shims.containers_run(asked)


def _xt(data: bytes) -> None:
    """How nft writes rules of iptables, whichever match or target it names."""
    for name in (*nft_xt._MATCHES, "x"):
        assert nft_xt.translated({"type": "match", "name": name}, text(data)) or name == "comment"
    for name in ("LOG", "SNAT", "REJECT", "CT", "MARK", "CONNMARK", "DNAT", "REDIRECT", "x"):
        nft_xt.translated({"type": "target", "name": name}, text(data))


_XT = (
    b"meta l4proto tcp tcp dport != { 80, 443, 900-1200 } ct state ! invalid,new counter accept",
    b"ct original ip6 daddr fd00::/64 ct mark and 0xf == 0x1 fib daddr type local meta length 0-39 drop",
    b"ip saddr 1.1.1.1-2.2.2.2 skuid 10-20 skgid 5 pkttype multicast icmp type echo-request accept",
    b"meter d { ip saddr limit rate over 10/second } meta mark set 0x5", b"dnat to [fd00::1]:25",
    b"tcp dport 26 counter redirect to :25", b"counter snat to 1.2.3.4 ct state " + DIGITS, b"notrack",
)  # fmt: skip
_KERNEL = (
    b"\4\x18" + bytes(0x14) + b"\x10\x0e\0\0", b"\x06" + bytes(7) + b"\0\x10" + bytes(6),
    b"6.1.0-25-amd64", b"CONFIG_X=y\n# CONFIG_Y is not set\nCONFIG_Z=m\n", b"4.15.0-58-generic",
    b"Max open files            1024                 524288               files\n",
    b"C0A80001,192.168.0.1,3,1790000000.1,0.000001,0.000002,0.00001,1.0,0.0,0.1,0.01,0.001,64.2,Normal\n",
)  # fmt: skip
_PIECES = (
    b"0 5 443 a.example.", b"v=spf1 mx -all", b"220 x ESMTP y", b"options rotate timeout:" + DIGITS,
    b"10 mx.example.org", b"4711 13 2 5a5a", DIGITS, b"172.22.1.1/24", b"-namespace moby\nNSpid: 1 2\n",
)  # fmt: skip
_MAIL = Installed("", "", "x", (Listed("a", "b", "postfix-mailcow", "running"),))
_SITES = (
    b"server { listen 80 default_server; root /var/www/html; }\n", b"0100007F",
    b"<VirtualHost *:80>\nDocumentRoot /var/www/html\n</VirtualHost>\n", b"backend web\n  server a 1.2.3.4\n",
    b"server { listen 80; server_name a.example b.example; root /var/www; location / { proxy_pass x; } }\n",
    b"<VirtualHost *:80>\nServerName a.example\nDocumentRoot /var/www\n</VirtualHost>\n",
    b"a.example, b.example {\n\troot * /srv\n\treverse_proxy x\n}\n", b"192.0.2.7 50022 192.0.2.10 22",
    b"services:\n  a:\n    image: x\n  b:\n    image: y\n", b"# What for.\n#\nHTTP_PORT=80\n\nHTTP_BIND=\n",
)  # fmt: skip
_MACROS = (b"%{d}.%{ir}.%{l1r-}.%{s}\na.b", b"%%%_%-x%{h2}", b"%{p}.%{v}.%{o}")
_CONTAINERS = (
    b'[{"Id": "a", "Names": ["/b"], "State": "running", "Status": "Up (healthy)", "Labels": '
    b'{"com.docker.compose.project": "mailcowdockerized", "com.docker.compose.service": "x"}}]',
    b'{"State": {"Health": {"Log": [{"Output": "x"}]}}, "RestartCount": 1}', DEEP,
    b"CapEff:\t0\nMax open files            1024                 524288               files\n",
)  # fmt: skip
_STARTS = (
    b"", b"x\n", b"1\n", b"{}", b"[]", b'[{}]', b'{"a": 1}', DEEP, DIGITS, b"\xc2\xb2\n", b"a=b\nc=d\n",
    b"\0\0", b"a:x:7:7:\nb:x:7:c,d\n", b"0 0 0\n", b"a: b\n", b"a b c d e f g h i j k\n", b"/a /b /c\n",
)  # fmt: skip


def targets() -> tuple[Target, ...]:
    """Of facts."""
    asking = []
    for package, every in sources().items():
        seeds = [n.to_bytes(2, "big") + _STARTS[n % len(_STARTS)] for n in range(len(every))]
        seeds += [n.to_bytes(2, "big") + one for n in range(0, len(every), 7) for one in _STARTS]
        asking.append(Target(f"facts alike {package}", _asking(package), tuple(seeds)))
    about = tuple(bytes((n,)) + one for n in range(len(_ABOUT)) for one in _STARTS)
    return (
        Target("facts dns", _dns, packets()),
        Target("facts kernel", _kernel, _KERNEL),
        Target("facts xt", _xt, _XT),
        Target("facts sites", _sites, _SITES),
        Target("facts macros", _macros, _MACROS),
        Target("facts about", _asked_about, about),
        Target("facts pieces", _pieces, _PIECES),
        Target("facts installing", _installing, _CONTAINERS),
        *asking,
    )
