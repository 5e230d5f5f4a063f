"""Judges of the kernel's version and settings; all checks of the step."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import modules, storage
from mailcow_wizard.facts import kernel
from mailcow_wizard.model import Check, Evidence, Judgement

_NEW_SYSTEM = "Install a current system: Debian 12 or 13, Ubuntu 22.04 or newer."


def judge_version(version: kernel.Version) -> Judgement:
    """The known bad ones, then what today's mailcow needs."""
    release, numbers = version.release, version.numbers
    evidence = (Evidence("uname -r", release),)
    if numbers[:2] == need.KERNEL_PANICS:
        return _panics(release, evidence)
    if numbers[:2] < need.KERNEL_MINIMUM:
        return Judgement(
            "fail",
            f"{release} is too old: today's Docker needs kernel 4.4 or newer",
            release,
            evidence,
            (
                _NEW_SYSTEM,
                f"On Debian 8 (Jessie): kernel {need.KERNEL_JESSIE_REMEDY} from jessie-backports, "
                f"{need.DOC_JESSIE_KERNEL}",
            ),
        )
    bad, builds = need.KERNEL_BAD_UBUNTU
    if numbers == bad and version.build in builds:
        return Judgement(
            "fail",
            f"{release} is one of Ubuntu's kernels (4.15.0-1 to -59) on which mailcow's containers hang",
            release,
            evidence,
            ("Update the kernel: apt-get update && apt-get dist-upgrade, then reboot.", _NEW_SYSTEM),
            doc="https://github.com/mailcow/mailcow-dockerized/issues/2904",
        )
    if numbers[:2] < need.KERNEL_TODAY:
        if numbers[:2] == (4, 18) and ".el8" in release:
            return Judgement(
                "warn",
                f"{release}: mailcow lists Enterprise Linux 8 as supported, SOGo wants 5.10 or newer",
                release,
                evidence,
                ("Watch SOGo after the install; where it fails, move to Enterprise Linux 9.",),
            )
        summary = f"{release}: SOGo, the webmail and calendar, needs 5.10 or newer"
        remedies = (
            "Update the kernel to 5.10 or newer (newer release, or backports), then reboot.",
            _NEW_SYSTEM,
        )
        return Judgement("warn", summary, release, evidence, remedies)
    return Judgement("pass", release, release, evidence)


def _panics(release: str, evidence: tuple[Evidence, ...]) -> Judgement:
    """The warning of the 2017 prerequisites."""
    return Judgement(
        "fail",
        f"{release}: kernel 3.16 panics when containers have healthchecks, as mailcow's have",
        release,
        evidence,
        (
            "On Debian 8 (Jessie), switch to kernel 4.9 from jessie-backports: apt-get install -t "
            f"jessie-backports linux-image-amd64, then reboot ({need.DOC_JESSIE_KERNEL}; the repository "
            "has moved to archive.debian.org).",
            _NEW_SYSTEM,
            f"What is known about it: {need.DOC_KERNEL_PANIC} and {need.DOC_KERNEL_PANIC_FORUM}",
        ),
        doc=need.DOC_KERNEL_PANIC,
        why="A bug of kernel 3.16 stops the whole machine (kernel panic) when Docker runs containers with "
        "healthchecks. mailcow's prerequisites have warned of it since 2017.",
    )


def judge_cgroups(cgroups: kernel.Cgroups) -> Judgement:
    """Any version will do; controllers that are off only lift limits."""
    evidence = (
        Evidence("grep cgroup /proc/self/mountinfo", cgroups.layout),
        Evidence(
            "cat /sys/fs/cgroup/cgroup.controllers /proc/cgroups", " ".join(sorted(cgroups.controllers))
        ),
    )
    if cgroups.layout == "none":
        return Judgement(
            "fail",
            "no control groups are mounted: Docker does not start",
            "none mounted",
            evidence,
            ("Mount them: mount -t cgroup2 none /sys/fs/cgroup (systemd and OpenRC do that at boot).",),
            severity="blocks",
        )
    names = {"v1": "version 1", "v2": "version 2", "hybrid": "versions 1 and 2 side by side"}
    name = names[cgroups.layout]
    lacking = [one for one in need.CGROUP_CONTROLLERS if one not in cgroups.controllers]
    if lacking:
        switched_off = " ".join(f"cgroup_disable={one}" for one in lacking)
        remedies: tuple[str, ...] = (
            f"Take {switched_off} out of the kernel's command line (GRUB_CMDLINE_LINUX in /etc/default/grub, "
            "then update-grub), if it is there, and reboot.",
        )
        if "memory" in lacking:
            remedies = (
                "Add cgroup_enable=memory to the kernel's command line (GRUB_CMDLINE_LINUX in "
                "/etc/default/grub, then update-grub; Raspberry Pi: also cgroup_memory=1, in "
                "/boot/firmware/cmdline.txt) and reboot.",
                *remedies,
            )
        return Judgement(
            "warn",
            f"{name}, without the controller for {' and '.join(lacking)}",
            f"{name}; missing: {', '.join(lacking)}",
            evidence,
            remedies,
        )
    return Judgement("pass", name, f"{name}, with cpu, memory and pids", evidence)


def judge_security(security: kernel.Security) -> Judgement:
    """SELinux needs a policy for containers, AppArmor the tool that loads Docker's profile."""
    evidence = (
        Evidence("cat /sys/fs/selinux/enforce", security.selinux),
        Evidence("cat /sys/module/apparmor/parameters/enabled", "on" if security.apparmor else "off"),
    )
    if security.selinux == "enforcing" and not security.container_policy:
        return Judgement(
            "warn",
            "SELinux is enforcing, and its policy for containers is not installed",
            "SELinux enforcing, no container-selinux",
            (*evidence, Evidence("rpm -q container-selinux", "not installed")),
            (
                "dnf install -y container-selinux",
                'Then "selinux-enabled": true in /etc/docker/daemon.json, and restart Docker.',
            ),
            severity="breaks",
            why="Without it, SELinux refuses containers the sockets and files that they share; mailcow then "
            "waits for its database for ever.",
        )
    if security.apparmor and not security.apparmor_parser:
        return Judgement(
            "warn",
            "AppArmor is on, but its program apparmor_parser is missing",
            "AppArmor on, no apparmor_parser",
            (*evidence, Evidence("command -v apparmor_parser", "not installed")),
            ("apt-get install -y apparmor, then restart Docker.",),
            doc=need.DOC_DOCKER_APPARMOR,
            why="Docker loads its profile with this program. Docker 23.0.0 refuses to start any container "
            "without it; newer ones start them without the protection.",
        )
    parts = []
    if security.selinux != "off":
        parts.append(f"SELinux {security.selinux}")
    if security.apparmor:
        parts.append("AppArmor on")
    words = " and ".join(parts) or "neither SELinux nor AppArmor is on"
    if security.container_policy:
        words += ", with the policy for containers"
    return Judgement("pass", words, words, evidence)


def judge_overcommit(value: int) -> Judgement:
    """Redis asks for 1 at every start."""
    evidence = (Evidence("sysctl -n vm.overcommit_memory", str(value)),)
    remedies = (
        "sysctl -w vm.overcommit_memory=1, and the line vm.overcommit_memory = 1 in "
        "/etc/sysctl.d/90-mailcow.conf.",
    )
    if value == need.OVERCOMMIT_MEMORY:
        return Judgement("pass", "memory is always granted (1), as Redis asks", "1", evidence)
    if value == 2:
        return Judgement(
            "warn",
            "memory is reserved strictly (2): Redis and ClamAV can be refused memory that is free",
            "2",
            evidence,
            remedies,
            severity="degrades",
        )
    summary = "memory is granted by estimate (0): Redis asks for 1 to save safely"
    return Judgement("warn", summary, "0", evidence, remedies)


def judge_limits(limits: kernel.Limits) -> Judgement:
    """Open files first (Dovecot does not start without), then watched files."""
    hard = "not a limit here" if limits.own_hard is None else str(limits.own_hard)
    evidence = (
        Evidence("sysctl -n fs.nr_open", str(limits.nr_open)),
        Evidence("ulimit -Hn", hard),
        Evidence(
            "sysctl -n fs.inotify.max_user_instances fs.inotify.max_user_watches",
            f"{limits.instances} {limits.watches}",
        ),
    )
    found = f"{limits.nr_open} open files, {limits.instances} watchers, {limits.watches} watched files"
    least = need.DOVECOT_OPEN_FILES
    why = (
        "mailcow starts Dovecot, the IMAP server, with a limit of 40 000 open files; where the machine "
        "allows less, Docker cannot start it (error setting rlimit)."
    )
    if limits.nr_open < least:
        remedy = (
            "sysctl -w fs.nr_open=1048576, and the line fs.nr_open = 1048576 in "
            "/etc/sysctl.d/90-mailcow.conf."
        )
        summary = f"a process may open {limits.nr_open} files at most; Dovecot is started with 40 000"
        return Judgement("fail", summary, found, evidence, (remedy,), severity="breaks", why=why)
    if limits.own_hard is not None and limits.own_hard < least:
        return Judgement(
            "fail",
            f"{limits.own_hard} open files at most, and this root may not raise it; Dovecot needs 40 000",
            found,
            evidence,
            ("Raise the limit outside, where this container is started (ulimit nofile 1048576).",),
            severity="breaks",
            why=why,
        )
    low = []
    if limits.instances < need.INOTIFY_INSTANCES:
        low.append(f"{limits.instances} watchers (at least {need.INOTIFY_INSTANCES})")
    if limits.watches < need.INOTIFY_WATCHES:
        low.append(f"{limits.watches} watched files (at least {need.INOTIFY_WATCHES})")
    if low:
        return Judgement(
            "warn",
            f"low limit of {' and '.join(low)}",
            found,
            evidence,
            (
                "sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=65536, and both in "
                "/etc/sysctl.d/90-mailcow.conf.",
            ),
        )
    return Judgement("pass", found, found, evidence)


def judge_ipv6(ipv6: kernel.Ipv6) -> Judgement:
    """Off is fine where mailcow knows it."""
    evidence: tuple[Evidence, ...]
    if not ipv6.built:
        evidence = (Evidence("ls -d /proc/sys/net/ipv6", "not there"),)
        found = "the kernel has no IPv6"
    else:
        evidence = (Evidence("sysctl -n net.ipv6.conf.all.disable_ipv6", "1" if ipv6.disabled else "0"),)
        found = "IPv6 is switched off" if ipv6.disabled else "IPv6 is on"
    if ipv6.built and not ipv6.disabled:
        return Judgement("pass", found, found, evidence)
    on = "sysctl -w net.ipv6.conf.all.disable_ipv6=0, and the setting in /etc/sysctl.conf and /etc/sysctl.d."
    if not ipv6.built:
        on = "Take ipv6.disable=1 out of the kernel's command line (/etc/default/grub), update-grub, reboot."
    if ipv6.wanted is None:
        remedies = (f"To have mail over IPv6: {on}",)
        summary = f"{found}; mailcow will set itself up without (ENABLE_IPV6=false)"
        return Judgement("warn", summary, found, evidence, remedies, severity="degrades")
    said = f"grep ENABLE_IPV6 {ipv6.configuration}"
    if not ipv6.wanted:
        evidence += (Evidence(said, "ENABLE_IPV6=false"),)
        return Judgement("pass", f"{found}, and mailcow.conf says so too", found, evidence)
    return Judgement(
        "fail",
        f"{found}, but mailcow.conf does not say ENABLE_IPV6=false",
        found,
        (*evidence, Evidence(said, "true, or not set")),
        (f"Set ENABLE_IPV6=false in {ipv6.configuration}.", f"Or switch IPv6 on: {on}"),
    )


VERSION = Check(
    id="kernel.version",
    title="Kernel version",
    needed="5.10 or newer (4.4 at the very least; never 3.16, never 4.15.0-1 to 4.15.0-59)",
    why="Docker and mailcow's programs use what newer kernels offer: below 4.4 today's Docker does not run, "
    "below 5.10 SOGo can fail.",
    doc=need.DOC_SYSTEM,
    severity="blocks",
    source=kernel.version,
    judge=judge_version,
)
CGROUPS = Check(
    id="kernel.cgroups",
    title="Control groups",
    needed="version 1 or 2, with the controllers cpu, memory and pids",
    why="Docker starts, limits and ends containers by control groups; where a controller is off, its limits "
    "are silently not kept.",
    doc=need.DOC_DOCKER_CGROUPS,
    severity="degrades",
    source=kernel.cgroups,
    judge=judge_cgroups,
)
LSM = Check(
    id="kernel.lsm",
    title="Security modules",
    needed="off, or on with their support for containers installed",
    why="They decide what containers may touch; without their support for containers they refuse too much "
    "or protect nothing.",
    doc=need.DOC_INSTALL,
    severity="degrades",
    source=kernel.security,
    judge=judge_security,
)
OVERCOMMIT = Check(
    id="kernel.overcommit",
    title="Memory overcommit",
    needed="vm.overcommit_memory = 1",
    why="Redis copies itself to save its data. With other values the kernel may refuse the copy when memory "
    "is short, and sessions and statistics are lost.",
    doc=need.DOC_OVERCOMMIT,
    severity="advice",
    source=kernel.overcommit,
    judge=judge_overcommit,
)
INOTIFY = Check(
    id="kernel.inotify",
    title="File limits",
    needed="128 watchers and 8192 watched files for each user, 40 000 open files for a process",
    why="Dovecot watches a folder for every connected mail program; with too few watchers new mail appears "
    "late.",
    doc=need.DOC_INOTIFY,
    severity="degrades",
    source=kernel.limits,
    judge=judge_limits,
)
IPV6 = Check(
    id="kernel.ipv6",
    title="IPv6",
    needed="IPv6 on, or ENABLE_IPV6=false in mailcow.conf",
    why="mailcow's network has IPv6 addresses unless it is told otherwise; on a kernel without IPv6 Docker "
    "cannot make that network, and nothing starts.",
    doc=need.DOC_IPV6,
    severity="blocks",
    source=kernel.ipv6,
    judge=judge_ipv6,
)

CHECKS: tuple[Check, ...] = (
    VERSION,
    modules.MODULES,
    CGROUPS,
    LSM,
    OVERCOMMIT,
    INOTIFY,
    IPV6,
    storage.MOUNTS,
)
