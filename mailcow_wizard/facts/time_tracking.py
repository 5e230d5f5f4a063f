"""What the daemons say of their clock, chronyd by its tracking and ntpd by its variables: whether it is
synchronised, and why not."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.time_answers import nanoseconds
from mailcow_wizard.facts.time_words import span
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

Verdict = tuple[bool | None, str]
"""Whether it is synchronised (None: it does not say), and the reason if it is not."""

NOT_YET = _("it has not agreed with a time server yet")
_OWN_CLOCK = "7F7F0101"  # 127.127.1.1: chronyd's `local` directive
# ntpd's own clock as a server (127.127.1.0 to .3, in ntpd before 4.2 LOCAL), and orphan mode.
_OWN_REFERENCE = pattern(r"127\.127\.1\.[0-9]+|\.?LOCL\.?|LOCAL\([0-9]+\)|127\.0\.0\.1")
_OLDEST_MEASUREMENT_S = 3 * 3600.0
_LONGEST_INTERVAL_S = 8 * 3600.0
_WORST_TRACKING_S = need.TIME_WARN_S
_WORST_DISPERSION_S = 3.0  # chronyd's own maxdistance
_NO_STRATUM = 16
_NOT_SYNCHRONISED = 3  # leap bits


def read_tracking(line: str, now: float | None = None) -> Verdict:
    """The one line of `chronyc -c tracking`."""
    fields = line.strip().split(",")
    if len(fields) < 14:
        return None, ""
    if fields[0] == _OWN_CLOCK:
        return False, _("it follows this machine's own clock (`local` in chrony.conf), no time server")
    if fields[13] == "Not synchronised" or fields[2] == "0":
        return False, NOT_YET
    try:
        measured, off, dispersion, interval = (float(fields[place]) for place in (3, 4, 11, 12))
    except ValueError:
        return None, ""
    return _weighed(None if now is None else abs(now - measured), interval, off, dispersion)


def read_variables(text: str, now: float | None = None) -> Verdict:
    """The system variables that `ntpq -c rv` shows; times are in milliseconds."""
    said = dict(re.findall(r"\b([a-z_]{1,20})=([^\s,]{1,80})", text))
    try:
        leap, stratum = int(said["leap"], 2), int(said["stratum"])
        off, dispersion = (float(said[name]) / 1000 for name in ("offset", "rootdisp"))
        measured = nanoseconds(bytes.fromhex(said["reftime"].removeprefix("0x").replace(".", ""))) / 1e9
        interval = 2.0 ** min(int(said["tc"]), 17)
    except (KeyError, ValueError):
        return None, ""
    if _OWN_REFERENCE.fullmatch(said.get("refid", "")):
        return False, _("it follows this machine's own clock (127.127.1.0 in ntp.conf), no time server")
    if leap == _NOT_SYNCHRONISED or not 0 < stratum < _NO_STRATUM:
        return False, NOT_YET
    return _weighed(None if now is None else abs(now - measured), interval, off, dispersion)


def too_old(age: float, interval: float = 0.0) -> str:
    """Why a measurement of this age is none any more, all in seconds; empty where it still is one."""
    if age <= max(_OLDEST_MEASUREMENT_S, 3 * min(interval, _LONGEST_INTERVAL_S)):
        return ""
    return _("its last measurement is {span} away from now", span=span(age))


def _weighed(age: float | None, interval: float, off: float, dispersion: float) -> Verdict:
    old = "" if age is None else too_old(age, interval)
    if old:
        return False, old
    if not abs(off) <= _WORST_TRACKING_S:
        return False, _("the clock is {span} off by its own word", span=span(abs(off)))
    if not dispersion <= _WORST_DISPERSION_S:
        return False, _("it does not know the time better than within {span}", span=span(dispersion))
    return True, ""
