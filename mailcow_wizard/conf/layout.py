"""The keys of mailcow's current mailcow.conf (2026-08), in its order: kind, default, and what each is for."""

from mailcow_wizard.language import _, heard
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Kind: TypeAlias = Literal[
        "host", "zone", "switch", "boolean", "choice", "port", "web-port", "address", "network4", "network6",
        "number", "list", "addresses", "emails", "email", "url", "secret", "fixed", "text",
    ]  # fmt: skip


class Key(NamedTuple):
    """A key of mailcow.conf.

    `default` is what a new file holds; `about` the comment above a new key, in English (`for_people`);
    `choices` the values that mailcow knows, where there are few; `off` says that a new file holds it
    commented out. Of the kinds, `port` is a port with or without an IPv4 address before it, `web-port` a
    port alone, `fixed` what cannot be changed once the database was made. `service` listens at a port.
    """

    name: str
    kind: "Kind"
    default: str
    about: str
    choices: tuple[str, ...] = ()
    off: bool = False
    service: str = ""


class Group(NamedTuple):
    """Keys that belong together, under one heading."""

    title: str
    keys: tuple[Key, ...]


_YES_NO = ("y", "n")
_SWITCHED = " - y/n"


def _switch(name: str, default: str, about: str) -> Key:
    return Key(name, "switch", default, f"{about}{_SWITCHED}", _YES_NO)


def _port(name: str, default: str, service: str) -> Key:
    about = f"Where {service} listens: a port, or an IPv4 address and a port"
    return Key(name, "port", default, about, service=service)


def for_people(key: Key) -> str:
    """What a key is for, in the language that is spoken."""
    if key.service:
        return _("Where {service} listens: a port, or an IPv4 address and a port", service=key.service)
    about = key.about.removesuffix(_SWITCHED)
    return heard(about) + key.about[len(about) :]


GROUPS: tuple[Group, ...] = (
    Group(
        "Name and passwords",
        (
            Key("MAILCOW_HOSTNAME", "host", "", "Full name of this mail server, such as mail.example.org"),
            Key("MAILCOW_PASS_SCHEME", "text", "BLF-CRYPT", "How new passwords of mailboxes are hashed"),
        ),
    ),
    Group(
        "Database",
        (
            Key("DBNAME", "fixed", "mailcow", "Name of the database; never change it after the first start"),
            Key("DBUSER", "fixed", "mailcow", "User of the database; never change it after the first start"),
            Key("DBPASS", "secret", "", "Password of that user; letters and digits only"),
            Key("DBROOT", "secret", "", "Password of the database's root; letters and digits only"),
        ),
    ),
    Group("Redis", (Key("REDISPASS", "secret", "", "Password of Redis; letters and digits only"),)),
    Group(
        "Web server",
        (
            Key(
                "HTTP_PORT", "web-port", "80", "Port for HTTP, inside the container as well; never an address"
            ),
            Key("HTTP_BIND", "address", "", "IPv4 address for HTTP; empty for all"),
            Key("HTTPS_PORT", "web-port", "443", "Port for HTTPS, inside the container as well"),
            Key("HTTPS_BIND", "address", "", "IPv4 address for HTTPS; empty for all"),
            _switch("HTTP_REDIRECT", "y", "Send visitors from HTTP to HTTPS; n behind a reverse proxy"),
        ),
    ),
    Group(
        "Mail and internal ports",
        (
            _port("SMTP_PORT", "25", "SMTP"),
            _port("SMTPS_PORT", "465", "SMTP over TLS"),
            _port("SUBMISSION_PORT", "587", "submission"),
            _port("IMAP_PORT", "143", "IMAP"),
            _port("IMAPS_PORT", "993", "IMAP over TLS"),
            _port("POP_PORT", "110", "POP3"),
            _port("POPS_PORT", "995", "POP3 over TLS"),
            _port("SIEVE_PORT", "4190", "ManageSieve"),
            _port("DOVEADM_PORT", "127.0.0.1:19991", "doveadm"),
            _port("SQL_PORT", "127.0.0.1:13306", "the database"),
            _port("REDIS_PORT", "127.0.0.1:7654", "Redis"),
        ),
    ),
    Group(
        "System",
        (
            Key("TZ", "zone", "", "Timezone of all containers, such as Europe/Berlin"),
            Key(
                "COMPOSE_PROJECT_NAME",
                "fixed",
                "mailcowdockerized",
                "Prefix of containers and volumes; fixed",
            ),
            Key(
                "DOCKER_COMPOSE_VERSION",
                "choice",
                "native",
                "Which compose is installed: native (Docker's plugin) or standalone",
                ("native", "standalone"),
            ),
        ),
    ),
    Group(
        "Mailboxes",
        (
            Key("ACL_ANYONE", "choice", "disallow", "Sharing with every user at once", ("allow", "disallow")),
            Key("MAILDIR_GC_TIME", "number", "7200", "Minutes until deleted mailboxes are gone for good"),
        ),
    ),
    Group(
        "Certificates",
        (
            Key(
                "ADDITIONAL_SAN",
                "list",
                "",
                "More names for the certificate, with commas; imap.* for each domain",
            ),
            _switch("AUTODISCOVER_SAN", "y", "Certificates for autodiscover and autoconfig of each domain"),
            Key(
                "ADDITIONAL_SERVER_NAMES",
                "list",
                "",
                "More names that the web interface answers to, with commas",
            ),
            _switch("SKIP_LETS_ENCRYPT", "n", "Get no certificates from Let's Encrypt"),
            _switch("ACME_DNS_CHALLENGE", "n", "Prove domains to Let's Encrypt by DNS instead of HTTP"),
            Key(
                "ACME_DNS_PROVIDER",
                "text",
                "dns_xxx",
                "acme.sh's name of the DNS provider, for the DNS proof",
            ),
            Key(
                "ACME_ACCOUNT_EMAIL",
                "email",
                "me@example.com",
                "Mail address for Let's Encrypt, for the DNS proof",
            ),
            _switch("ENABLE_SSL_SNI", "n", "A certificate of its own for each domain"),
            _switch("SKIP_IP_CHECK", "n", "Ask for certificates without comparing addresses"),
            _switch("SKIP_HTTP_VERIFICATION", "n", "Ask for certificates without trying HTTP first"),
        ),
    ),
    Group(
        "Services",
        (
            _switch("SKIP_UNBOUND_HEALTHCHECK", "n", "Start although the resolver's self-test fails"),
            _switch("SKIP_CLAMD", "n", "Leave out ClamAV, which needs more than 1 GiB of memory"),
            _switch("SKIP_OLEFY", "n", "Leave out the scanner for macros in Office documents"),
            _switch("SKIP_SOGO", "n", "Leave out SOGo: no webmail, calendars, ActiveSync"),
            _switch("SKIP_FTS", "n", "Leave out full-text search"),
            Key("FTS_HEAP", "number", "128", "Memory for each process of full-text search, in MB"),
            Key("FTS_PROCS", "number", "1", "How many processes full-text search may have"),
            _switch("ALLOW_ADMIN_EMAIL_LOGIN", "n", "Admins may open mailboxes in SOGo without a password"),
        ),
    ),
    Group(
        "Watchdog",
        (
            _switch("USE_WATCHDOG", "y", "Restart containers that are not well"),
            Key("WATCHDOG_NOTIFY_EMAIL", "emails", "", "Who gets the watchdog's mail, with commas", off=True),
            Key("WATCHDOG_NOTIFY_WEBHOOK", "secret", "", "Address that the watchdog posts to", off=True),
            Key("WATCHDOG_NOTIFY_WEBHOOK_BODY", "secret", "", "JSON that the watchdog posts there", off=True),
            _switch("WATCHDOG_NOTIFY_BAN", "n", "Tell of banned addresses"),
            _switch("WATCHDOG_NOTIFY_START", "y", "Tell when the watchdog starts"),
            Key("WATCHDOG_SUBJECT", "text", "", "Subject of the watchdog's mail", off=True),
            _switch("WATCHDOG_EXTERNAL_CHECKS", "n", "Have the server tested for open relaying from outside"),
            _switch("WATCHDOG_VERBOSE", "n", "Log more of what the watchdog does"),
            Key("LOG_LINES", "number", "9999", "Log lines that are kept for each service"),
        ),
    ),
    Group(
        "Network",
        (
            Key("IPV4_NETWORK", "network4", "172.22.1", "First three numbers of the containers' private /24"),
            Key(
                "IPV6_NETWORK", "network6", "fd4d:6169:6c63:6f77::/64", "The containers' private IPv6 prefix"
            ),
            Key("SNAT_TO_SOURCE", "address", "", "IPv4 address that outgoing mail comes from", off=True),
            Key("SNAT6_TO_SOURCE", "address", "", "IPv6 address that outgoing mail comes from", off=True),
        ),
    ),
    Group(
        "API",
        (
            Key("API_KEY", "secret", "", "Key of the API; letters, digits and -", off=True),
            Key("API_KEY_READ_ONLY", "secret", "", "Key of the API that may only read", off=True),
            Key(
                "API_ALLOW_FROM",
                "addresses",
                "172.22.1.1,127.0.0.1",
                "Who may use the API, with commas",
                off=True,
            ),
        ),
    ),
    Group(
        "Further settings",
        (
            Key("MAILDIR_SUB", "text", "Maildir", "Directory of mail inside a mailbox's home"),
            Key("SOGO_EXPIRE_SESSION", "number", "480", "Minutes until SOGo logs an idle user out"),
            Key("SOGO_URL_ENCRYPTION_KEY", "secret", "", "Key for SOGo's addresses: 16 letters and digits"),
            Key("DOVECOT_MASTER_USER", "text", "", "Dovecot's master user; empty makes one at each start"),
            Key("DOVECOT_MASTER_PASS", "secret", "", "The master user's password; set both or neither"),
            _switch("WEBAUTHN_ONLY_TRUSTED_VENDORS", "n", "Accept security keys of known makers only"),
            Key("SPAMHAUS_DQS_KEY", "secret", "", "Spamhaus key, for networks that Spamhaus blocks"),
            Key(
                "ENABLE_IPV6", "boolean", "true", "IPv6 for mailcow; the host must have it", ("true", "false")
            ),
            _switch("DISABLE_NETFILTER_ISOLATION_RULE", "n", "Let the subnet's neighbours reach containers"),
        ),
    ),
)

KEYS: dict[str, Key] = {key.name: key for group in GROUPS for key in group.keys}

# Keys of mailcow's compose file that its mailcow.conf does not show (2026-08).
HIDDEN_SWITCHES = (
    "DEMO_MODE",
    "DEV_MODE",
    "LE_STAGING",
    "MASTER",
    "NGINX_USE_PROXY_PROTOCOL",
    "ONLY_MAILCOW_HOSTNAME",
    "SKIP_RSPAMD",
    "WATCHDOG_MYSQL_REPLICATION_CHECKS",
)

# The same with values of their own: the web interface asks for this word alone (functions.mailbox.inc.php).
HIDDEN_CHOICES = {"CLUSTERMODE": ("", "replication")}

# What mailcow's web interface makes of a new password, its default first (functions.inc.php, hash_password).
PASS_SCHEMES = ("BLF-CRYPT", "SSHA", "SSHA256", "SSHA512")

# Keys that mailcow's updater never adds to a file (_modules/scripts/new_options.sh): the first file had them.
NEVER_ADDED = frozenset(
    {
        *("MAILCOW_HOSTNAME", "TZ", "DBNAME", "DBUSER", "DBPASS", "DBROOT", "HTTP_PORT", "HTTP_BIND"),
        *("HTTPS_PORT", "HTTPS_BIND", "SMTP_PORT", "SMTPS_PORT", "SUBMISSION_PORT", "IMAP_PORT"),
        *("IMAPS_PORT", "POP_PORT", "POPS_PORT", "SIEVE_PORT"),
    }
)

# Keys that earlier files had and nothing reads any more.
GONE: dict[str, str] = {
    "SKIP_SOLR": "SKIP_FTS",
    "SOLR_HEAP": "FTS_HEAP",
    "SOLR_PORT": "",
    "ACME_CONTACT": "",
    "XMPP_C2S_PORT": "",
    "XMPP_S2S_PORT": "",
    "XMPP_HTTPS_PORT": "",
    "DISABLE_IPv6": "ENABLE_IPV6",
    "SYSCTL_IPV6_DISABLED": "ENABLE_IPV6",
    "FLATCURVE_EXPERIMENTAL": "",
    "COMPOSEPROJECT_NAME": "COMPOSE_PROJECT_NAME",
}

# Of those, what once switched IPv6 off, and the values that did.
GONE_IPV6: dict[str, tuple[str, ...]] = {"DISABLE_IPv6": ("y",), "SYSCTL_IPV6_DISABLED": ("1",)}


def predecessors(name: str) -> tuple[str, ...]:
    """The keys that stand before this one in mailcow's file, nearest first; none for an unknown key."""
    order = tuple(KEYS)
    return tuple(reversed(order[: order.index(name)])) if name in KEYS else ()
