"""What the processor is: its clock, its architecture, its instructions."""

import re
from collections.abc import Iterator

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    ClockKind = Literal["maximum", "nominal", "boot", "name", "current"]
else:
    ClockKind = str

CPUINFO = "/proc/cpuinfo"
_CPUS = "/sys/devices/system/cpu"
_DMI = "/sys/firmware/dmi/tables/DMI"
_MHZ = 1_000_000
# Beyond this a figure is not a clock but garbage.
_PLAUSIBLE_HZ = 20_000_000_000
# QEMU writes this into every machine's DMI table, whatever the processor.
_DMI_OF_QEMU_MHZ = 2000
_PAGE_SIZE = 6  # AT_PAGESZ of getauxval(3)


class Processors(NamedTuple):
    """/proc/cpuinfo: what all processors have in common, and the highest of their figures.

    `flags` is None where the kernel lists none; `megahertz` is the highest "cpu MHz", 0 where there is none.
    """

    model: str
    flags: frozenset[str] | None
    megahertz: float


class Reading(NamedTuple):
    """One figure for the clock: what kind of figure, how many Hz, and where it can be seen.

    maximum: what the kernel may set; nominal: as measured at boot, without frequency scaling; boot: the
    speed at boot as the firmware noted it; name: from the model's name; current: of this moment.
    """

    kind: ClockKind
    hertz: int
    seen: str
    value: str


class Architecture(NamedTuple):
    """The kernel's name for the processor, this program's width, and the page size (0: not asked)."""

    machine: str
    bits: int
    page_size: int


class Features(NamedTuple):
    """The processor's instructions, and whether a hypervisor hides some of them."""

    machine: str
    flags: frozenset[str]


def processors(facts: Facts) -> Processors:
    """Reads /proc/cpuinfo; raises HostError where it names no processor."""
    return parse_cpuinfo(facts.host.text(CPUINFO, 16 * MIB))


def parse_cpuinfo(text: str) -> Processors:
    """The parts of /proc/cpuinfo that x86 and ARM kernels write."""
    model, megahertz = "", 0.0
    lists: set[str] = set()
    processors = 0
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            continue
        name, value = name.strip(), value.strip()
        if name == "processor":
            processors += 1
        elif name in ("flags", "Features"):
            lists.add(value)
        elif name in ("model name", "Model"):
            model = model or value
        elif name == "cpu MHz":
            figure = re.fullmatch(r"\d{1,6}(\.\d{1,9})?", value)
            megahertz = max(megahertz, float(figure[0]) if figure else 0.0)
    if not processors:
        raise HostError(_("{cpuinfo} lists no processor", cpuinfo=CPUINFO))
    flags = [frozenset(one.split()) for one in lists]
    common = flags[0].intersection(*flags[1:]) if flags else None
    return Processors(model, common or None, megahertz)


def clock(facts: Facts) -> tuple[Reading, ...]:
    """Every figure that this machine gives for its clock, the most telling first; none is an answer too."""
    found = list(_cpufreq(facts.host))
    cpu = facts.get(processors)
    name = re.search(r"@\s*(\d{1,3}(?:\.\d{1,4})?)\s*([GM])Hz", cpu.model)
    if name:
        hertz = round(float(name[1]) * (1000 if name[2] == "G" else 1) * _MHZ)
        found.append(Reading("name", hertz, f"grep -m1 'model name' {CPUINFO}", cpu.model))
    if cpu.megahertz:
        scaling = bool(found and found[0].kind == "maximum") or "aperfmperf" in (cpu.flags or ())
        kind: ClockKind = "current" if scaling or cpu.flags is None else "nominal"
        seen = f"{cpu.megahertz:.3f}"
        found.append(Reading(kind, round(cpu.megahertz * _MHZ), f"grep 'cpu MHz' {CPUINFO}", seen))
    if not found and "hypervisor" not in (cpu.flags or ()):
        found.extend(_firmware(facts.host))
    return tuple(one for one in found if 0 < one.hertz < _PLAUSIBLE_HZ)


def _cpufreq(host: Host) -> Iterator[Reading]:
    """The highest frequency that the kernel may set on any processor (sysfs, kHz)."""
    places = [(f"{_CPUS}/cpufreq", r"policy\d+", ""), (_CPUS, r"cpu\d+", "/cpufreq")]
    for place, pattern, below in places:
        try:
            names = [name for name in host.names(place) if re.fullmatch(pattern, name)]
        except HostError:
            continue
        highest = 0
        for name in names[:4096]:
            try:
                text = host.text(f"{place}/{name}{below}/cpuinfo_max_freq", 64).strip()
            except HostError:
                continue
            if re.fullmatch(r"\d{1,9}", text) and int(text) * 1000 < _PLAUSIBLE_HZ:
                highest = max(highest, int(text))
        if highest:
            seen = f"cat {place}/{pattern[:-3]}*{below}/cpuinfo_max_freq"
            yield Reading("maximum", highest * 1000, seen, f"{highest} kHz")
            return


def _firmware(host: Host) -> Iterator[Reading]:
    """The processor's speed at boot, from the firmware's table (only root may read it)."""
    try:
        table = host.read(_DMI)
    except HostError:
        return
    fastest = max((speed for speed in dmi_speeds(table) if speed != _DMI_OF_QEMU_MHZ), default=0)
    if fastest:
        yield Reading(
            "boot",
            fastest * _MHZ,
            "dmidecode -t processor",
            f"Current Speed: {fastest} MHz",
        )


def dmi_speeds(table: bytes) -> Iterator[int]:
    """Current Speed in MHz of every processor in an SMBIOS table (structure type 4, offset 0x16)."""
    place = 0
    while place + 4 <= len(table):
        kind, length = table[place], table[place + 1]
        end = table.find(b"\0\0", place + length)
        if length < 4 or end < 0:
            return
        if kind == 4 and length >= 0x18:
            yield int.from_bytes(table[place + 0x16 : place + 0x18], "little")
        place = end + 2


def architecture(facts: Facts) -> Architecture:
    """The architecture; on ARM64, where it differs between kernels, the page size too."""
    uname = facts.host.uname()
    arm = uname.machine in ("aarch64", "arm64")
    return Architecture(uname.machine, uname.bits, _page_size(facts.host, uname.bits) if arm else 0)


def _page_size(host: Host, bits: int) -> int:
    """The page size that the kernel handed to this program."""
    path = "/proc/self/auxv"
    size = page_size(host.read(path, 64 * 1024), bits // 8)
    if not size:
        raise HostError(_("{path} does not tell the page size", path=path))
    return size


def page_size(vector: bytes, width: int) -> int:
    """AT_PAGESZ of an auxiliary vector whose words have `width` bytes; 0 where it has none."""
    words = [vector[at : at + width] for at in range(0, len(vector) - width + 1, width)]
    for key, value in zip(words[::2], words[1::2], strict=False):
        if int.from_bytes(key, "little") == _PAGE_SIZE:
            return int.from_bytes(value, "little")
    return 0


def features(facts: Facts) -> Features:
    """The instructions that every processor of this machine has."""
    flags = facts.get(processors).flags
    if flags is None:
        raise Missing(_("{cpuinfo} lists no processor features", cpuinfo=CPUINFO))
    return Features(facts.host.uname().machine, flags)
