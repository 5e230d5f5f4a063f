"""What mailcow needs: every number, port and version, each with its source. Plain data, judged elsewhere.

Two sources are joined: the 2017 prerequisites (the minimum: below it nothing runs) and mailcow's
documentation of 2026-08 (what is needed today: below it is a warning with its consequence).
Tags: `#n` is an issue of mailcow/mailcow-dockerized, a hexadecimal word a commit there.
"""

from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

KIB = 1 << 10
GIB = 1 << 30

DOC_SYSTEM = "https://docs.mailcow.email/getstarted/prerequisite-system/"
DOC_RESOURCES = f"{DOC_SYSTEM}#minimum-system-resources"
DOC_OS = f"{DOC_SYSTEM}#supported-os"
DOC_PORTS = f"{DOC_SYSTEM}#default-ports"
DOC_FIREWALL = f"{DOC_SYSTEM}#firewall-ports"
DOC_TIME = f"{DOC_SYSTEM}#date-and-time"
DOC_INSTALL = "https://docs.mailcow.email/getstarted/install/"
DOC_PROXY = "https://docs.mailcow.email/post_installation/reverse-proxy/r_p/"
DOC_IPV6 = "https://docs.mailcow.email/post_installation/firststeps-disable_ipv6/"
DOC_CPU_FEATURES = "https://github.com/mailcow/mailcow-dockerized/issues/5031"
DOC_CPU_ARM = "https://github.com/mailcow/mailcow-dockerized/issues/6882"
DOC_KERNEL_MODULES = "https://github.com/mailcow/mailcow-dockerized/issues/5334"
DOC_KERNEL_RAW = "https://github.com/moby/moby/issues/49557"
DOC_OVERCOMMIT = "https://github.com/mailcow/mailcow-dockerized/issues/1454"
DOC_INOTIFY = "https://github.com/mailcow/mailcow-dockerized/issues/453"
DOC_BUSYBOX = "https://github.com/mailcow/mailcow-dockerized/issues/2769"
DOC_DOCKER_CGROUPS = (
    "https://docs.docker.com/engine/daemon/troubleshoot/#kernel-cgroup-swap-limit-capabilities"
)
DOC_DOCKER_APPARMOR = "https://docs.docker.com/engine/security/apparmor/"
DOC_DOCKER_DATA = "https://docs.docker.com/engine/daemon/#daemon-data-directory"
DOC_JESSIE_KERNEL = "https://packages.debian.org/jessie-backports/linux-image-amd64"
DOC_COMPOSE_PRECEDENCE = "https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/"
DOC_ISSUE = "https://github.com/mailcow/mailcow-dockerized/issues/{}"
DOC_KERNEL_PANIC = "https://github.com/docker/docker/issues/30402"
DOC_KERNEL_PANIC_FORUM = "https://forum.mailcow.email/t/solved-mailcow-docker-causes-kernel-panic-edit/448"


class Amount(NamedTuple):
    """A quantity that must be there: below `minimum` it fails, below `today` it warns.

    `allowance` is the share by which a nominal figure may be undercut (a "6 GB" machine reports 5.7 GiB).
    `minimum` of 0 never fails. `unit` names what the numbers count.
    """

    minimum: int
    today: int
    unit: str
    source: str
    allowance: float = 0.0

    @property
    def fails_below(self) -> float:
        """The lowest amount that does not fail."""
        return self.minimum * (1 - self.allowance)

    @property
    def warns_below(self) -> float:
        """The lowest amount that passes."""
        return self.today * (1 - self.allowance)


# 2017 document, table "Minimum System Resources" (ead346bcc); today: documentation of 2026-08.
CPU_CLOCK_HZ = Amount(1_000_000_000, 1_000_000_000, "Hz", "ead346bcc")
MEMORY = Amount(1 * GIB, 6 * GIB, "bytes", "ead346bcc, e270b7984", allowance=0.08)
SWAP = Amount(0, 1 * GIB, "bytes", "e270b7984", allowance=0.08)
DISK = Amount(5 * GIB, 20 * GIB, "bytes", "ead346bcc, 30e2887b5")
INODES = Amount(0, 200_000, "inodes", "inferred: some eighteen images unpack to about 150 000 files")

# mailcow's generate_config.sh proposes SKIP_CLAMD=y at or below this (ae4e1358a), in KiB of MemTotal.
SKIP_CLAMD_KIB = 2_621_440

# x86-64-v2. rspamd's vectorscan dies without the first two (rspamd#6022, #5031). Names of /proc/cpuinfo.
CPU_FEATURES_REQUIRED = {"ssse3": "SSSE3", "sse4_2": "SSE4.2"}
CPU_FEATURES_V2 = {
    "cx16": "CMPXCHG16B",
    "lahf_lm": "LAHF-SAHF",
    "popcnt": "POPCNT",
    "pni": "SSE3",
    "sse4_1": "SSE4.1",
    **CPU_FEATURES_REQUIRED,
}

# System type: x86_64 since 2017, ARM64 since release 2024-01 (bcb290e07). 32-bit never.
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "ARM64", "arm64": "ARM64"}
PAGE_SIZE = 4096


class Supported(NamedTuple):
    """An operating system that mailcow's documentation names: os-release ID, versions from and to (None:
    no upper end), and whether support is limited."""

    id: str
    name: str
    first: tuple[int, ...]
    last: tuple[int, ...] | None
    limited: bool = False


# ec57ecc33 (Alpine, Ubuntu), 247421719 (Debian 11 to 13), documentation "Supported OS".
OPERATING_SYSTEMS: tuple[Supported, ...] = (
    Supported("debian", _("Debian 11 to 13"), (11,), (13,)),
    Supported("ubuntu", _("Ubuntu 22.04 or newer"), (22, 4), None),
    Supported("almalinux", _("AlmaLinux 8 and 9"), (8,), (9,)),
    Supported("rocky", "Rocky Linux 9", (9,), (9,)),
    Supported("alpine", _("Alpine 3.19 or newer (limited)"), (3, 19), None, limited=True),
)

# Virtualization that mailcow refuses: no OpenVZ, no LXC (aa47b85af, #1761 #2854 #4215). Names as
# systemd-detect-virt prints them.
REFUSED_VIRTUALIZATION = {
    "openvz": "OpenVZ",
    "virtuozzo": "Virtuozzo",
    "lxc": "LXC",
    "lxc-libvirt": "LXC (libvirt)",
}
# Containers that share their host's kernel but that nobody reported either way: mailcow is not tested there.
OTHER_CONTAINERS = {
    "docker": "Docker",
    "podman": "Podman",
    "systemd-nspawn": "systemd-nspawn",
    "wsl": "Windows Subsystem for Linux",
    "proot": "PRoot",
    "gvisor": "gVisor",
    "pouch": "Pouch",
    "rkt": "rkt",
    "oci": _("an OCI container"),
    "container-other": _("a container"),
}
VIRTUAL_MACHINES = {
    "kvm": "KVM",
    "amazon": "Amazon EC2",
    "google": "Google Compute Engine",
    "qemu": "QEMU",
    "bochs": "Bochs",
    "xen": "Xen",
    "uml": "User-mode Linux",
    "vmware": "VMware",
    "oracle": "VirtualBox",
    "microsoft": "Hyper-V",
    "zvm": "z/VM",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "qnx": "QNX",
    "acrn": "ACRN",
    "powervm": "PowerVM",
    "apple": "Apple Virtualization",
    "sre": "LMHS SRE",
}
# What the firmware of a virtual machine calls itself (/sys/class/dmi/id; as systemd's virt.c), first match.
VIRTUAL_MACHINES_BY_FIRMWARE = (
    (r"Amazon EC2", "amazon"),
    (r"Google Compute Engine", "google"),
    (r"VMware|VMW", "vmware"),
    (r"innotek GmbH|VirtualBox", "oracle"),
    (r"Microsoft Corporation.*Virtual Machine", "microsoft"),
    (r"Parallels", "parallels"),
    (r"BHYVE", "bhyve"),
    (r"Apple Virtualization", "apple"),
    (r"\bXen\b", "xen"),
    (r"Bochs", "bochs"),
    (r"KVM|OpenStack|vServer|Droplet", "kvm"),
    (r"QEMU", "qemu"),
)


class Appliance(NamedTuple):
    """A system that is delivered and updated as a whole, where it puts its files, and whether it is the
    firmware of a storage box (no NAS: 2020-05) rather than a server that serves something else already."""

    name: str
    paths: tuple[str, ...]
    firmware: bool = True


# H21; documentation, "no NAS" (2020-05).
APPLIANCES: tuple[Appliance, ...] = (
    Appliance("Synology DSM", ("/etc/synoinfo.conf", "/etc.defaults/synoinfo.conf")),
    Appliance("QNAP QTS", ("/etc/config/qpkg.conf", "/etc/config/uLinux.conf")),
    Appliance("Unraid", ("/etc/unraid-version",)),
    Appliance("TrueNAS", ("/usr/bin/midclt", "/usr/local/bin/midclt")),
    Appliance("ASUSTOR ADM", ("/usr/builtin/etc", "/etc/nas.conf")),
    Appliance("TerraMaster TOS", ("/etc/tos",)),
    Appliance("ReadyNAS", ("/frontview",)),
    Appliance("Western Digital My Cloud", ("/etc/nas/config",)),
    Appliance("OpenWrt", ("/etc/openwrt_release",)),
    Appliance("OpenMediaVault", ("/etc/openmediavault", "/usr/sbin/omv-confdbadm"), firmware=False),
    Appliance("Proxmox VE", ("/usr/bin/pveversion", "/etc/pve"), firmware=False),
)

# H22 (#554): hosting panels and mail suites that run web and mail servers of their own.
CONTROL_PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Plesk", ("/usr/local/psa", "/opt/psa")),
    ("cPanel", ("/usr/local/cpanel",)),
    ("ISPConfig", ("/usr/local/ispconfig",)),
    ("DirectAdmin", ("/usr/local/directadmin",)),
    ("HestiaCP", ("/usr/local/hestia",)),
    ("VestaCP", ("/usr/local/vesta",)),
    ("CyberPanel", ("/usr/local/CyberCP", "/usr/local/CyberPanel")),
    ("aaPanel", ("/www/server/panel",)),
    ("Froxlor", ("/var/www/froxlor", "/var/www/html/froxlor", "/usr/share/froxlor")),
    (_("Webmin or Virtualmin"), ("/etc/webmin", "/usr/share/webmin", "/usr/libexec/webmin")),
    ("KeyHelp", ("/etc/keyhelp", "/home/keyhelp")),
    ("CloudPanel", ("/home/clp",)),
    ("ISPmanager", ("/usr/local/mgr5",)),
    ("Control Web Panel", ("/usr/local/cwpsrv",)),
    ("InterWorx", ("/usr/local/interworx",)),
    ("LiveConfig", ("/etc/liveconfig",)),
    ("YunoHost", ("/etc/yunohost",)),
    ("Mail-in-a-Box", ("/etc/mailinabox.conf",)),
    ("iRedMail", ("/etc/iredmail-release", "/opt/iredapd")),
    ("Modoboa", ("/srv/modoboa",)),
    ("Zimbra", ("/opt/zimbra",)),
    ("Zentyal", ("/etc/zentyal",)),
    ("Univention Corporate Server", ("/etc/univention",)),
    ("CasaOS", ("/etc/casaos",)),
    ("Coolify", ("/data/coolify/source",)),
    ("Dokploy", ("/etc/dokploy",)),
    ("1Panel", ("/opt/1panel", "/usr/local/bin/1pctl")),
    ("Mailu", ("/mailu/mailu.env",)),
)
WEB_PANELS = ("CloudPanel", "CasaOS", "Coolify", "Dokploy", "1Panel")  # those without a mail server

# Kernel. 3.16 panics when containers have healthchecks (docker#30402); 4.15.0-1 to -59 of Ubuntu break
# mailcow (#2904); 5.10 is what SOGo needs (5a9702771); below 4.4 nothing of today's Docker runs.
KERNEL_PANICS = (3, 16)
KERNEL_MINIMUM = (4, 4)
KERNEL_TODAY = (5, 10)
KERNEL_JESSIE_REMEDY = "4.9"
KERNEL_BAD_UBUNTU = ((4, 15, 0), range(1, 60))


class KernelPart(NamedTuple):
    """What Docker's bridge networks and mailcow need of the kernel: what for, and the sets of modules of
    which one whole set must be there. Without an `ipv6` one, mailcow still runs over IPv4; a `recent` one
    is needed by Docker since KERNEL_PARTS_RECENT alone."""

    purpose: str
    sets: tuple[tuple[str, ...], ...]
    ipv6: bool = False
    recent: bool = False


# Docker's contrib/check-config.sh, "Generally Necessary"; G14 (#4474 #4802 #5334). Either iptables will do.
_NFT = ("nf_tables", "nft_compat", "nft_chain_nat")
KERNEL_PARTS: tuple[KernelPart, ...] = (
    KernelPart(_("the layers of images"), (("overlay",),)),
    KernelPart(_("container networks"), (("bridge",),)),
    KernelPart(_("the firewall on container networks"), (("br_netfilter",),)),
    KernelPart(_("the network cards of containers"), (("veth",),)),
    KernelPart(_("connection tracking"), (("nf_conntrack",),)),
    KernelPart(_("address translation"), (("nf_nat",),)),
    KernelPart(_("Docker's firewall rules (connection state)"), (("xt_conntrack",),)),
    KernelPart(_("Docker's firewall rules (address type)"), (("xt_addrtype",),)),
    KernelPart(_("outgoing connections of containers"), (("xt_MASQUERADE",), ("ipt_MASQUERADE",))),
    KernelPart(_("firewall tables"), (_NFT, ("ip_tables", "iptable_nat", "iptable_filter"))),
    KernelPart(
        _("firewall tables for IPv6"), (_NFT, ("ip6_tables", "ip6table_nat", "ip6table_filter")), ipv6=True
    ),
    # moby#49557: Docker 28 publishes no port where the table raw is missing, as on Nvidia's Jetson.
    KernelPart(_("the table raw of the firewall"), (_NFT, ("iptable_raw",)), recent=True),
)
KERNEL_PARTS_RECENT = "28.0"
# The kernel's configuration symbols that stand for these modules; any one of them being set will do.
KERNEL_SYMBOLS: dict[str, tuple[str, ...]] = {
    "overlay": ("OVERLAY_FS",),
    "bridge": ("BRIDGE",),
    "br_netfilter": ("BRIDGE_NETFILTER",),
    "veth": ("VETH",),
    "nf_conntrack": ("NF_CONNTRACK",),
    "nf_nat": ("NF_NAT",),
    "xt_conntrack": ("NETFILTER_XT_MATCH_CONNTRACK",),
    "xt_addrtype": ("NETFILTER_XT_MATCH_ADDRTYPE",),
    "xt_MASQUERADE": ("NETFILTER_XT_TARGET_MASQUERADE",),
    "ipt_MASQUERADE": ("IP_NF_TARGET_MASQUERADE",),
    "nf_tables": ("NF_TABLES",),
    "nft_compat": ("NFT_COMPAT",),
    "nft_chain_nat": ("NFT_NAT",),
    "ip_tables": ("IP_NF_IPTABLES",),
    "iptable_nat": ("IP_NF_NAT",),
    "iptable_filter": ("IP_NF_FILTER",),
    "iptable_raw": ("IP_NF_RAW",),
    "ip6_tables": ("IP6_NF_IPTABLES",),
    "ip6table_nat": ("IP6_NF_NAT",),
    "ip6table_filter": ("IP6_NF_FILTER",),
}
# Controllers by which Docker limits containers.
CGROUP_CONTROLLERS = ("cpu", "memory", "pids")

# Files that come with the container-selinux package (H12).
SELINUX_CONTAINER_POLICY = (
    "/usr/share/selinux/packages/container.pp.bz2",
    "/usr/share/selinux/packages/container.pp",
    "/usr/share/selinux/default/container.pp.bz2",
    "/usr/share/containers/selinux/contexts",
)
# capabilities(7)
CAP_NET_ADMIN = 12
CAP_SYS_ADMIN = 21
CAP_SYS_RESOURCE = 24

# Dovecot's ulimits in mailcow's docker-compose.yml: nofile soft 20000, hard 40000.
DOVECOT_OPEN_FILES = 40_000
# The kernel's own defaults (inotify(7)); Dovecot takes one instance for each idle IMAP connection (#453).
INOTIFY_INSTANCES = 128
INOTIFY_WATCHES = 8192
# Redis asks for 1 at every start: with 0 a background save can fail under memory pressure (#1454 #5300).
OVERCOMMIT_MEMORY = 1

# generate_config.sh stops without the first row; without `ping` it believes that IPv6 is broken (88bf9b02e).
TOOLS_REQUIRED = ("git", "openssl", "curl", "awk", "sha1sum", "grep", "cut", "jq")
TOOLS_ADVISED = ("ping", "ip")
TOOLS_NOT_BUSYBOX = ("grep", "cp", "sed")
# Which packages hold them, where the package is not called as the tool; `apt`, `apk`… where names differ.
PACKAGES = {
    "awk": "gawk",
    "sha1sum": "coreutils",
    "cut": "coreutils",
    "cp": "coreutils",
    "ping": "iputils",
    "ip": "iproute2",
    "apt ping": "iputils-ping",
    "dnf ip": "iproute",
}
PACKAGERS = {
    "debian": "apt",
    "ubuntu": "apt",
    "raspbian": "apt",
    "fedora": "dnf",
    "rhel": "dnf",
    "centos": "dnf",
    "almalinux": "dnf",
    "rocky": "dnf",
    "alpine": "apk",
    "suse": "zypper",
    "opensuse": "zypper",
    "sles": "zypper",
    "arch": "pacman",
}
INSTALL_COMMANDS = {
    "apt": "apt-get install -y",
    "dnf": "dnf install -y",
    "apk": "apk add --no-cache --upgrade",
    "zypper": "zypper install -y",
    "pacman": "pacman -S --needed",
}

# Time. TOTP tolerates one step of 30 s each way (#519); a second off already spoils log comparison.
TIME_WARN_S = 1.0
TIME_FAIL_S = 30.0
NTP_POOL = ("0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org", "3.pool.ntp.org")


class Port(NamedTuple):
    """A port that mailcow listens on: check id, service, container, default bind address (empty: every
    address), default port, and the keys of mailcow.conf that say otherwise."""

    id: str
    service: str
    container: str
    address: str
    number: int
    key: str
    bind_key: str = ""


# 2017 document, "Default Ports"; the three on loopback from mailcow's docker-compose.yml.
PORTS: tuple[Port, ...] = (
    Port("ports.smtp", "Postfix SMTP", "postfix-mailcow", "", 25, "SMTP_PORT"),
    Port("ports.smtps", "Postfix SMTPS", "postfix-mailcow", "", 465, "SMTPS_PORT"),
    Port("ports.submission", "Postfix Submission", "postfix-mailcow", "", 587, "SUBMISSION_PORT"),
    Port("ports.imap", "Dovecot IMAP", "dovecot-mailcow", "", 143, "IMAP_PORT"),
    Port("ports.imaps", "Dovecot IMAPS", "dovecot-mailcow", "", 993, "IMAPS_PORT"),
    Port("ports.pop3", "Dovecot POP3", "dovecot-mailcow", "", 110, "POP_PORT"),
    Port("ports.pop3s", "Dovecot POP3S", "dovecot-mailcow", "", 995, "POPS_PORT"),
    Port("ports.sieve", "Dovecot ManageSieve", "dovecot-mailcow", "", 4190, "SIEVE_PORT"),
    Port("ports.http", "HTTP", "nginx-mailcow", "", 80, "HTTP_PORT", "HTTP_BIND"),
    Port("ports.https", "HTTPS", "nginx-mailcow", "", 443, "HTTPS_PORT", "HTTPS_BIND"),
    Port("ports.doveadm", "doveadm", "dovecot-mailcow", "127.0.0.1", 19991, "DOVEADM_PORT"),
    Port("ports.mysql", "MariaDB", "mysql-mailcow", "127.0.0.1", 13306, "SQL_PORT"),
    Port("ports.redis", "Redis", "redis-mailcow", "127.0.0.1", 7654, "REDIS_PORT"),
)
POSTFIX_PORTS = tuple(one.number for one in PORTS if one.container == "postfix-mailcow")
# Used inside mailcow's nginx container, so never usable as HTTP_PORT or HTTPS_PORT (#105).
PORTS_RESERVED_IN_NGINX = (8081, 9081, 9082, 65510)

# mailcow.conf: generate_config.sh and update.sh give it this mode.
CONF_MODE = 0o600
# DOCKER_COMPOSE_VERSION (65eddee63), empty since 88bf9b02e (#7065); both scripts want Compose 2 or newer.
COMPOSE_FLAVOURS = ("native", "standalone")
COMPOSE_MINIMUM = 2
# Branches that update.sh knows; legacy gets nothing since February 2026.
BRANCH_STABLE, BRANCH_UNSTABLE, BRANCH_LEGACY = "master", "nightly", "legacy"
# Ends of names that no public DNS has (RFC 6761, 6762, 8375, and what routers hand out).
PRIVATE_DOMAINS = ("local", "localdomain", "localhost", "lan", "home", "internal", "invalid", "arpa")
