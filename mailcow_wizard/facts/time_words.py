"""Words for the time checks: lengths of time, where a clock stands, the command that installs chrony."""

from mailcow_wizard.language import _, pgettext


def stand(ahead: float) -> str:
    """Where a clock stands."""
    if abs(ahead) < 0.001:
        return _("right within 1 ms")
    if ahead > 0:
        return _("{span} ahead", span=span(ahead))
    return _("{span} behind", span=span(-ahead))


def stand_of(ahead: float) -> str:
    """The same before the name of the clock that it is compared with."""
    if abs(ahead) < 0.001:
        return pgettext("compared", "right within 1 ms of")
    if ahead > 0:
        return pgettext("compared", "{span} ahead of", span=span(ahead))
    return pgettext("compared", "{span} behind", span=span(-ahead))


def span(seconds: float) -> str:
    """A length of time in the unit that says most."""
    if seconds < 1:
        return _("{milliseconds} ms", milliseconds=max(1, round(seconds * 1000)))
    if seconds < 1.2 or abs(seconds - 30) < 0.09:  # near what is allowed
        return _("{seconds:.2f} s", seconds=seconds)
    if seconds < 120:
        return _("{seconds:.1f} s", seconds=seconds)
    if seconds < 7200:
        return _("{minutes:.1f} minutes", minutes=seconds / 60)
    if seconds < 172_800:
        return _("{hours:.1f} hours", hours=seconds / 3600)
    return _("{days:.1f} days", days=seconds / 86_400)


def install(installer: str) -> str:
    """The command that brings chrony and starts it, by the package manager that is there."""
    start = "systemctl enable --now chronyd"
    return {
        "apt-get": "apt-get install -y chrony",
        "zypper": f"zypper install -y chrony && {start}",
        "pacman": f"pacman -S --noconfirm chrony && {start}",
        "apk": "apk add chrony && rc-update add chronyd default && rc-service chronyd start",
        "yum": f"yum install -y chrony && {start}",
        "dnf": f"dnf install -y chrony && {start}",
    }.get(installer, _("the package is called chrony nearly everywhere"))
