"""What can be done about memory, swap and missing tools."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import system, tools
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, packages_install, swap
from mailcow_wizard.fixes.choices import possible, tried
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Fix, Judgement, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep


class Part(NamedTuple):
    """A part of mailcow that can be left out: the fix's id, its keys in mailcow.conf, newest first, the title
    of the fix, and what is lost."""

    fix: str
    keys: tuple[str, ...]
    title: str
    lost: str


CLAMD = Part(
    "skip-clamd",
    ("SKIP_CLAMD",),
    _("Leave out the virus scanner (SKIP_CLAMD=y)"),
    _("ClamAV no longer runs, which saves 1 to 2 GiB of memory; mail is then not searched for viruses."),
)
# SKIP_SOLR until January 2025, when another search came in the place of Solr.
FTS = Part(
    "skip-fts",
    ("SKIP_FTS", "SKIP_SOLR"),
    _("Leave out the full-text search (SKIP_FTS=y)"),
    _(
        "The full-text index is no longer kept, which saves memory and disk; searching the text of "
        "mail on the server becomes slow."
    ),
)


def offers(check: str, judgement: Judgement, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about this finding, best first."""
    if judgement.status not in ("warn", "fail"):
        return ()
    if check == "system.swap":
        return possible(lambda: swap.swapfile(check, facts))
    if check == "system.tools":
        return possible(lambda: _install(facts))
    if check == "system.memory":
        return _memory(facts)
    return ()


def _memory(facts: Facts) -> tuple[Offer, ...]:
    """mailcow itself proposes to leave out ClamAV where memory is very short; elsewhere that comes last."""
    swapping: Callable[[], Offer | None] = lambda: swap.swapfile("system.memory", facts)  # noqa: E731
    without_search: Callable[[], Offer | None] = lambda: _leave_out(FTS, facts)  # noqa: E731
    unscanned: Callable[[], Offer | None] = lambda: _leave_out(CLAMD, facts)  # noqa: E731
    if facts.get(system.memory).total <= need.SKIP_CLAMD_KIB * need.KIB:
        return possible(unscanned, swapping, without_search)
    return possible(swapping, without_search, unscanned)


def _leave_out(part: Part, facts: Facts) -> Offer | None:
    conf = facts.get(mailcow_conf)
    if not conf.exists:
        return None
    key = next((one for one in part.keys if one in conf.values), part.keys[0])
    if conf.yes(key):
        return None
    return tried(lambda: _without(part, key, facts))


def _without(part: Part, key: str, facts: Facts) -> Plan:
    from mailcow_wizard.fixes.mailcow_conf import edit, takes_effect

    steps: tuple[PlanStep, ...] = (edit(facts, {key: "y"}),)
    told = takes_effect(facts, (key,))
    return Plan(
        "system.memory",
        None,
        part.fix,
        part.title.replace(part.keys[0], key),
        (*steps, told) if told else steps,
        "low",
        reversible=True,
        needs_root=True,
        consequence=part.lost,
    )


def _install(facts: Facts) -> Offer | None:
    """The plan asks the package manager what comes along, which takes a second: only when it is wanted."""
    found = facts.get(tools.tools)
    wanted = (*(name for name, path in found.paths if not path), *found.busybox)
    if not wanted or not found.packager:
        return None
    command = packages_install.command(facts.host, found.packager)
    names = packages_install.packages_of(found.packager, wanted)
    title = _("Install {names}", names=", ".join(names))

    def plan() -> Plan:
        more = names
        if found.packager == "apt" and {"curl", "git"} & set(names) and not _authorities(facts):
            more = (*names, "ca-certificates")  # Debian only recommends it, and https needs it
        coming = packages_install.coming(facts.host, command, more)
        return Plan(
            "system.tools",
            None,
            "install-tools",
            title,
            packages_install.steps(coming),
            "medium" if coming.newer else "low",
            reversible=True,
            needs_root=True,
            consequence=packages_install.consequence(coming),
        )

    return Offer(Fix("install-tools", title, "low", True, True), plan)


def _authorities(facts: Facts) -> bool:
    try:
        facts.host.info("/etc/ssl/certs/ca-certificates.crt")
    except Missing:
        return False
    return True
