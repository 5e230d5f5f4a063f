"""A machine on which mailcow was installed and runs: what the demo machine has, after an install, with
firewalls, a time service and a Docker that say a lot."""

import base64
import json
from pathlib import Path
from typing import Any

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.dns.delegation import walk_every_way
from mailcow_wizard.facts.identity import hostname, machine_line
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Trip, Tripped
from mailcow_wizard.host.recording.recorded import RecordingHost
from mailcow_wizard.host.replies import MIB, HttpReply, Listener, Listeners, Process, Ran, TimeAnswer
from mailcow_wizard.model import Settings
from tests import demo_docker
from tests.checks import time_machine
from tests.checks.mail_machine import MailMachine, container
from tests.checks.test_mail_services import GOOD, wrote
from tests.demo_config import DIRECTORY
from tests.demo_machine import DemoMachine

SEEDS = Path(__file__).parent / "fuzz" / "seeds"
SERVICES = (
    "postfix", "dovecot", "mysql", "redis", "nginx", "php-fpm", "rspamd", "unbound", "acme", "netfilter",
)  # fmt: skip
ACME_LOG = (
    "Wed Nov 25 10:00:00 UTC 2026 - Waiting for domain list ...\n"
    "Wed Nov 25 10:00:01 UTC 2026 - Found A record for mail.example.org: 192.88.99.10\n"
    "Wed Nov 25 10:00:02 UTC 2026 - Certificates were successfully validated\n"
)
_NO_HOLDERS: tuple[()] = ()


def seed(name: str) -> str:
    """What a tool said once."""
    return (SEEDS / name).read_text(encoding="utf-8")


def _boxes() -> tuple[dict[str, Any], ...]:
    healthy = (0, "ok")
    return tuple(
        container(
            f"{one}-mailcow",
            health="healthy",
            log=(healthy,),
            lines=ACME_LOG if one == "acme" else f"{one} is ready\n",
        )
        for one in SERVICES
    )


class InstalledMachine(DemoMachine):
    """The machine that is recorded."""

    def __init__(self) -> None:
        super().__init__()
        der = (SEEDS / "certificate.der").read_bytes()
        spoken = {port: one._replace(der=der) if one.tls else one for port, one in GOOD.items()}
        headers = wrote(
            "spf=pass (a) smtp.mailfrom=a@example.org; dkim=pass header.d=example.org; dmarc=pass"
        )
        self._arrived = Tripped("done", "", "INBOX", 1.5, headers)
        self._mail = MailMachine(_boxes(), spoken)
        self.files.update(
            {
                "/etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n",
                "/etc/default/ufw": 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\n',
                "/proc/modules": "nf_tables 1 1 - Live 0x0\nip_tables 1 1 - Live 0x0\n",
                "/proc/net/ip_tables_names": "filter\n",
                "/proc/net/if_inet6": "20010db8000000000000000000000010 02 40 00 80     eth0\n",
                "/etc/docker/daemon.json": '{"ipv6": true, "default-address-pools": [], "mtu": 1450}\n',
                "/proc/uptime": "1000.00 2000.00\n",
                "/etc/chrony/chrony.conf": "pool 2.debian.pool.ntp.org iburst\nserver ntp.example.net\n",
            }
        )
        for name in ("nft", "iptables", "ip6tables", "ipset", "ufw", "chronyc"):
            self.files[f"/usr/sbin/{name}"] = b"\x7fELF"
        self.commands.update(
            {
                "iptables --version": "iptables v1.8.9 (nf_tables)\n",
                "nft -s -j list ruleset": seed("nft.json"),
                "nft -s -a list ruleset": seed("nft.txt"),
                "iptables-nft-save": seed("iptables-save.txt"),
                "ip6tables-nft-save": seed("ip6tables-save.txt"),
                "iptables-legacy-save": seed("iptables-legacy-save.txt"),
                "ipset save": seed("ipset.txt"),
                time_machine.SHOW: time_machine.units(chrony="active enabled"),
                time_machine.TRACKING: time_machine.GOOD_LINE,
                "chronyc -n tracking": "Reference ID    : C0A80001 ()\nLeap status     : Normal\n",
            }
        )
        self.variables.update(
            {
                "MAILCOW_WIZARD_MAILBOX": "a@example.org",
                "MAILCOW_WIZARD_MAILBOX_PASSWORD": "x",
                "MAILCOW_WIZARD_FAR_MAILBOX": "b@example.net",
                "MAILCOW_WIZARD_FAR_IMAP": "imap.example.net:993",
                "MAILCOW_WIZARD_FAR_PASSWORD": "x",
            }
        )

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        if argv[:2] == ("docker", "exec"):
            script = " ".join(argv)
            key = base64.b64encode(b"0" * 270).decode()
            return Ran(0, f"dkim\nv=DKIM1;k=rsa;p={key}\n" if "redis" in script else "1\t0\t0\n", "")
        return super().run(argv, timeout, most, begun)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target in ("/version", "/info"):
            return demo_docker.answer(target, [])
        if target == "/containers/json":
            target = "/containers/json?all=1"
        if target == "/networks":
            theirs = json.loads(self._mail.http(socket_path, target).body)
            return HttpReply(200, json.dumps([*demo_docker.NETWORKS, *theirs]).encode())
        return self._mail.http(socket_path, target)

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        return self._mail.converse(dialogues)

    def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
        return self._arrived

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[()]:
        return _NO_HOLDERS

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        found = [name for name in ("chronyd", "dockerd") if name in names]
        return tuple(Process(100 + n, one, "root", (one,), "", "") for n, one in enumerate(found))

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        return time_machine.several(*(0.001 * n for n in range(len(servers))))


def document() -> dict[str, Any]:
    """The recording of it."""
    recorder = RecordingHost(InstalledMachine())
    facts = Facts(recorder, Settings(directory=DIRECTORY))
    machine_line(facts)
    hostname(facts)
    recorder.now()
    Run(all_checks(), facts, lambda event: None).run()
    recorder.settle()
    walk_every_way(facts)
    return recorder.document(DIRECTORY)
