"""Judges of the kernel's version and settings; all checks of the step."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import modules, storage
from mailcow_wizard.checks.kernel_limits import INOTIFY
from mailcow_wizard.checks.kernel_limits import judge_limits as judge_limits
from mailcow_wizard.checks.troubles import listed, word
from mailcow_wizard.facts import kernel
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_NEW_SYSTEM = _("Install a current system: Debian 12 or 13, Ubuntu 22.04 or newer.")


def judge_version(version: kernel.Version) -> Judgement:
    """The known bad ones, then what today's mailcow needs."""
    release, numbers = version.release, version.numbers
    evidence = (Evidence("uname -r", release),)
    if numbers[:2] == need.KERNEL_PANICS:
        return _panics(release, evidence)
    if numbers[:2] < need.KERNEL_MINIMUM:
        return Judgement(
            "fail",
            _("{release} is too old: today's Docker needs kernel 4.4 or newer", release=release),
            release,
            evidence,
            (
                _NEW_SYSTEM,
                _(
                    "On Debian 8 (Jessie): kernel {kernel} from jessie-backports, {doc}",
                    kernel=need.KERNEL_JESSIE_REMEDY,
                    doc=need.DOC_JESSIE_KERNEL,
                ),
            ),
        )
    bad, builds = need.KERNEL_BAD_UBUNTU
    if numbers == bad and version.build in builds:
        return Judgement(
            "fail",
            _(
                "{release} is one of Ubuntu's kernels (4.15.0-1 to -59) on which mailcow's containers hang",
                release=release,
            ),
            release,
            evidence,
            (_("Update the kernel: apt-get update && apt-get dist-upgrade, then reboot."), _NEW_SYSTEM),
            doc="https://github.com/mailcow/mailcow-dockerized/issues/2904",
        )
    if numbers[:2] < need.KERNEL_TODAY:
        if numbers[:2] == (4, 18) and ".el8" in release:
            return Judgement(
                "warn",
                _(
                    "{release}: mailcow lists Enterprise Linux 8 as supported, SOGo wants 5.10 or newer",
                    release=release,
                ),
                release,
                evidence,
                (_("Watch SOGo after the install; where it fails, move to Enterprise Linux 9."),),
            )
        summary = _("{release}: SOGo, the webmail and calendar, needs 5.10 or newer", release=release)
        remedies = (
            _("Update the kernel to 5.10 or newer (newer release, or backports), then reboot."),
            _NEW_SYSTEM,
        )
        return Judgement("warn", summary, release, evidence, remedies)
    return Judgement("pass", release, release, evidence)


def _panics(release: str, evidence: tuple[Evidence, ...]) -> Judgement:
    """The warning of the 2017 prerequisites."""
    return Judgement(
        "fail",
        _(
            "{release}: kernel 3.16 panics when containers have healthchecks, as mailcow's have",
            release=release,
        ),
        release,
        evidence,
        (
            _(
                "On Debian 8 (Jessie), switch to kernel 4.9 from jessie-backports: apt-get install -t "
                "jessie-backports linux-image-amd64, then reboot ({doc}; the repository "
                "has moved to archive.debian.org).",
                doc=need.DOC_JESSIE_KERNEL,
            ),
            _NEW_SYSTEM,
            _(
                "What is known about it: {doc} and {forum}",
                doc=need.DOC_KERNEL_PANIC,
                forum=need.DOC_KERNEL_PANIC_FORUM,
            ),
        ),
        doc=need.DOC_KERNEL_PANIC,
        why=_(
            "A bug of kernel 3.16 stops the whole machine (kernel panic) when Docker runs "
            "containers with healthchecks. mailcow's prerequisites have warned of it since 2017."
        ),
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
            _("no control groups are mounted: Docker does not start"),
            _("none mounted"),
            evidence,
            (_("Mount them: mount -t cgroup2 none /sys/fs/cgroup (systemd and OpenRC do that at boot)."),),
            severity="blocks",
        )
    names = {"v1": _("version 1"), "v2": _("version 2"), "hybrid": _("versions 1 and 2 side by side")}
    name = names[cgroups.layout]
    lacking = [one for one in need.CGROUP_CONTROLLERS if one not in cgroups.controllers]
    if lacking:
        switched_off = " ".join(f"cgroup_disable={one}" for one in lacking)
        remedies: tuple[str, ...] = (
            _(
                "Take {switched_off} out of the kernel's command line (GRUB_CMDLINE_LINUX in "
                "/etc/default/grub, then update-grub), if it is there, and reboot.",
                switched_off=switched_off,
            ),
        )
        if "memory" in lacking:
            remedies = (
                _(
                    "Add cgroup_enable=memory to the kernel's command line (GRUB_CMDLINE_LINUX in "
                    "/etc/default/grub, then update-grub; Raspberry Pi: also cgroup_memory=1, in "
                    "/boot/firmware/cmdline.txt) and reboot."
                ),
                *remedies,
            )
        return Judgement(
            "warn",
            _("{name}, without the controller for {lacking}", name=name, lacking=listed(lacking)),
            _("{name}; missing: {lacking}", name=name, lacking=", ".join(lacking)),
            evidence,
            remedies,
        )
    return Judgement("pass", name, _("{name}, with cpu, memory and pids", name=name), evidence)


def judge_security(security: kernel.Security) -> Judgement:
    """SELinux needs a policy for containers, AppArmor the tool that loads Docker's profile."""
    evidence = (
        Evidence("cat /sys/fs/selinux/enforce", security.selinux),
        Evidence("cat /sys/module/apparmor/parameters/enabled", _("on") if security.apparmor else _("off")),
    )
    if security.selinux == "enforcing" and not security.container_policy:
        return Judgement(
            "warn",
            _("SELinux is enforcing, and its policy for containers is not installed"),
            _("SELinux enforcing, no container-selinux"),
            (*evidence, Evidence("rpm -q container-selinux", _("not installed"))),
            (
                "dnf install -y container-selinux",
                _('Then "selinux-enabled": true in /etc/docker/daemon.json, and restart Docker.'),
            ),
            severity="breaks",
            why=_(
                "Without it, SELinux refuses containers the sockets and files that they share; "
                "mailcow then waits for its database for ever."
            ),
        )
    if security.apparmor and not security.apparmor_parser:
        return Judgement(
            "warn",
            _("AppArmor is on, but its program apparmor_parser is missing"),
            _("AppArmor on, no apparmor_parser"),
            (*evidence, Evidence("command -v apparmor_parser", _("not installed"))),
            (_("apt-get install -y apparmor, then restart Docker."),),
            doc=need.DOC_DOCKER_APPARMOR,
            why=_(
                "Docker loads its profile with this program. Docker 23.0.0 refuses to start any "
                "container without it; newer ones start them without the protection."
            ),
        )
    parts = []
    if security.selinux != "off":
        parts.append(_("SELinux {selinux}", selinux=security.selinux))
    if security.apparmor:
        parts.append(_("AppArmor on"))
    words = _(" and ").join(parts) or _("neither SELinux nor AppArmor is on")
    if security.container_policy:
        words += _(", with the policy for containers")
    return Judgement("pass", words, words, evidence)


def judge_overcommit(value: int) -> Judgement:
    """Redis asks for 1 at every start."""
    evidence = (Evidence("sysctl -n vm.overcommit_memory", str(value)),)
    remedies = (
        _(
            "sysctl -w vm.overcommit_memory=1, and the line vm.overcommit_memory = 1 in "
            "/etc/sysctl.d/90-mailcow.conf."
        ),
    )
    if value == need.OVERCOMMIT_MEMORY:
        return Judgement("pass", _("memory is always granted (1), as Redis asks"), "1", evidence)
    if value == 2:
        return Judgement(
            "warn",
            _("memory is reserved strictly (2): Redis and ClamAV can be refused memory that is free"),
            "2",
            evidence,
            remedies,
            severity="degrades",
        )
    summary = _("memory is granted by estimate (0): Redis asks for 1 to save safely")
    return Judgement("warn", summary, "0", evidence, remedies)


def judge_ipv6(ipv6: kernel.Ipv6) -> Judgement:
    """Off is fine where mailcow knows it."""
    evidence: tuple[Evidence, ...]
    if not ipv6.built:
        evidence = (Evidence("ls -d /proc/sys/net/ipv6", _("not there")),)
        found = _("the kernel has no IPv6")
    else:
        evidence = (Evidence("sysctl -n net.ipv6.conf.all.disable_ipv6", "1" if ipv6.disabled else "0"),)
        found = _("IPv6 is switched off") if ipv6.disabled else _("IPv6 is on")
    if ipv6.built and not ipv6.disabled:
        return Judgement("pass", found, found, evidence)
    on = _(
        "sysctl -w net.ipv6.conf.all.disable_ipv6=0, and the setting in /etc/sysctl.conf and /etc/sysctl.d."
    )
    if not ipv6.built:
        on = _(
            "Take ipv6.disable=1 out of the kernel's command line (/etc/default/grub), update-grub, reboot."
        )
    if ipv6.wanted is None:
        remedies = (_("To have mail over IPv6: {on}", on=on),)
        summary = _("{found}; mailcow will set itself up without (ENABLE_IPV6=false)", found=found)
        return Judgement("warn", summary, found, evidence, remedies, severity="degrades")
    said = f"grep ENABLE_IPV6 {word(ipv6.configuration)}"
    if not ipv6.wanted:
        evidence += (Evidence(said, "ENABLE_IPV6=false"),)
        return Judgement(
            "pass", _("{found}, and mailcow's ENABLE_IPV6 says so too", found=found), found, evidence
        )
    return Judgement(
        "fail",
        _("{found}, but mailcow.conf does not say ENABLE_IPV6=false", found=found),
        found,
        (*evidence, Evidence(said, _("true, or not set"))),
        (
            _("Set ENABLE_IPV6=false in {configuration}.", configuration=ipv6.configuration),
            _("Or switch IPv6 on: {on}", on=on),
        ),
    )


VERSION = Check(
    id="kernel.version",
    title=_("Kernel version"),
    needed=_("5.10 or newer (4.4 at the very least; never 3.16, never 4.15.0-1 to 4.15.0-59)"),
    why=_(
        "Docker and mailcow's programs use what newer kernels offer: below 4.4 today's Docker "
        "does not run, below 5.10 SOGo can fail."
    ),
    doc=need.DOC_SYSTEM,
    severity="blocks",
    source=kernel.version,
    judge=judge_version,
)
CGROUPS = Check(
    id="kernel.cgroups",
    title=_("Control groups"),
    needed=_("version 1 or 2, with the controllers cpu, memory and pids"),
    why=_(
        "Docker starts, limits and ends containers by control groups; where a controller is off, "
        "its limits are silently not kept."
    ),
    doc=need.DOC_DOCKER_CGROUPS,
    severity="degrades",
    source=kernel.cgroups,
    judge=judge_cgroups,
)
LSM = Check(
    id="kernel.lsm",
    title=_("Security modules"),
    needed=_("off, or on with their support for containers installed"),
    why=_(
        "They decide what containers may touch; without their support for containers they refuse "
        "too much or protect nothing."
    ),
    doc=need.DOC_INSTALL,
    severity="degrades",
    source=kernel.security,
    judge=judge_security,
)
OVERCOMMIT = Check(
    id="kernel.overcommit",
    title=_("Memory overcommit"),
    needed=_("vm.overcommit_memory = 1"),
    why=_(
        "Redis copies itself to save its data. With other values the kernel may refuse the copy "
        "when memory is short, and sessions and statistics are lost."
    ),
    doc=need.DOC_OVERCOMMIT,
    severity="advice",
    source=kernel.overcommit,
    judge=judge_overcommit,
)
IPV6 = Check(
    id="kernel.ipv6",
    title="IPv6",
    needed=_("IPv6 on, or ENABLE_IPV6=false in mailcow.conf"),
    why=_(
        "mailcow's network has IPv6 addresses unless it is told otherwise; on a kernel without "
        "IPv6 Docker cannot make that network, and nothing starts."
    ),
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
