"""Who runs the wizard and when: this machine's answer, also where a recorded machine is judged."""

import os
import pwd
import time


def name() -> str:
    """The person's account: with sudo the one that called it. A number where it has no name."""
    caller = os.environ.get("SUDO_USER", "")
    if os.geteuid() == 0 and caller and caller.isprintable():
        return caller[:64]
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def now() -> float:
    """Seconds since 1970."""
    return time.time()


def utc(seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the second. Outside the calendar's range: 1970."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00Z"
