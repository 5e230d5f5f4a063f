"""What a unit's main program is, where the one who listens is a program of its own beside it."""

from mailcow_wizard.facts.packages import owners_of
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import units
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Holder
from mailcow_wizard.numerals import whole

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh", "busybox")
# Directories that many packages share: two programs in them have nothing to do with each other.
_SHARED = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_GONE = " (deleted)"


def other_main(facts: Facts, unit: str, holder: Holder, package: str) -> str:
    """The name of the unit's main program, if who listens is another program that merely runs in the unit.

    Empty where it is the main process, of the same program (a worker) or package, started by a script that
    runs nothing else; and where nothing of this can be told.
    """
    pids = {one.pid for one in holder.processes}
    first = next((one for one in holder.processes if one.pid != 1), None)
    if not first or not unit.endswith(".service") or not first.exe:
        return ""
    try:
        main = units(facts, (unit,))[0].main
        if not main or main in pids:
            return ""
        program, listener = _program(facts, main), first.exe.removesuffix(_GONE)
        if _is_kin(facts, program, listener, package):
            return ""
        name = program.rpartition("/")[2]
        if name in _SHELLS and _runs_only(facts, first.cgroup, main, listener):
            return ""
        return name
    except HostError:
        return ""


def _program(facts: Facts, pid: int) -> str:
    return facts.host.resolve(f"/proc/{pid}/exe").removesuffix(_GONE)


def _is_kin(facts: Facts, program: str, other: str, package: str) -> bool:
    if program == other:
        return True
    directory = program.rpartition("/")[0]
    if directory == other.rpartition("/")[0] and directory not in _SHARED:
        return True
    return bool(package) and owners_of(facts, (program,)).get(program) == package


def _runs_only(facts: Facts, cgroup: str, main: int, listener: str) -> bool:
    """Whether all processes of the unit but the main one are of this program."""
    pids = facts.host.text(f"/sys/fs/cgroup{cgroup}/cgroup.procs").split()
    return all(_program(facts, one) == listener for one in map(whole, pids) if one not in (0, main))
