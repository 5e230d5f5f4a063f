"""The timezone: where /etc/localtime leads, what /etc/timezone says, whether both mean the same."""

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, NotRecorded
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

ZONEINFO = "/usr/share/zoneinfo"
LOCALTIME = "/etc/localtime"
TIMEZONE = "/etc/timezone"
_LARGEST_ZONE = 1 << 16


class Zone(NamedTuple):
    """What the two files say. `localtime` is link, copy, broken (a link to nothing) or missing.

    `linked` is the zone that /etc/localtime leads to, `written` what /etc/timezone says (None: no such
    file), `missing` those of both that are no zone of this machine, `same` whether both mean the same,
    `mailcow` TZ of mailcow.conf, which is `conf`.
    """

    localtime: str
    linked: str
    written: str | None
    missing: tuple[str, ...]
    same: bool
    zoneinfo: bool
    mailcow: str
    conf: str = "mailcow.conf"


def zone(facts: Facts) -> Zone:
    """Reads /etc/localtime and /etc/timezone, as the C library and mailcow's generate_config.sh do."""
    host = facts.host
    localtime, linked = _localtime(host)
    try:
        written: str | None = host.text(TIMEZONE, _LARGEST_ZONE).strip()
    except Missing:
        written = None
    if written and not all(one.isprintable() and one != "\ufffd" for one in written.replace("\n", "")):
        raise HostError(_("{timezone} holds something else than text", timezone=TIMEZONE))
    missing = tuple(
        name for name in dict.fromkeys((linked, written)) if name and is_zone(host, name) is False
    )
    try:
        own = facts.get(mailcow_conf)
        mailcow, conf = own.get("TZ"), own.path
    except HostError:
        mailcow, conf = "", ""
    same = not linked or not written or linked == written
    if written and not missing and not same:
        same = _rules(host, linked) == _rules(host, written)
    elif written and not missing and not linked and localtime in ("copy", "link"):
        same = host.read(LOCALTIME, _LARGEST_ZONE) == _rules(host, written)
    elif written and localtime == "missing":
        same = written in ("UTC", "Etc/UTC", "Etc/UCT", "Etc/Zulu")
    return Zone(localtime, linked, written, missing, same, host.exists(ZONEINFO), mailcow, conf)


def _localtime(host: Host) -> tuple[str, str]:
    """What kind of thing /etc/localtime is, and the zone that it leads to."""
    try:
        kind = host.info(LOCALTIME, follow=False).kind
    except Missing:
        return "missing", ""
    if kind != "link":
        return "copy", ""
    try:
        target = host.resolve(LOCALTIME)
        host.info(target)
    except Missing:
        return "broken", ""
    return "link", target.partition("/zoneinfo/")[2]


def is_zone(host: Host, name: str) -> bool | None:
    """Whether this machine knows a timezone of this name; None where it does not let that be seen."""
    try:
        return bool(_read(host, name))
    except HostError:
        return None


def _rules(host: Host, name: str) -> bytes:
    """The content of a zone's file under /usr/share/zoneinfo; empty where none can be seen."""
    try:
        return _read(host, name)
    except HostError:
        return b""


def _read(host: Host, name: str) -> bytes:
    """The same. Raises HostError where it may not be read, or a recorded machine was not asked for it."""
    plain = name.isascii() and all(character.isalnum() or character in "/_+-" for character in name)
    if not plain or name.startswith("/"):
        return b""
    try:
        rules = host.read(f"{ZONEINFO}/{name}", _LARGEST_ZONE)
    except (Denied, NotRecorded):
        raise
    except HostError:
        return b""
    return rules if rules.startswith(b"TZif") else b""
