"""Words for the time checks: lengths of time, where a clock stands, the command that installs chrony."""


def stand(ahead: float) -> str:
    """Where a clock stands."""
    if abs(ahead) < 0.001:
        return "right within 1 ms"
    return f"{span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


def of(ahead: float) -> str:
    """What joins "3 s ahead" and "3 s behind" to the clock they are compared with."""
    return " of" if ahead > 0 else ""


def span(seconds: float) -> str:
    """A length of time in the unit that says most."""
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 1.2 or abs(seconds - 30) < 0.09:  # near what is allowed
        return f"{seconds:.2f} s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "minutes"), (172_800, 3600, "hours")):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 86_400:.1f} days"


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
    }.get(installer, "the package is called chrony nearly everywhere")
