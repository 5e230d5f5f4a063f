"""Whom mailcow's server has to reach, and how: hosts, ports and addresses, each with its source.

Sources: `documented` is mailcow's page on the prerequisites (outgoing hosts, 2026-08), `code` what its
containers and scripts ask for though no page says so, `inferred` what follows from how Docker or Let's
Encrypt work.
"""

from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Level = Literal["required", "recommended", "optional"]
    Source = Literal["documented", "code", "inferred"]

DOC_OUTGOING = "https://docs.mailcow.email/getstarted/prerequisite-system/#firewall-ports"
DOC_ICMP = "https://docs.mailcow.email/getstarted/prerequisite-system/#firewall-ports"
DOC_MTU = "https://docs.docker.com/engine/network/drivers/bridge/#options"
DOC_NETWORK = "https://docs.mailcow.email/post_installation/firststeps-ip_bindings/"
DOC_SNAT = "https://docs.mailcow.email/post_installation/firststeps-snat/"
DOC_HAIRPIN = "https://docs.mailcow.email/post_installation/firststeps-ssl/"
DOC_IPV6 = "https://docs.mailcow.email/post_installation/firststeps-disable_ipv6/"


class Outgoing(NamedTuple):
    """A host that has to be reached: its name, port and protocol (tcp, udp, ntp: a question for the time, or
    txt: a TXT record that a resolver must find), and what it is for.

    Without one that is required mailcow cannot be installed or started, without one that is recommended a
    part of it works less well. `unless` is the variable of mailcow.conf that makes it needless when it is y;
    `family` is 4 or 6 where only that is asked for.
    """

    host: str
    port: int
    protocol: str
    level: "Level"
    use: str
    source: "Source"
    unless: str = ""
    family: int = 0

    @property
    def by_machine(self) -> bool:
        """Whether no container asks it, but the machine itself: its Docker, git, package tool and clock."""
        return self.host in _BY_MACHINE or self.protocol == "ntp" or self.use == PACKAGES

    @property
    def subject(self) -> str:
        """What tells it apart in results (contract)."""
        return f"{self.host}:{self.port}/{self.protocol if self.protocol == 'tcp' else 'udp'}"


_CLAMD = "SKIP_CLAMD"
_ACME = "SKIP_LETS_ENCRYPT"
_VIRUSES = _("updates of the virus scanner's signatures")
_RULES = _("rules of the spam filter")
_ADDRESS = _("the public address, as mailcow's scripts ask for it")
_FUZZY = _("fingerprints of known spam")
_TIME = _("the right time, which log-ins with one-time codes need")
_IMAGES = _("mailcow's images")
PACKAGES = _("packages of this system, which are to be installed")

OUTGOING: tuple[Outgoing, ...] = (
    Outgoing("github.com", 443, "tcp", "required", _("mailcow itself and its updates"), "documented"),
    Outgoing("github.com", 80, "tcp", "optional", _("mailcow itself and its updates"), "documented"),
    Outgoing("hub.docker.com", 443, "tcp", "recommended", _("news of images"), "documented"),
    Outgoing("ghcr.io", 443, "tcp", "required", _IMAGES, "code"),
    Outgoing("registry-1.docker.io", 443, "tcp", "required", _("images of databases and others"), "inferred"),
    Outgoing("auth.docker.io", 443, "tcp", "required", _("images of databases and others"), "inferred"),
    Outgoing("download.docker.com", 443, "tcp", "optional", _("Docker's own packages"), "inferred"),
    Outgoing("api.github.com", 443, "tcp", "recommended", _("news of releases"), "code"),
    Outgoing("acme-v02.api.letsencrypt.org", 443, "tcp", "required", "certificates", "inferred", _ACME),
    Outgoing("asn-check.mailcow.email", 443, "tcp", "recommended", _("whose network this is"), "documented"),
    Outgoing("www.internic.net", 443, "tcp", "recommended", _("the list of root servers"), "code"),
    Outgoing("ip4.mailcow.email", 80, "tcp", "optional", _ADDRESS, "documented", family=4),
    Outgoing("ip6.mailcow.email", 80, "tcp", "optional", _ADDRESS, "documented", family=6),
    Outgoing("ip4.nevondo.com", 80, "tcp", "optional", _ADDRESS, "code", family=4),
    Outgoing("ip6.nevondo.com", 80, "tcp", "optional", _ADDRESS, "code", family=6),
    Outgoing("spamassassin.heinlein-support.de", 443, "tcp", "recommended", _RULES, "documented"),
    Outgoing("www.spamassassin.heinlein-support.de", 443, "tcp", "recommended", _RULES, "code"),
    Outgoing("bazaar.abuse.ch", 443, "tcp", "recommended", _("lists of malware"), "documented"),
    Outgoing("urlhaus.abuse.ch", 443, "tcp", "recommended", _("lists of malware"), "documented"),
    Outgoing("fuzzy.mailcow.email", 80, "tcp", "recommended", _FUZZY, "documented"),
    Outgoing("fuzzy.mailcow.email", 11445, "udp", "recommended", _FUZZY, "documented"),
    Outgoing("fuzzy1.rspamd.com", 11335, "udp", "recommended", _FUZZY, "documented"),
    Outgoing("fuzzy2.rspamd.com", 11335, "udp", "recommended", _FUZZY, "documented"),
    Outgoing("rsync.sanesecurity.net", 873, "tcp", "recommended", _VIRUSES, "documented", _CLAMD),
    Outgoing("db.uk.clamav.net", 443, "tcp", "recommended", _VIRUSES, "code", _CLAMD),
    Outgoing("db.nl.clamav.net", 443, "tcp", "recommended", _VIRUSES, "code", _CLAMD),
    Outgoing("db.fr.clamav.net", 443, "tcp", "recommended", _VIRUSES, "code", _CLAMD),
    Outgoing("db.ch.clamav.net", 443, "tcp", "recommended", _VIRUSES, "code", _CLAMD),
    Outgoing("pool.ntp.org", 123, "ntp", "recommended", _TIME, "inferred"),
    Outgoing("current.cvd.clamav.net", 53, "txt", "recommended", _VIRUSES, "code", _CLAMD),
)
"""Every outgoing host, but for what has a check of its own: port 25, name servers, echo requests, time."""

_BY_MACHINE = ("github.com", "ghcr.io", "registry-1.docker.io", "auth.docker.io", "download.docker.com")


def mirror(host: str, port: int) -> Outgoing:
    """The row of a server that this machine's packages come from, while the installation needs some."""
    return Outgoing(host, port, "tcp", "recommended", PACKAGES, "inferred")


class MailOperator(NamedTuple):
    """Somebody who receives mail: a domain whose MX is asked for, and what names its servers greet with."""

    domain: str
    name: str
    greets: tuple[str, ...]


# Unrelated operators with servers of their own; the names are those of their greetings in 2026. The last
# four have IPv6 addresses, which most of the others lack.
MAIL_OPERATORS: tuple[MailOperator, ...] = (
    MailOperator("gmail.com", "Google", ("google.com",)),
    MailOperator("outlook.com", "Outlook", ("outlook.com", "microsoft.com", "hotmail.com")),
    MailOperator("gmx.net", "GMX", ("gmx.net", "gmx.com", "gmx.de")),
    MailOperator("web.de", "web.de", ("web.de",)),
    MailOperator("yahoo.com", "Yahoo", ("yahoo.com", "yahoodns.net")),
    MailOperator("posteo.de", "Posteo", ("posteo.de",)),
    MailOperator("mailbox.org", "mailbox.org", ("mailbox.org",)),
    MailOperator("debian.org", "Debian", ("debian.org",)),
    MailOperator("ietf.org", "IETF", ("ietf.org",)),
)
SMTP = 25
SMTPS = 465

SUBMISSION_HOSTS = ("smtp.gmail.com", "mail.gmx.net", "smtp.web.de", "smtp.mail.yahoo.com")
"""Servers that take mail on port 465 from their customers, as relay hosts do."""

# Machines that are known not to be mail servers: who greets there is somebody in between.
NO_MAIL_SERVERS = {4: ("1.1.1.1", "8.8.8.8"), 6: ("2606:4700:4700::1111", "2001:4860:4860::8888")}

# What passes wherever anything passes: names with a port, and addresses on port 443.
CONTROL_NAMES = (
    ("github.com", 443),
    ("hub.docker.com", 443),
    ("ip4.mailcow.email", 80),
    ("ip6.mailcow.email", 80),
)
CONTROL_ADDRESSES = {
    4: ("1.1.1.1", "8.8.8.8", "9.9.9.9"),
    6: ("2606:4700:4700::1111", "2001:4860:4860::8888", "2620:fe::fe"),
}

NOBODYS_ADDRESSES = {
    4: ("192.0.2.213", "198.51.100.87", "203.0.113.139"),
    6: ("2001:db8:1::d5", "2001:db8:8::57", "2001:db8:ff::8b"),
}
"""Addresses for documentation (RFC 5737, RFC 3849), which are routed nowhere: who takes a connection to them
is somebody in between."""

# mailcow's unbound healthcheck pings these three every 30 s; one may be silent.
HEALTHCHECK_PINGS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
HEALTHCHECK_MAY_FAIL = 1
# and looks these up; one may fail.
HEALTHCHECK_NAMES = ("fuzzy.mailcow.email", "github.com", "hub.docker.com")
HEALTHCHECK_NAMES_MAY_FAIL = 1
HEALTHCHECK_KEY = "SKIP_UNBOUND_HEALTHCHECK"

# What mailcow's IPv6 detection (generate_config.sh, update.sh) pings; one must answer.
IPV6_PINGS = ("2001:4860:4860::8888", "2606:4700:4700::1111")

# Root servers of four operators that are far from each other: A, E, K, M (places in requirements_dns).
ROOTS_ASKED = (0, 4, 10, 12)

MTU = 1500
"""What Docker takes for a network's largest packet in bytes, whatever the machine's own is."""
MTU_OPTION = "com.docker.network.driver.mtu"
MAILCOW_NETWORK = "mailcow-network"
MAILCOW_BRIDGE = "br-mailcow"

# Docker takes these where daemon.json names no pools (moby, ipamutils): it may give them to any network.
DOCKER_POOLS = (
    *(f"172.{second}.0.0/16" for second in range(17, 32)),
    "192.168.0.0/16",
)
ANYWHERE = {4: "192.0.32.8", 6: "2620:0:2d0:200::8"}
"""By family an address far away: the kernel tells which way a packet to it would take, and none is sent."""
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Addresses that are none of the world's (RFC 1918, 6598, 4193)."""
LOCAL_NETWORKS = ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")
"""Those of this machine, and of one link (RFC 1122, 3927, 4291)."""
