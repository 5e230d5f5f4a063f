"""Judges of the processor."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import cpu
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_clock(readings: tuple[cpu.Reading, ...]) -> Judgement:
    """The maximum counts. A current speed can only prove that the maximum is at least that."""
    evidence = tuple(Evidence(one.seen, one.value) for one in readings)
    for one in readings:
        if one.kind == "maximum":
            slow = one.hertz < need.CPU_CLOCK_HZ.fails_below
            return _slow(one, evidence) if slow else _fast(one, _("at most"), evidence)
    for one in readings:
        if one.hertz >= need.CPU_CLOCK_HZ.warns_below:
            words = _("at least") if one.kind in ("current", "boot") else _("nominal")
            return _fast(one, words, evidence)._replace(certainty="inferred")
    for one in readings:
        if one.kind == "nominal":
            return _slow(one, evidence)._replace(certainty="inferred")
    if not readings:
        return Judgement(
            "unknown",
            _("this machine does not tell its processor's clock; nothing speaks against it"),
            _("no figure in sysfs, /proc/cpuinfo or the firmware's table"),
            (Evidence("lscpu | grep MHz", _("nothing")),),
            (_("Look at your provider's description of the machine."),),
            certainty="untested",
        )
    found = _frequency(readings[0].hertz)
    return Judgement(
        "unknown",
        _("{found} is what it runs at or is called; its maximum is not told", found=found),
        found,
        evidence,
        (_("Look at your provider's description of the machine."),),
        certainty="untested",
    )


def _slow(reading: cpu.Reading, evidence: tuple[Evidence, ...]) -> Judgement:
    found = _frequency(reading.hertz)
    return Judgement(
        "fail",
        _("{found} is below the 1 GHz that mailcow needs", found=found),
        found,
        evidence,
        (_("Move to a machine with a faster processor."),),
    )


def _fast(reading: cpu.Reading, words: str, evidence: tuple[Evidence, ...]) -> Judgement:
    found = f"{_frequency(reading.hertz)} ({words})"
    return Judgement("pass", found, found, evidence)


def _frequency(hertz: int) -> str:
    if hertz >= 1e9:
        return _("{gigahertz:.2f} GHz", gigahertz=hertz / 1e9)
    return f"{hertz // 1_000_000} MHz"


def judge_arch(arch: cpu.Architecture) -> Judgement:
    """mailcow's images exist for two architectures, both 64-bit."""
    evidence = (Evidence("uname -m; getconf LONG_BIT", f"{arch.machine} {arch.bits}"),)
    name = need.ARCHITECTURES.get(arch.machine, "")
    if not name:
        move = _("Move to a machine with an x86_64 or ARM64 processor.")
        install = _("Install a 64-bit system, if the processor can run one (lscpu, line CPU op-mode).")
        return Judgement(
            "fail",
            _("{machine}: there are no images of mailcow for this type of processor", machine=arch.machine),
            arch.machine,
            evidence,
            (move,) if arch.bits == 64 else (install, move),
        )
    if arch.bits != 64:
        return Judgement(
            "fail",
            _("a {bits}-bit system on a 64-bit kernel ({machine})", bits=arch.bits, machine=arch.machine),
            _("{machine} with {bits}-bit programs", machine=arch.machine, bits=arch.bits),
            evidence,
            (_("Install the 64-bit edition of the operating system."),),
            certainty="inferred",
        )
    if arch.page_size not in (0, need.PAGE_SIZE):
        size = f"{arch.page_size // need.KIB} KiB"
        return Judgement(
            "warn",
            _(
                "{name} with memory pages of {size}; some of mailcow's programs expect 4 KiB",
                name=name,
                size=size,
            ),
            _("{name}, pages of {size}", name=name, size=size),
            (*evidence, Evidence("getconf PAGESIZE", str(arch.page_size))),
            (
                _(
                    "Start a kernel with 4 KiB pages; on a Raspberry Pi 5 write kernel=kernel8.img "
                    "into /boot/firmware/config.txt and reboot."
                ),
            ),
            severity="breaks",
            why=_(
                "Programs that reserve memory in their own pages (Redis with jemalloc among them) "
                "can refuse to start on a kernel with larger pages."
            ),
        )
    return Judgement("pass", name, name, evidence)


def judge_features(features: cpu.Features) -> Judgement:
    """x86-64-v2 on x86_64; on ARM64 nothing is needed, but a false promise of SVE2 does harm."""
    name = need.ARCHITECTURES.get(features.machine, "")
    if name == "x86_64":
        return _judge_x86(features.flags)
    if name == "ARM64":
        return _judge_arm(features.flags)
    found = _("unknown for {machine}", machine=features.machine)
    return Judgement("unknown", _("mailcow has no images for this processor"), found, certainty="untested")


def _judge_x86(flags: frozenset[str]) -> Judgement:
    evidence = (
        Evidence("grep -m1 ^flags /proc/cpuinfo", " ".join(sorted(flags & set(need.CPU_FEATURES_V2)))),
    )
    lacking = [words for flag, words in need.CPU_FEATURES_V2.items() if flag not in flags]
    if not lacking:
        return Judgement(
            "pass", _("all of x86-64-v2"), _("SSSE3, SSE4.2 and the others of x86-64-v2"), evidence
        )
    remedies: tuple[str, ...] = (
        _("Move to a machine with a newer processor (Intel since 2009, AMD since 2011)."),
    )
    if "hypervisor" in flags:
        remedies = (
            _(
                'Set the virtual machine\'s CPU type to "host" (Proxmox: qm set VMID --cpu host; '
                "libvirt: <cpu mode='host-passthrough'/>), then stop it and start it again."
            ),
            _('Where machines move between hosts: CPU type "x86-64-v2-AES" or newer.'),
        )
    names = ", ".join(lacking)
    if set(lacking) & set(need.CPU_FEATURES_REQUIRED.values()):
        summary = _("the processor lacks {names}: mailcow's spam filter does not start", names=names)
        return Judgement("fail", summary, _("missing: {names}", names=names), evidence, remedies)
    return Judgement(
        "warn",
        _("the processor lacks {names}, part of x86-64-v2", names=names),
        _("missing: {names}", names=names),
        evidence,
        remedies,
        severity="degrades",
        why=_("mailcow's images do not need these today, but builds of its programs for x86-64-v2 would."),
    )


def _judge_arm(flags: frozenset[str]) -> Judgement:
    shown = " ".join(sorted(flags & {"asimd", "sve", "sve2"})) or _("none of asimd, sve, sve2")
    evidence = (Evidence("grep -m1 ^Features /proc/cpuinfo", shown),)
    if "sve2" in flags and "sve" not in flags:
        return Judgement(
            "fail",
            _("the virtual machine promises SVE2 without SVE: mailcow's spam filter crashes"),
            _("SVE2 is announced, SVE is not"),
            evidence,
            (
                _("Update the hypervisor (seen with Parallels Desktop 26 on Apple M4)."),
                _("Install a newer kernel (6.14 or newer): it hides SVE2 where there is no SVE."),
            ),
            why=_(
                "rspamd's search library believes the announcement, uses instructions that the "
                "processor does not have and is ended by the kernel, again and again."
            ),
            doc=need.DOC_CPU_ARM,
        )
    return Judgement("pass", _("ARM64 needs no special instructions"), "ARM64", evidence)


CLOCK = Check(
    id="system.cpu-clock",
    title=_("Processor clock"),
    needed=_("1 GHz or more (the maximum, not the speed of an idle moment)"),
    why=_(
        "Below that mailcow's containers start and scan mail too slowly to be of use. 1 GHz has "
        "been the figure since 2017."
    ),
    doc=need.DOC_RESOURCES,
    severity="blocks",
    source=cpu.clock,
    judge=judge_clock,
)
ARCH = Check(
    id="system.cpu-arch",
    title=_("Processor type"),
    needed=_("x86_64 or ARM64, with a 64-bit system"),
    why=_(
        "mailcow's images are built for these two only: x86_64 since 2017, ARM64 since 2024. "
        "Elsewhere no container starts."
    ),
    doc=need.DOC_SYSTEM,
    severity="blocks",
    source=cpu.architecture,
    judge=judge_arch,
)
FEATURES = Check(
    id="system.cpu-features",
    title=_("Instruction sets"),
    needed=_("SSSE3 and SSE4.2 on x86_64 (all of x86-64-v2 is better)"),
    why=_(
        "rspamd, the spam filter, searches mail with these instructions and ends at once where "
        "they are missing; no mail is accepted then. Virtual machines of type kvm64 or qemu64 "
        "hide them."
    ),
    doc=need.DOC_CPU_FEATURES,
    severity="breaks",
    source=cpu.features,
    judge=judge_features,
)
CHECKS = (CLOCK, ARCH, FEATURES)
