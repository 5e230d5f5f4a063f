"""What mailcow needs: every number, port and version, each with its source. Plain data, judged elsewhere.

Two sources are joined: the 2017 prerequisites (the minimum: below it nothing runs) and mailcow's
documentation of 2026-08 (what is needed today: below it is a warning with its consequence).
Tags: `#n` is an issue of mailcow/mailcow-dockerized, a hexadecimal word a commit there.
"""

from typing import NamedTuple

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

DOC_SYSTEM = "https://docs.mailcow.email/getstarted/prerequisite-system/"
DOC_RESOURCES = f"{DOC_SYSTEM}#minimum-system-resources"
DOC_OS = f"{DOC_SYSTEM}#supported-os"
DOC_PORTS = f"{DOC_SYSTEM}#default-ports"
DOC_FIREWALL = f"{DOC_SYSTEM}#firewall-ports"
DOC_TIME = f"{DOC_SYSTEM}#date-and-time"
DOC_INSTALL = "https://docs.mailcow.email/getstarted/install/"
DOC_BINDINGS = "https://docs.mailcow.email/post_installation/firststeps-ip_bindings/"
DOC_PROXY = "https://docs.mailcow.email/post_installation/reverse-proxy/r_p/"
DOC_IPV6 = "https://docs.mailcow.email/post_installation/firststeps-disable_ipv6/"
DOC_JESSIE_KERNEL = "https://packages.debian.org/jessie-backports/linux-image-amd64"
DOC_KERNEL_PANIC = "https://github.com/docker/docker/issues/30402"
DOC_KERNEL_PANIC_FORUM = (
    "https://forum.mailcow.email/t/solved-mailcow-docker-causes-kernel-panic-edit/448"
)


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
    Supported("debian", "Debian 11 to 13", (11,), (13,)),
    Supported("ubuntu", "Ubuntu 22.04 or newer", (22, 4), None),
    Supported("almalinux", "AlmaLinux 8 and 9", (8,), (9,)),
    Supported("rocky", "Rocky Linux 9", (9,), (9,)),
    Supported("alpine", "Alpine 3.19 or newer (limited)", (3, 19), None, limited=True),
)

# Virtualization that mailcow refuses: no OpenVZ, no LXC (aa47b85af, #1761 #2854 #4215). Names as
# systemd-detect-virt prints them.
REFUSED_VIRTUALIZATION = {
    "openvz": "OpenVZ",
    "virtuozzo": "Virtuozzo",
    "lxc": "LXC",
    "lxc-libvirt": "LXC (libvirt)",
}

# Kernel. 3.16 panics when containers have healthchecks (docker#30402); 4.15.0-1 to -59 of Ubuntu break
# mailcow (#2904); 5.10 is what SOGo needs (5a9702771); below 4.4 nothing of today's Docker runs.
KERNEL_PANICS = (3, 16)
KERNEL_MINIMUM = (4, 4)
KERNEL_TODAY = (5, 10)
KERNEL_JESSIE_REMEDY = "4.9"
KERNEL_BAD_UBUNTU = ((4, 15, 0), range(1, 60))

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
# Used inside mailcow's nginx container, so never usable as HTTP_PORT or HTTPS_PORT (#105).
PORTS_RESERVED_IN_NGINX = (8081, 9081, 9082, 65510)
