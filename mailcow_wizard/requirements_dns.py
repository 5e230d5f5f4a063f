"""Whom DNS is asked, and which blocklists: public facts of the net, each with its source."""

from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

# https://www.internic.net/domain/named.root, 2025: letters A to M.
ROOT_SERVERS_V4 = (
    "198.41.0.4", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241",
    "192.112.36.4", "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42",
    "202.12.27.33",
)  # fmt: skip
ROOT_SERVERS_V6 = (
    "2001:503:ba3e::2:30", "2801:1b8:10::b", "2001:500:2::c", "2001:500:2d::d", "2001:500:a8::e",
    "2001:500:2f::f", "2001:500:12::d0d", "2001:500:1::53", "2001:7fe::53", "2001:503:c27::2:30",
    "2001:7fd::1", "2001:500:9f::42", "2001:dc3::35",
)  # fmt: skip

# Three operators: Cloudflare, Google, Quad9. mailcow's unbound healthcheck pings the same three.
PUBLIC_RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")

# RFC 8624, 3.1 and 3.3: what resolvers that check signatures implement, and with which of these hashes of
# keys. A zone whose DS records are all of other kinds is for them one without signatures (RFC 4035, 5.2).
DNSSEC_ALGORITHMS = (5, 7, 8, 10, 13, 14, 15, 16)
DNSSEC_DIGESTS = (1, 2, 4)

DOC_DNS = "https://docs.mailcow.email/getstarted/prerequisite-dns/"

# https://www.cloudflare.com/ips, 2025: addresses of its proxy, behind which no mail server is reached.
CLOUDFLARE = (
    "173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18",
    "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
    "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22",
    "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32",
    "2a06:98c0::/29", "2c0f:f248::/32",
)  # fmt: skip
DOC_BINDINGS = "https://docs.mailcow.email/post_installation/firststeps-ip_bindings/"
DOC_TLS = "https://docs.mailcow.email/post_installation/firststeps-ssl/"

# What mailcow's generate_config.sh and its postfix ask: 200 is fine, 503 a network that Spamhaus does not
# answer (AWS, OVH and others, #5293), 429 asked too often.
ASN_CHECK = "asn-check.mailcow.email"
ASN_FINE, ASN_BLOCKED, ASN_TOO_OFTEN = 200, 503, 429
DQS_KEY = "SPAMHAUS_DQS_KEY"
DQS_PAGE = "https://www.spamhaus.com/free-trial/sign-up-for-a-free-data-query-service-account/"
DOC_ASN = "https://github.com/mailcow/mailcow-dockerized/issues/5293"
DOC_BLOCKLISTS = "https://www.rfc-editor.org/rfc/rfc5782"

# Resolvers that everybody may use, besides those above; blocklists refuse them, for they see nobody behind
# them. The operators' own pages, 2025: Cloudflare, Google, Quad9, OpenDNS, AdGuard, DNS.SB, DNS4EU.
OPEN_RESOLVERS = (
    *PUBLIC_RESOLVERS, "1.0.0.1", "8.8.4.4", "149.112.112.112", "9.9.9.10", "208.67.222.222",
    "208.67.220.220", "94.140.14.14", "94.140.15.15", "185.222.222.222", "45.11.45.11", "86.54.11.1",
    "86.54.11.100", "2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888",
    "2001:4860:4860::8844", "2620:fe::fe", "2620:fe::9", "2620:119:35::35", "2620:119:53::53",
    "2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff",
)  # fmt: skip

# RFC 5782, 5: what every list of addresses holds, and what it must not hold. Names have a test of their own.
BLOCKLIST_LISTED = {4: "127.0.0.2", 6: "::ffff:7f00:2"}
BLOCKLIST_CLEAN = {4: "127.0.0.1", 6: "::ffff:7f00:1"}
BLOCKLIST_CLEAN_NAME = "invalid"
# https://www.spamhaus.org/news/article/807/using-our-public-mirrors-check-your-return-codes-now, and others
# after it: answers of this network say why there is no answer.
BLOCKLIST_REFUSALS = "127.255.255.0/24"
BLOCKLIST_ERRORS = {
    "127.255.255.252": _("the name that was asked is mistyped"),
    "127.255.255.254": _("it refuses the resolver that asked, or this network"),
    "127.255.255.255": _("it was asked too often from there"),
}


class Blocklist(NamedTuple):
    """A list in DNS: its zone, its name, what it holds (4: IPv4, 6: IPv6, n: names), what a listing means
    for mail, and where to ask for removal.

    `weight`: refuses (many servers refuse mail because of it), counts (many count it among other signs) or
    advice. `codes` are words for its answers; `bits` says that the last number of an answer is a sum of them;
    `harmless` are answers that are no listing, `refusals` those that mean that it does not answer us.
    `test` is a name that it lists for tests.
    """

    zone: str
    name: str
    holds: str
    weight: str
    removal: str
    codes: tuple[tuple[int, str], ...] = ()
    bits: bool = False
    harmless: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    test: str = "test"


_SPAMHAUS = "https://check.spamhaus.org/"
_UCEPROTECT = "https://www.uceprotect.net/en/rblcheck.php"
_MONKEY = "https://spameatingmonkey.com/lookup"
_SUOMISPAM = "https://suomispam.net/"
_NORDSPAM = "https://www.nordspam.com/delist/"
_INTERSERVER = "https://sigs.interserver.net/"
_GREYLIST = "http://wiki.junkemailfilter.com/index.php/Spam_DNS_Lists"

# The pages named in each row, 2025; the first ten are those that mailcow's postscreen and rspamd ask (2026).
BLOCKLISTS: tuple[Blocklist, ...] = (
    Blocklist(
        "zen.spamhaus.org", "Spamhaus ZEN", "46", "refuses", _SPAMHAUS,
        ((2, _("spam source, SBL")), (3, _("spam source, CSS")), (4, _("infected machine, XBL")),
         (5, _("infected machine, XBL")), (6, _("infected machine, XBL")), (7, _("infected machine, XBL")),
         (9, _("hijacked network, DROP")), (10, _("network of end users, by its provider, PBL")),
         (11, _("network of end users, PBL"))),
    ),
    Blocklist("b.barracudacentral.org", "Barracuda", "4", "refuses",
              "https://www.barracudacentral.org/rbl/removal-request"),
    Blocklist("bl.spamcop.net", "SpamCop", "4", "refuses", "https://www.spamcop.net/bl.shtml"),
    Blocklist("bl.mailspike.net", "Mailspike", "4", "counts", "https://mailspike.io/ip_verify",
              ((2, _("sends spam now")), (10, _("worst reputation")), (11, _("very bad reputation")),
               (12, _("bad reputation")))),
    Blocklist("bl.spameatingmonkey.net", "Spam Eating Monkey", "4", "counts", _MONKEY),
    Blocklist("bl.ipv6.spameatingmonkey.net", "Spam Eating Monkey", "6", "counts", _MONKEY),
    Blocklist("backscatter.spameatingmonkey.net", _("Spam Eating Monkey, backscatter"), "4", "advice",
              _MONKEY),
    Blocklist("bl.suomispam.net", "Suomispam", "46", "counts", _SUOMISPAM),
    Blocklist("hostkarma.junkemailfilter.com", "Hostkarma", "4", "counts", _GREYLIST,
              ((2, _("spam source, black")), (4, _("mostly spam, brown"))),
              harmless=("127.0.0.1", "127.0.0.3", "127.0.0.5", "127.0.2.1", "127.0.2.2", "127.0.2.3")),
    Blocklist("rbl.interserver.net", "InterServer", "4", "counts", _INTERSERVER),
    Blocklist("psbl.surriel.com", "PSBL", "4", "counts", "https://psbl.org/remove"),
    Blocklist("dnsbl-1.uceprotect.net", "UCEPROTECT 1", "4", "counts", _UCEPROTECT),
    Blocklist("dnsbl-2.uceprotect.net", "UCEPROTECT 2", "4", "advice", _UCEPROTECT,
              ((2, _("neighbours in its network")),)),
    Blocklist("dnsbl-3.uceprotect.net", "UCEPROTECT 3", "4", "advice", _UCEPROTECT,
              ((2, _("its whole provider")),)),
    Blocklist("dnsbl.dronebl.org", "DroneBL", "46", "counts", "https://dronebl.org/lookup",
              ((3, _("IRC drone")), (5, "bottler"), (6, "spambot"), (7, _("drone that attacks others")),
               (8, _("open SOCKS proxy")), (9, _("open HTTP proxy")), (13, _("guesses passwords")),
               (14, _("open gateway")), (15, _("open router")), (17, _("part of a botnet")),
               (19, _("abused VPN")))),
    Blocklist("bl.blocklist.de", "blocklist.de", "46", "counts", "https://www.blocklist.de/en/delist.html"),
    Blocklist("all.s5h.net", "s5h.net", "46", "counts", "https://www.usenix.org.uk/content/rblremove"),
    Blocklist("ips.backscatterer.org", "Backscatterer", "4", "advice",
              "https://www.backscatterer.org/?target=test"),
    Blocklist("db.wpbl.info", "WPBL", "4", "counts", "http://www.wpbl.info/"),
    Blocklist("truncate.gbudb.net", "Truncate", "4", "counts", "http://www.gbudb.com/truncate/"),
    Blocklist("all.spamrats.com", "SpamRATS", "46", "counts", "https://www.spamrats.com/removal.php",
              ((36, _("looks like an end user's line")), (37, _("has no reverse name")),
               (38, _("spam source")), (43, _("guesses passwords")))),
    Blocklist("bl.nordspam.com", "NordSpam", "46", "counts", _NORDSPAM),
    Blocklist("dnsbl.spfbl.net", "SPFBL", "46", "counts", "https://matrix.spfbl.net/",
              ((2, _("bad reputation")), (3, "suspicious"), (4, _("end user's line")))),
    Blocklist("dnsbl.zapbl.net", "ZapBL", "4", "counts", "https://zapbl.net/"),
    Blocklist("spamsources.fabel.dk", "Fabel", "4", "counts", "https://www.spamsources.fabel.dk/"),
    Blocklist("spam.dnsbl.anonmails.de", "anonmails.de", "4", "counts", "https://anonmails.de/dnsbl.php"),
    Blocklist("bl.0spam.org", "0spam", "4", "counts", "https://0spam.org/"),
    Blocklist("rbl.abuse.ro", "abuse.ro", "4", "counts", "https://abuse.ro/"),
    Blocklist(
        "dbl.spamhaus.org", "Spamhaus DBL", "n", "refuses", _SPAMHAUS,
        ((2, _("spam domain")), (4, _("phishing domain")), (5, _("malware domain")), (6, _("botnet domain")),
         (102, _("abused for spam")), (103, _("abused to redirect")), (104, _("abused for phishing")),
         (105, _("abused for malware")), (106, _("abused for a botnet"))),
        refusals=("127.0.1.255",), test="dbltest.com",
    ),
    Blocklist("multi.surbl.org", "SURBL", "n", "counts", "https://surbl.org/surbl-analysis",
              ((8, _("phishing, PH")), (16, _("malware, MW")), (64, _("abuse, ABUSE")),
               (128, _("cracked site, CR"))),
              bits=True, refusals=("127.0.0.1",), test="surbl-org-permanent-test-point.com"),
    Blocklist("multi.uribl.com", "URIBL", "n", "counts", "https://admin.uribl.com/",
              ((2, _("spam, black")), (4, _("bulk mail, grey")), (8, _("newly seen, red"))),
              bits=True, refusals=("127.0.0.1",), test="test.uribl.com"),
    Blocklist("uribl.spameatingmonkey.net", _("Spam Eating Monkey, names"), "n", "counts", _MONKEY),
    Blocklist("dbl.suomispam.net", _("Suomispam, names"), "n", "counts", _SUOMISPAM),
    Blocklist("dbl.nordspam.com", _("NordSpam, names"), "n", "counts", _NORDSPAM),
    Blocklist("rbluri.interserver.net", _("InterServer, names"), "n", "counts", _INTERSERVER),
)  # fmt: skip
