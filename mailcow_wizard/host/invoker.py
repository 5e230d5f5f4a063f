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
