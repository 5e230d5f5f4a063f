"""Names that people type: what may be one, and in which form it is kept."""

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_LABEL = pattern(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_DOTS = pattern("[.\u3002\uff0e\uff61]")  # RFC 3490, 3.1
_OWN_RIGHT = pattern("([\u00df\u03c2])")  # sharp s and final sigma (RFC 5894, 7.2)
_PORT = pattern(r"[1-9][0-9]{0,4}")
# Over HTTP a name alone is a token.
_WITH_PASSWORD = pattern(r"(?i)https?://[^/@]*@|[a-z0-9+.-]+://[^/@:]*:[^/@]*@")
_LOCAL_PART = pattern(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_PATTERNS = "*?["

HERE = "here"
"""Stands for this machine's own addresses."""
_LONGEST_LIST = 512  # as long as mailcow's database takes it (init_db.inc.php, api.allow_from)


class NotAName(ValueError):
    """It cannot be such a name; the text says why."""


def host_name(text: str) -> str:
    """The name in lower case without a final dot, non-ASCII labels in their `xn--` form. Raises NotAName."""
    # Letter by letter: as a whole, a final sigma would come of a large one.
    name = "".join(map(str.lower, text.strip().removesuffix(".")))
    if not name.isascii():
        try:
            name = ".".join(map(_ascii_label, _DOTS.split(name))).removesuffix(".")
        except UnicodeError:
            raise NotAName(_("not a name that DNS can hold")) from None
    if not name:
        raise NotAName(_("a name is needed"))
    if len(name) > 253:
        raise NotAName(_("longer than 253 characters"))
    for label in name.split("."):
        if not label:
            raise NotAName(_("two dots in a row"))
        if not _LABEL.fullmatch(label):
            raise NotAName(_("only letters, digits and hyphens between the dots, at most 63"))
    if name.rpartition(".")[2].isdigit():
        raise NotAName(_("that is an address, not a name"))
    return name


def _ascii_label(label: str) -> str:
    """A label as DNS has it. Those with a letter of their own right since IDNA 2008 (RFC 5891) are other
    names than Python's codec, which is of IDNA 2003, makes of them: fass.de is not faß.de. Raises
    UnicodeError."""
    if not _OWN_RIGHT.search(label):
        return label.encode("idna").decode("ascii")
    from encodings.idna import nameprep

    prepared = "".join(one if _OWN_RIGHT.fullmatch(one) else nameprep(one) for one in _OWN_RIGHT.split(label))
    if prepared.startswith(("-", "xn--")) or prepared.endswith("-"):
        raise UnicodeError
    return f"xn--{prepared.encode('punycode').decode('ascii')}"


def mail_host_name(text: str) -> str:
    """A name that mailcow takes: one dot at least, better two (mail.example.org). Raises NotAName."""
    name = host_name(text)
    if "." not in name:
        raise NotAName(_("a full name is needed, such as mail.example.org"))
    return name


def is_full(name: str) -> bool:
    """Whether an install takes a server's name: at least two dots, as mailcow is tested (#1572)."""
    return name.count(".") > 1


def mail_domain(text: str) -> str:
    """A domain that can stand behind the @. Raises NotAName."""
    name = host_name(text)
    if "." not in name:
        raise NotAName(_("a domain is needed, such as example.org"))
    return name


def api_addresses(text: str) -> str:
    """Addresses and networks with commas between them, as API_ALLOW_FROM has them. Raises NotAName."""
    import ipaddress

    found = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ipaddress.ip_network(one, strict=False)
        except ValueError:
            words = _("{one} is no address, such as 192.0.2.7 or 192.0.2.0/24", one=one[:60])
            raise NotAName(words) from None
        if not network.prefixlen:
            raise NotAName(_("{one} is everybody: name those who use the key", one=one))
        found.append(one.split("/")[0] if network.num_addresses == 1 else str(network))
    if not found:
        raise NotAName(_("an address is needed"))
    listed = ",".join(dict.fromkeys(found))
    if len(listed) > _LONGEST_LIST:
        raise NotAName(_("longer than {number} characters", number=_LONGEST_LIST))
    return listed


def mailbox(text: str) -> str:
    """A mailbox's address in lower case, its domain as `mail_domain` has it. Raises NotAName."""
    local, at, domain = text.strip().lower().rpartition("@")
    if not at or not local:
        raise NotAName(_("a whole address is needed, such as me@example.org"))
    if not _LOCAL_PART.fullmatch(local) or ".." in local:
        raise NotAName(_("before the @ only letters, digits, dots, hyphens and underscores"))
    return f"{local}@{mail_domain(domain)}"


def server_and_port(text: str) -> str:
    """A server's name, with or without a port behind a colon. Raises NotAName."""
    name, colon, port = text.strip().partition(":")
    if colon and not (_PORT.fullmatch(port) and int(port) < 65536):
        raise NotAName(_("behind the colon stands a port, from 1 to 65535"))
    return f"{mail_host_name(name)}{colon}{port}"


def address(text: str) -> str:
    """An IP address as it is compared. Raises NotAName."""
    import ipaddress

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise NotAName(_("not an IP address")) from None


def public_address(text: str) -> str:
    """An address that others may know the server by, and of IPv4 as IPv4 has it: not one of this machine
    alone, of a single link, of a group, or of nobody. A private one is none of the world's, but may be meant.
    Raises NotAName."""
    import ipaddress

    known = ipaddress.ip_address(address(text))
    if getattr(known, "scope_id", None):
        raise NotAName(_("not an IP address"))
    known = getattr(known, "ipv4_mapped", None) or known
    nobodys = known.is_loopback or known.is_unspecified or known.is_multicast or known.is_reserved
    if nobodys or known.is_link_local:
        raise NotAName(_("an address that no other server can send to"))
    return str(known)


def repository(text: str) -> str:
    """The address of a git repository. Raises NotAName."""
    if not text or text.startswith("-") or not text.isprintable():
        raise NotAName(_("no address of a git repository"))
    if _WITH_PASSWORD.match(text):
        raise NotAName(
            _(
                "an address with a password, which every user of the server could read; "
                "git also finds it in /root/.netrc"
            )
        )
    return text


def branch(text: str) -> str:
    """The name of a git branch. Raises NotAName."""
    plain = text.isascii() and all(one.isalnum() or one in "-_./" for one in text)
    if not text or not plain or text.startswith(("-", ".", "/")) or ".." in text:
        raise NotAName(_("no name of a branch"))
    return text


def directory(text: str) -> str:
    """A directory that mailcow can be installed in: Docker mounts what lies below it, and mailcow's own
    scripts (helper-scripts/backup_and_restore.sh) name it without quotes. Raises NotAName."""
    if ":" in text:
        raise NotAName(_("Docker can mount nothing below a name with a colon"))
    if any(one.isspace() for one in text):
        raise NotAName(_("mailcow's own scripts take a name with a blank for two names"))
    if any(one in _PATTERNS for one in text):
        raise NotAName(_("mailcow's own scripts take *, ? and [ for a pattern"))
    if not text.isprintable():
        raise NotAName(_("it has letters that cannot be shown"))
    return text


def provider(text: str) -> str:
    """dns-lexicon's name of a DNS provider, in lower case. Raises NotAName."""
    if not text.isascii() or not text.replace("-", "").isalnum():
        raise NotAName(_("not a provider's name, such as hetzner or cloudflare"))
    return text.lower()


def doubt(hostname: str, domain: str) -> str:
    """What speaks against a pair of names that mailcow would take (#1572); empty where nothing does."""
    if hostname == domain:
        return _("the server needs a name of its own, such as mail.{domain}", domain=domain)
    if hostname.count(".") == 1:
        return _("mailcow is hardly tested with one dot; better is mail.{hostname}", hostname=hostname)
    return ""
