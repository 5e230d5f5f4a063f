"""The certificates that the ports show, read from their bytes, and what mailcow's acme says about them."""

from __future__ import annotations

import base64
import ipaddress
from datetime import datetime, timezone

from mailcow_wizard.facts.dns.der import bounds
from mailcow_wizard.facts.mail.containers import last_lines
from mailcow_wizard.facts.mail.talks import Talks, talks
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

_OID, _SET, _SEQUENCE, _UTC, _GENERALIZED = 0x06, 0x31, 0x30, 0x17, 0x18
_VERSION, _EXTENSIONS, _DNS, _IP, _OCTETS = 0xA0, 0xA3, 0x82, 0x87, 0x04
_COMMON_NAME, _ORGANIZATION, _ALTERNATIVE = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x1d\x11"
_ACME_LINES = 40
_LONGEST = 4000  # Let's Encrypt's whole answer is one line
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END"
FILE = "data/assets/ssl/cert.pem"


class Shown(NamedTuple):
    """A certificate, read: whom it is for (`names` of its extension, `common` the name of old), who made it,
    from when to when it is good (seconds since 1970); `itself` that it is its own issuer."""

    common: str
    names: tuple[str, ...]
    issuer: str
    maker: str
    begins: float
    ends: float
    itself: bool

    def is_for(self, name: str) -> bool:
        """Whether it is for this name, as clients see it: a star stands for one label."""
        name = name.lower().rstrip(".")
        above = name.partition(".")[2]
        return any(one.lower() == name or (above and one.lower() == f"*.{above}") for one in self.names)


class Group(NamedTuple):
    """One certificate (`der`), and the ports that show it and are trusted alike, as people write them.
    `shown` is None where it cannot be read; `trouble` is why a client would not trust it, `before` that only
    the reverse proxy before mailcow shows it."""

    shown: Shown | None
    trouble: str
    ports: tuple[str, ...]
    der: bytes = b""
    before: bool = False


class Certificates(NamedTuple):
    """What the ports show; `acme` is the state of mailcow's acme (running, exited, empty: there is none) and
    `lines` the end of its log; `file` is what services load when they start, None where it cannot be read."""

    talks: Talks
    groups: tuple[Group, ...]
    now: float
    acme: str = ""
    lines: tuple[str, ...] = ()
    file: Shown | None = None


def certificates(facts: Facts) -> Certificates:
    """Collects the certificates of all ports. Raises HostError."""
    spoken = facts.get(talks)
    found: dict[tuple[bytes, str], list[str]] = {}
    for one in (*spoken.talks, *spoken.fronts):
        # One port may lack what stands above the certificate, where the others show it.
        if one.spoken.der:
            found.setdefault((one.spoken.der, one.spoken.trouble), []).append(str(one.asked.port))
    own = {(one.spoken.der, one.spoken.trouble) for one in spoken.talks}
    groups = tuple(
        Group(read(key[0]), key[1], tuple(dict.fromkeys(ports)), key[0], key not in own)
        for key, ports in found.items()
    )
    made = Certificates(spoken, groups, facts.host.now(), file=_file(facts))
    acme = next((one for one in spoken.about.boxes if one.service == "acme-mailcow"), None)
    if acme is None:
        return made
    try:
        return made._replace(acme=acme.state, lines=last_lines(facts, acme.id, _ACME_LINES, _LONGEST))
    except HostError:
        return made._replace(acme=acme.state)


def _file(facts: Facts) -> Shown | None:
    try:
        text = facts.host.text(facts.settings.within(FILE))
    except HostError:
        return None
    return read(first_in(text))


def first_in(text: str) -> bytes:
    """The first certificate of a file, in bytes: that is the server's own; empty where it holds none."""
    try:
        return base64.b64decode(text.partition(_BEGIN)[2].partition(_END)[0])
    except ValueError:
        return b""


def read(der: bytes) -> Shown | None:
    """A certificate's content; None where it is none."""
    try:
        return _read(der)
    except (ValueError, IndexError):
        return None


def _read(der: bytes) -> Shown:
    whole, _ = bounds(der, 0)
    parts = _parts(der, *bounds(der, whole))
    if parts[0][0] == _VERSION:
        parts = parts[1:]
    # Serial number, signature, issuer, validity, subject, key, and behind them the extensions.
    issuer, validity, subject = (der[one[1] : one[2]] for one in parts[2:5])
    begins, ends = (
        _time(one[0], validity[one[1] : one[2]]) for one in _parts(validity, 0, len(validity))[:2]
    )
    names: tuple[str, ...] = ()
    for tag, start, end in parts[6:]:
        if tag == _EXTENSIONS:
            names = _alternative(der[start:end])
    said, made = _distinguished(subject), _distinguished(issuer)
    common = said.get(_COMMON_NAME, "")
    maker = made.get(_ORGANIZATION, "")
    return Shown(common, names, made.get(_COMMON_NAME, "") or maker, maker, begins, ends, issuer == subject)


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """The elements between two places: tag, and where the content begins and ends."""
    found = []
    while start < end:
        first, last = bounds(data, start)
        found.append((data[start], first, last))
        start = last
    return found


def _time(tag: int, text: bytes) -> float:
    stamp = text.decode("ascii")
    if tag == _UTC:
        stamp = ("19" if stamp[:2] >= "50" else "20") + stamp
    elif tag != _GENERALIZED:
        raise ValueError(tag)
    return datetime.strptime(stamp, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def _distinguished(data: bytes) -> dict[bytes, str]:
    """The last value of each kind in a name."""
    found: dict[bytes, str] = {}
    for _, start, end in _parts(data, 0, len(data)):
        for _, first, last in _parts(data, start, end):
            kind, value = _parts(data, first, last)[:2]
            found[data[kind[1] : kind[2]]] = data[value[1] : value[2]].decode("utf-8", "replace")
    return found


def _alternative(data: bytes) -> tuple[str, ...]:
    """The names of the extension that has them."""
    names: list[str] = []
    for _, start, end in _parts(data, *bounds(data, 0)):
        kind, *rest = _parts(data, start, end)
        if data[kind[1] : kind[2]] != _ALTERNATIVE or not rest:
            continue
        place, _ = bounds(data, rest[-1][1])
        for tag, first, last in _parts(data, place, rest[-1][2]):
            if tag == _DNS:
                names.append(data[first:last].decode("ascii", "replace"))
            elif tag == _IP and last - first in (4, 16):
                names.append(str(ipaddress.ip_address(data[first:last])))
    return tuple(names)
