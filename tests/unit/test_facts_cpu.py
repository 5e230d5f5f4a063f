"""What /proc/cpuinfo, sysfs and DMI of several machines are read as."""

import struct

import pytest

from mailcow_wizard.checks import cpu as judges
from mailcow_wizard.facts import cpu
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.replies import Uname
from tests.fake_host import FakeHost
from tests.judged import look

FREQUENCY = "/sys/devices/system/cpu/cpufreq"
ARM = Uname("pi", "6.6.31+rpt-rpi-v8", "#1 SMP", "aarch64", 64)

KVM = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel Xeon Processor (Skylake, IBRS)
stepping\t: 4
cpu MHz\t\t: 2099.998
flags\t\t: fpu vme sse sse2 ss syscall nx lm constant_tsc pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 \
x2apic movbe popcnt aes xsave avx hypervisor lahf_lm abm
bogomips\t: 4199.99

"""
# Proxmox, CPU type kvm64.
KVM64 = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Common KVM processor
cpu MHz\t\t: 2394.454
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse \
sse2 ht syscall nx lm constant_tsc nopl xtopology cpuid tsc_known_freq pni cx16 x2apic hypervisor lahf_lm \
cpuid_fault pti

"""
LAPTOP = """processor\t: 0
model name\t: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz
cpu MHz\t\t: 800.042
flags\t\t: fpu aperfmperf pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm

processor\t: 1
model name\t: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz
cpu MHz\t\t: 3399.123
flags\t\t: fpu aperfmperf pni ssse3 cx16 sse4_1 sse4_2 popcnt

"""
OLD_BOX = """processor\t: 0
model name\t: VIA Eden Processor 800MHz
cpu MHz\t\t: 799.998
flags\t\t: fpu lm pni ssse3

"""
RASPBERRY_PI = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd08

Revision\t: d03115
Model\t\t: Raspberry Pi 4 Model B Rev 1.5
"""
HETZNER_ARM = """processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0c

"""
PARALLELS_M4 = "processor\t: 0\nFeatures\t: fp asimd sve2 sveaes\n\n"


def readings(host: FakeHost) -> list[tuple[str, int]]:
    return [(one.kind, one.hertz // 1_000_000) for one in Facts(host).get(cpu.clock)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KVM, [("nominal", 2099)]),
        (KVM64, [("nominal", 2394)]),
        (LAPTOP, [("name", 1600), ("current", 3399)]),
        (OLD_BOX, [("nominal", 799)]),
        (RASPBERRY_PI, []),
        (HETZNER_ARM, []),
        ("processor : 0\ncpu MHz : 99999999999999\n", []),
        ("processor : 0\ncpu MHz : -5\nmodel name : @ .GHz\n", []),
        ("processor : 0\ncpu MHz : 0.000\n", []),
        ("processor : 0\nmodel name : x @ 99.9999GHz\n", []),
    ],
)
def test_clock_from_cpuinfo(text: str, expected: list[tuple[str, int]]) -> None:
    assert readings(FakeHost({cpu.CPUINFO: text})) == expected


def test_the_highest_of_all_policies_counts() -> None:
    files = {cpu.CPUINFO: LAPTOP}
    files |= {f"{FREQUENCY}/policy{number}/cpuinfo_max_freq": "400000\n" for number in range(8)}
    files[f"{FREQUENCY}/policy9/cpuinfo_max_freq"] = "3400000\n"
    files[f"{FREQUENCY}/policy10/cpuinfo_max_freq"] = "99999999999\n"
    files[f"{FREQUENCY}/policy11/cpuinfo_max_freq"] = "garbage"
    assert readings(FakeHost(files))[0] == ("maximum", 3400)


def test_older_kernels_have_the_frequency_below_each_processor() -> None:
    place = "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"
    assert readings(FakeHost({cpu.CPUINFO: RASPBERRY_PI, place: "1800000\n"})) == [("maximum", 1800)]


def processor_table(*speeds: int) -> bytes:
    table = b"\x00\x18\x00\x00" + bytes(20) + b"Vendor\0\0"
    for speed in speeds:
        table += (
            struct.pack("<BBH", 4, 0x30, 4)
            + bytes(0x12)
            + struct.pack("<H", speed)
            + bytes(0x18)
            + b"CPU\0\0"
        )
    return table + b"\x7f\x04\x00\x00\0\0"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (processor_table(3000, 3200), [("boot", 3200)]),
        (processor_table(2000), []),
        (processor_table(0), []),
        (b"", []),
        (b"\x04\x00\x00\x00", []),
        (b"\x04\x30" + bytes(10), []),
        (b"\xff" * 5000, []),
    ],
)
def test_clock_from_the_firmware(table: bytes, expected: list[tuple[str, int]]) -> None:
    host = FakeHost({cpu.CPUINFO: HETZNER_ARM, "/sys/firmware/dmi/tables/DMI": table})
    assert readings(host) == expected


def test_the_firmware_is_not_believed_in_a_virtual_machine() -> None:
    text = "processor : 0\nflags : hypervisor\n"
    host = FakeHost({cpu.CPUINFO: text, "/sys/firmware/dmi/tables/DMI": processor_table(3000)})
    assert readings(host) == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (KVM, "pass"),
        (KVM64, "fail"),
        (LAPTOP, "warn"),  # the second processor lacks LAHF-SAHF
        (OLD_BOX, "fail"),
        ("processor : 0\n", "unknown"),
        ("processor : 0\nflags :\n", "unknown"),
    ],
)
def test_features_of_x86(text: str, status: str) -> None:
    assert look(judges.FEATURES, Facts(FakeHost({cpu.CPUINFO: text}))).status == status


@pytest.mark.parametrize(
    ("text", "status"), [(RASPBERRY_PI, "pass"), (HETZNER_ARM, "pass"), (PARALLELS_M4, "fail")]
)
def test_features_of_arm(text: str, status: str) -> None:
    assert look(judges.FEATURES, Facts(FakeHost({cpu.CPUINFO: text}, uname=ARM))).status == status


def vector(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<QQ", *pair) for pair in pairs)


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"/proc/self/auxv": vector((33, 1), (6, 4096), (0, 0))}, "pass"),
        ({"/proc/self/auxv": vector((6, 16384))}, "warn"),
        ({"/proc/self/auxv": vector((33, 1), (0, 0))}, "unknown"),
        ({"/proc/self/auxv": b""}, "unknown"),
        ({"/proc/self/auxv": b"\xff" * 100_000}, "unknown"),
        ({"/proc/self/auxv": Denied("no")}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_page_size_of_arm(files: dict[str, str | bytes | HostError], status: str) -> None:
    assert look(judges.ARCH, Facts(FakeHost(files, uname=ARM))).status == status


def test_x86_is_not_asked_for_its_page_size() -> None:
    host = FakeHost()
    assert look(judges.ARCH, Facts(host)).status == "pass"
    assert host.asked == []
