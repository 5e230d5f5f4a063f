"""Opens the checkout's tracked files to the containers, and nothing else (P20)."""

from __future__ import annotations

from mailcow_wizard.facts.checkout import checkout
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

# So many paths for each command: a command line stays readable, and far below the kernel's limit.
_AT_ONCE = 200


def opened(facts: Facts) -> Plan | None:
    """The plan to let others read tracked files and enter the directories above them. Raises HostError."""
    found = facts.get(checkout)
    if not found.unreadable:
        return None
    steps: list[PlanStep] = []
    for change, paths in (
        ("o+rx", [one.rstrip("/") for one in found.unreadable if one.endswith("/")]),
        ("o+r", [one for one in found.unreadable if not one.endswith("/")]),
    ):
        by_mode: dict[int, list[str]] = {}
        for path in paths:
            whole = f"{found.directory}/{path}"
            by_mode.setdefault(facts.host.info(whole, follow=False).mode, []).append(whole)
        for mode, same in sorted(by_mode.items()):
            # Of a program in the checkout, others may also run what they may read.
            words = "o+rx" if change == "o+r" and mode & 0o100 else change
            steps += [
                Command(("chmod", words, *part), (("chmod", f"{mode:04o}", *part),)) for part in _parts(same)
            ]
    steps.append(
        Manual(_("Run mailcow's scripts under `umask 0022`, or the next update closes files again."))
    )
    files = sum(not one.endswith("/") for one in found.unreadable)
    return Plan(
        "config.checkout",
        None,
        "chmod-tracked",
        ngettext(
            "Let containers read 1 file of mailcow's own",
            "Let containers read {n} files of mailcow's own",
            files,
        )
        if files
        else _("Let containers enter mailcow's directories"),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "Files that came with mailcow can be read by everybody on this machine, as it "
            "should be; mailcow.conf, keys and certificates stay closed."
        ),
    )


def _parts(paths: list[str]) -> list[list[str]]:
    return [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
