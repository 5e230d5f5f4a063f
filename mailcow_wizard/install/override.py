"""The stage of adjustments: docker-compose.override.yml, where this machine cannot give what mailcow asks."""

from __future__ import annotations

from mailcow_wizard.conf.compose_override import Strange, with_option
from mailcow_wizard.engine.mending import offers
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.facts import docker_daemon, kernel
from mailcow_wizard.facts.compose_files import NEW_OVERRIDE, override_name, override_path
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import network
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.compose import Compose
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Edit, Plan
from mailcow_wizard.requirements import CAP_SYS_RESOURCE
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_MTU, _MTU_FIX = "network.mtu", "mtu-override"


def run(job: Job) -> str:
    """Writes into the file what is needed there. Raises Failed where that is not possible."""
    notes = [*_packets(job), *_open_files(job)]
    name = override_name(job.facts())
    if notes:
        return f"{name}: {', '.join(notes)}"
    there = job.session.host.exists(f"{job.directory}/{name}")
    return _("{file} is there, nothing more is needed", file=name) if there else _("none needed")


def _packets(job: Job) -> list[str]:
    """The largest packet, where the way out takes less than usual, or where it was answered."""
    if job.standing.choices.mtu:
        return _answered(job, job.standing.choices.mtu)
    try:
        findings = job.look(select((_MTU,)))
    except UnknownSelector:
        return []
    if not any(fix.id == _MTU_FIX for one in findings for fix in one.fixes):
        return []
    offer = next((one for one in offers(job.session, _MTU) if one.fix.id == _MTU_FIX), None)
    if offer is None:
        return []
    try:
        plan = offer.plan()
    except HostError as error:
        job.tell(f"{_MTU}: {error}")
        return []
    job.change(plan)
    return [_("the largest packet")]


def _answered(job: Job, size: int) -> list[str]:
    try:
        plan = network.largest_packet(job.facts(), size)
    except HostError as error:
        raise Failed(
            _("packets cannot be kept to {size} bytes: {why}", size=size, why=heard(error))
        ) from None
    job.change(plan)
    return [_("packets of {size} bytes", size=size)]


def _open_files(job: Job) -> list[str]:
    """Dovecot asks for more open files than a machine allows that is a container itself."""
    most = allowed_files(job.facts())
    if most is None:
        return []
    wanted = too_many(Compose(job).services(), most)
    if not wanted:
        return []
    names = ", ".join(wanted)
    job.tell(
        ngettext(
            "containers may open {most} files at most here; {names} asks for more",
            "containers may open {most} files at most here; {names} ask for more",
            len(wanted),
            most=most,
            names=names,
        )
    )
    path = override_path(job.facts())
    before = job.changing.look(path).content
    try:
        after = limited((before or NEW_OVERRIDE.encode()).decode(), wanted, most)
    except (Strange, UnicodeDecodeError) as error:
        raise Failed(
            ngettext(
                "{path} is not changed by the wizard ({error}), and {names} asks for more open "
                "files than the {most} that this machine allows",
                "{path} is not changed by the wizard ({error}), and {names} ask for more open "
                "files than the {most} that this machine allows",
                len(wanted),
                path=path,
                error=error,
                names=names,
                most=most,
            ),
            (
                _(
                    "Add to it for {names}: ulimits: nofile: soft: {most}, hard: {most}",
                    names=names,
                    most=most,
                ),
            ),
        ) from None
    job.change(
        Plan(
            *(
                "kernel.inotify",
                None,
                "nofile-override",
                _("Let {names} open at most {most} files", names=names, most=most),
            ),
            (Edit(path, before, after.encode()),),
            *("low", True, True),
            _("They start, and serve fewer connections at once than mailcow is made for."),
        )
    )
    return [_("open files of {names}", names=names)]


def limited(text: str, names: tuple[str, ...], most: int) -> str:
    """The file with a limit of open files for these services. Raises Strange."""
    for name in names:
        for limit in ("soft", "hard"):
            text = with_option(text, ("services", name, "ulimits", "nofile", limit), str(most))
    return text


def allowed_files(facts: Facts) -> int | None:
    """How many files a container may open at most; None where Docker may raise that itself."""
    host = facts.host
    try:
        for process in facts.get(docker_daemon.processes):
            text = host.text(f"/proc/{process.pid}/status", 65536)
            line = next((one for one in text.splitlines() if one.startswith("CapEff:")), "CapEff: 0")
            if int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1:
                return None
            return kernel.hard_limit(host.text(f"/proc/{process.pid}/limits", 65536))
    except (HostError, ValueError, IndexError):
        return None
    return None


def too_many(services: dict[str, dict[str, Any]], most: int) -> tuple[str, ...]:
    """The services that ask for more open files than that."""
    found = []
    for name, one in services.items():
        limit = (one.get("ulimits") or {}).get("nofile")
        asked = limit.get("hard") if isinstance(limit, dict) else limit
        if isinstance(asked, int) and asked > most:
            found.append(name)
    return tuple(found)
