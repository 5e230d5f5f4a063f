"""Judges of what the machine is made of."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import system
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_memory(memory: system.Memory) -> Judgement:
    """Total memory against both figures, each with the allowance for what firmware takes."""
    found = f"{memory.total / need.GIB:.2f} GiB"
    evidence = (Evidence("grep MemTotal /proc/meminfo", f"{memory.total // need.KIB} kB"),)
    if memory.total < need.MEMORY.fails_below:
        return Judgement(
            "fail",
            f"{found} of memory; mailcow does not start below 1 GiB",
            found,
            evidence,
            remedies=("Give the machine more memory: 6 GiB for mailcow with all its parts.",),
            severity="blocks",
        )
    if memory.total < need.MEMORY.warns_below:
        return Judgement("warn", f"{found} of memory; mailcow needs 6 GiB for all its parts", found, evidence)
    return Judgement("pass", f"{found} of memory", found, evidence)


CHECKS: tuple[Check, ...] = (
    Check(
        id="system.memory",
        title="Memory",
        needed="6 GiB (1 GiB at the very least)",
        why="ClamAV, SOGo and the full-text search alone take about 3 GiB; when memory runs out the kernel "
        "ends processes at random.",
        doc=need.DOC_RESOURCES,
        severity="degrades",
        source=system.memory,
        judge=judge_memory,
    ),
)
