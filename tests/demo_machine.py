"""The recorded machine that ships with the wizard: a small rented server that shows a little of everything.

`python -m tests.demo_machine` writes mailcow_wizard/demo.json; a test says when that is due.
"""

import json
import struct
from pathlib import Path

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.dns.delegation import walk_every_way
from mailcow_wizard.facts.identity import hostname, machine_line
from mailcow_wizard.facts.reached import Seen, State, to_keep
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time import PROPERTIES, UNITS
from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.host.recording.recorded import DEMO, RecordingHost
from mailcow_wizard.host.replies import (
    DnsQuestion,
    DnsReply,
    FileInfo,
    Holder,
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
)
from mailcow_wizard.model import Settings
from mailcow_wizard.requirements_docker import REGISTRIES
from tests import demo_config, demo_dns, demo_docker, demo_network, demo_ports, demo_system
from tests.demo_config import DIRECTORY
from tests.fake_host import FakeHost

GIB = 1 << 30
NOW = 1_790_000_000.0

CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel Xeon Processor (Skylake, IBRS)
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 \
ss syscall nx pdpe1gb rdtscp lm constant_tsc pni pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe \
popcnt aes xsave avx f16c rdrand hypervisor lahf_lm abm avx2
"""
OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
ID=debian
"""
MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
25 22 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=399540k,mode=755
26 22 0:5 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate
"""
BUILT_IN = ("ip_tables", "ip6_tables")
LOADABLE = (
    "net/bridge/bridge", "net/bridge/br_netfilter", "drivers/net/veth", "fs/overlayfs/overlay",
    "net/netfilter/nf_tables", "net/netfilter/nf_conntrack", "net/netfilter/nf_nat",
    "net/netfilter/xt_conntrack",
    "net/netfilter/xt_addrtype", "net/netfilter/xt_MASQUERADE", "net/netfilter/nft_compat",
    "net/netfilter/nft_chain_nat", "net/ipv4/netfilter/iptable_nat", "net/ipv4/netfilter/iptable_filter",
    "net/ipv6/netfilter/ip6table_nat", "net/ipv6/netfilter/ip6table_filter",
)  # fmt: skip
TOOLS = ("git", "openssl", "curl", "awk", "sha1sum", "grep", "cut", "cp", "sed", "ping", "ip", "systemctl")

FILES: dict[str, str] = {
    "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 mail.example.org mail\n",
    "/etc/os-release": OS_RELEASE,
    "/proc/cpuinfo": CPUINFO,
    "/proc/meminfo": "MemTotal:        3995392 kB\nMemFree:         2811904 kB\n",
    "/proc/1300/status": "Name:\tcontainerd-shim\nNSpid:\t1300\n",
    "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "/proc/self/uid_map": "         0          0 4294967295\n",
    "/proc/self/mountinfo": MOUNTS,
    "/proc/self/limits": "Max open files            1048576              1048576              files     \n",
    "/proc/1/environ": "HOME=/\0init=/sbin/init\0",
    "/proc/version": "Linux version 6.1.0-25-amd64 (debian-kernel@lists.debian.org)\n",
    "/proc/modules": "nf_conntrack 188416 1 - Live 0x0000000000000000\n",
    "/proc/filesystems": "nodev\tsysfs\nnodev\ttmpfs\n\text4\n",
    "/proc/cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t91\t1\npids\t0\t91\t1\n",
    "/proc/uptime": "86523.11 170001.20\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
    "/sys/class/dmi/id/sys_vendor": "QEMU\n",
    "/sys/class/dmi/id/product_name": "Standard PC (Q35 + ICH9, 2009)\n",
    "/sys/kernel/security/apparmor/profiles": "",
    "/proc/sys/net/ipv4/ip_forward": "0\n",
    "/sys/module/apparmor/parameters/enabled": "Y\n",
    "/sys/class/rtc/rtc0/since_epoch": f"{NOW:.0f}\n",
    "/proc/sys/vm/overcommit_memory": "0\n",
    "/proc/sys/fs/inotify/max_user_instances": "128\n",
    "/proc/sys/fs/inotify/max_user_watches": "29541\n",
    "/proc/sys/fs/nr_open": "1048576\n",
    "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n",
    "/proc/sys/net/ipv6/conf/default/disable_ipv6": "0\n",
    "/lib/modules/6.1.0-25-amd64/modules.builtin": "".join(f"kernel/net/{one}.ko\n" for one in BUILT_IN),
    "/lib/modules/6.1.0-25-amd64/modules.dep": "".join(f"kernel/{one}.ko:\n" for one in LOADABLE),
    "/etc/resolv.conf": f"nameserver {demo_dns.RESOLVER}\n",
    "/etc/timezone": "Europe/Berlin\n",
    "/usr/share/zoneinfo/Europe/Berlin": "TZif2",
    "/etc/adjtime": "0.0 0 0.0\n0\nLOCAL\n",
    "/etc/systemd/timesyncd.conf": "[Time]\nNTP=ntp.example.net\n",
    "/var/lib/dpkg/status": "",
    "/run/systemd/system/": "",
    "/usr/sbin/apparmor_parser": "",
    "/run/docker.sock": "",
    "/var/run/docker.sock": "",
}
COMMANDS: dict[str, Ran | str] = {
    "systemd-detect-virt --container": Ran(1, "none\n", ""),
    "systemd-detect-virt --vm": "kvm\n",
    "timedatectl show": "Timezone=Europe/Berlin\nLocalRTC=yes\nCanNTP=yes\nNTP=yes\nNTPSynchronized=no\n",
    "dpkg-query -S /usr/sbin/exim4 /usr/sbin/nginx /sbin/exim4 /sbin/nginx": (
        "exim4-daemon-light: /usr/sbin/exim4\nnginx: /usr/sbin/nginx\n"
    ),
}


def _process(pid: int, name: str, user: str, unit: str, *command: str) -> Process:
    return Process(pid, name, user, command, f"/usr/sbin/{name}", f"/system.slice/{unit}")


_SHOW_UNITS = " ".join(
    (
        f"systemctl show -p {PROPERTIES}",
        *(f"{name}.service" for name in UNITS),
    )
)
PROXY_ARGUMENTS = (
    "/usr/bin/docker-proxy", "-proto", "tcp", "-host-ip", "127.0.0.1", "-host-port", "13306",
    "-container-ip", "172.17.0.2", "-container-port", "3306",
)  # fmt: skip
NGINX = ((900, "root", "master"), (901, "www-data", "worker"), (902, "www-data", "worker"))
HELD: tuple[tuple[Listener, Holder], ...] = (
    (
        Listener(4, "127.0.0.1", 25, None, "", 0, 9001, 71),
        Holder(
            9001,
            (_process(812, "exim4", "Debian-exim", "exim4.service", "/usr/sbin/exim4", "-bd", "-q30m"),),
            "/system.slice/exim4.service",
            "root",
        ),
    ),
    *(
        (
            Listener(4, "0.0.0.0", port, None, "", 0, inode, 72),
            Holder(
                inode,
                tuple(
                    _process(pid, "nginx", user, "nginx.service", f"nginx: {role} process")
                    for pid, user, role in NGINX
                ),
                "/system.slice/nginx.service",
                "root",
            ),
        )
        for port, inode in ((80, 9002), (443, 9003))
    ),
    (
        Listener(4, "127.0.0.1", 13306, None, "", 0, 9004, 73),
        Holder(
            9004,
            (Process(1403, "docker-proxy", "root", PROXY_ARGUMENTS, "", "/system.slice/docker.service"),),
            "/system.slice/docker.service",
            "root",
        ),
    ),
)
DISK = Space(13 * GIB, 38 * GIB, 2_301_440, 2_490_368)
CONTAINERS: list[dict[str, object]] = [
    {
        "Id": demo_ports.SHOP_DB,
        "Names": ["/shop-db-1"],
        "Ports": [{"IP": "127.0.0.1", "PrivatePort": 3306, "PublicPort": 13306, "Type": "tcp"}],
        "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"},
    }
]


def _reached() -> bytes:
    """A proof from outside two days ago: a firewall lets no mail in; ManageSieve was left out."""
    bad: dict[int, State] = {25: "never arrived", 110: "refused on the way"}
    seen = {
        (port, 4): Seen(
            4,
            bad.get(port, "arrived"),
            "" if port in bad else "198.51.100.7",
            "packet" if port in bad else "token",
            NOW - 2 * 86_400,
            demo_dns.ADDRESS,
        )
        for port in (25, 80, 110, 143, 443, 465, 587, 993, 995)
    }
    return json.dumps(to_keep(seen)).encode()


class DemoMachine(FakeHost):
    """The machine that is recorded."""

    def __init__(self) -> None:
        super().__init__(
            files={
                **FILES,
                **demo_config.FILES,
                **demo_network.FILES,
                **demo_ports.FILES,
                **demo_system.FILES,
                **demo_docker.FILES,
            },
            commands={
                **COMMANDS,
                **demo_config.COMMANDS,
                **demo_ports.COMMANDS,
                **demo_system.COMMANDS,
                **demo_docker.COMMANDS,
                _SHOW_UNITS: _units(),
            },
            links={"/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin", **demo_config.LINKS},
            spaces={"/": DISK, "/var/lib": DISK},
            uname=Uname("mail", "6.1.0-25-amd64", "#1 SMP Debian 6.1.106-3", "x86_64", 64),
            tools=(*TOOLS, *demo_system.TOOLS),
            now=NOW,
        )

    def working_directory(self) -> str:
        return "/root"

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners(tuple(one for one, _ in HELD if one.port in ports), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        known = {one.inode: holder for one, holder in HELD}
        return tuple(known[one.inode] for one in sockets)

    def kept(self, name: str) -> bytes:
        return _reached()

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        path = "/usr/bin/containerd-shim-runc-v2"
        words = (path, "-namespace", "moby", "-id", demo_ports.SHOP_DB)
        shim = Process(1300, "containerd-shim", "root", words, path, "/system.slice/containerd.service")
        return (shim,) if shim.name in names else ()

    def info(self, path: str, follow: bool = True) -> FileInfo:
        found = super().info(path, follow)
        return found._replace(mode=demo_config.MODES.get(path, found.mode))

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target == f"/containers/{demo_ports.SHOP_DB}/json":
            return HttpReply(200, demo_ports.CONTAINER.encode())
        return demo_docker.answer(target, CONTAINERS)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return demo_network.ask_dns(questions)

    def source_address(self, destination: str) -> str:
        return demo_network.source_address(destination)

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        return demo_network.probe(probes)

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        return demo_network.converse(dialogues)

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
        return demo_docker.fetch(name) if name in REGISTRIES else demo_dns.fetch(name)

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        offsets = (1.412, 1.409, 1.415, 93.2, None)
        return tuple(
            _time_answer(server, number, offset)
            for number, (server, offset) in enumerate(zip(servers, offsets, strict=False), 1)
        )


def _units() -> str:
    """systemd's answer about the synchronisation services: only its own is there, and it runs."""
    blocks = []
    for name in UNITS:
        there = name == "systemd-timesyncd"
        states = ("loaded", "active", "enabled", "4100000") if there else ("not-found", "inactive", "", "0")
        names = ("LoadState", "ActiveState", "UnitFileState", "ActiveEnterTimestampMonotonic")
        lines = [f"Id={name}.service", *(f"{key}={value}" for key, value in zip(names, states, strict=True))]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _time_answer(server: str, number: int, offset: float | None) -> TimeAnswer:
    """A server whose clock is `offset` seconds ahead of ours; None: it refuses with the code RATE."""
    sent = round(NOW * 1e9) + number * 1_000_000
    received = sent + 31_000_000
    nonce = struct.pack(">Q", 0xABCD_0000_0000_0000 + number)
    middle = ((sent + received) / 2e9) + (offset or 0.0)
    stamp = struct.pack(">Q", round((middle + 2_208_988_800) * (1 << 32)))
    stratum, reference = (0, b"RATE") if offset is None else (2, b"\xc0\0\2\1")
    head = struct.pack(">BBbbII4s", 0x24, stratum, 6, -23, 900, 1200, reference)
    return TimeAnswer(
        server, f"198.51.100.{number}", sent, received, nonce, head + stamp + nonce + stamp + stamp, ""
    )


def document() -> dict[str, object]:
    """The recording, as the file holds it."""
    recorder = RecordingHost(DemoMachine())
    facts = Facts(recorder, Settings(directory=DIRECTORY))
    machine_line(facts)
    hostname(facts)
    recorder.now()
    Run(all_checks(), facts, lambda event: None).run()
    recorder.settle()
    walk_every_way(facts)
    demo_ports.plan_everything(facts, all_checks())
    return recorder.document(DIRECTORY)


if __name__ == "__main__":
    Path(DEMO).write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
