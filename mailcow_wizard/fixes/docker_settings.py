"""Starting Docker, and its settings: daemon.json merged, checked by Docker itself before it takes effect."""

from __future__ import annotations

import json
import re

from mailcow_wizard.facts import docker, docker_daemon, docker_json
from mailcow_wizard.facts.containers import containers
from mailcow_wizard.facts.docker_json import DaemonSettings, daemon_settings
from mailcow_wizard.facts.docker_shims import containers_run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.requirements_docker import VALIDATES
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.model import PlanStep

SETTLE_S = 20.0
"""So long Docker may take to be itself again after a restart."""
_START_S = 120.0
_WANTED = f"/etc/systemd/system/multi-user.target.wants/{docker_daemon.SERVICE}"
# By name a unit that is not loaded would be an error; by a pattern without --all one that was only stopped is
# passed over, and with it how often it was started.
RESET = ("systemctl", "reset-failed", "--all", "docker.*")
"""Makes systemd forget that Docker failed, and how often it was started."""
NOT_WITH_THESE_SETTINGS = _("Docker would not start: its settings are broken. See Docker's settings first.")
_STRING = r'"(?:[^"\\]|\\.)*"'
_HARMFUL = (("iptables", False), ("firewall-backend", "nftables"))


def would_not_start(facts: Facts) -> bool:
    """Whether Docker does not start with its settings as they are; not where they cannot be read."""
    try:
        return facts.get(daemon_settings).stops_docker
    except HostError:
        return False


def start(facts: Facts) -> Plan | None:
    """Starts Docker, now and with the machine, as far as either is missing."""
    seen = facts.get(docker_daemon.daemon)
    runs = seen.engine.state == "answers"
    steps: list[PlanStep] = []
    if seen.openrc:
        if not seen.at_boot:
            back = ("rc-update", "del", "docker", "default")
            steps.append(Command(("rc-update", "add", "docker", "default"), (back,)))
        if not runs:
            stop = ("rc-service", "docker", "stop")
            steps.append(Command(("rc-service", "docker", "start"), (stop,), _START_S))
    elif seen.script:
        if not seen.at_boot:
            facts.host.which("update-rc.d")
            verbs = ("enable", "disable") if seen.links else ("defaults", "remove")
            on, off = (("update-rc.d", "docker", verb) for verb in verbs)
            steps.append(Command(on, (off,)))
        if not runs:
            steps.append(Command(("service", "docker", "start"), (("service", "docker", "stop"),), _START_S))
    elif seen.service and seen.service.load != "not-found":
        steps += _by_systemd(seen, runs, facts.host.exists(_WANTED))
    if not steps:
        return None
    if not runs and would_not_start(facts):
        raise NoPlan(NOT_WITH_THESE_SETTINGS)
    return Plan(
        "docker.daemon",
        None,
        "start-docker",
        _("Start Docker with the machine") if runs else _("Start Docker, now and with the machine"),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_("Docker runs after every start of the machine.")
        if runs
        else _(
            "Docker runs after every start of the machine. "
            "Containers that are set to come back start with it."
        ),
        settle=0.0 if runs else SETTLE_S,
    )


def _by_systemd(seen: docker_daemon.Daemon, runs: bool, wanted: bool) -> list[PlanStep]:
    """`wanted`: a masked unit is enabled beneath, which systemd does not say of it."""
    steps: list[PlanStep] = []
    for unit in (one for one in (seen.socket, seen.service) if one and one.state.startswith("masked")):
        runtime = ("--runtime",) if unit.state == "masked-runtime" else ()
        mask = ("systemctl", "mask", *runtime, unit.id)
        steps.append(Command(("systemctl", "unmask", *runtime, unit.id), (mask,)))
    masked = seen.service and seen.service.state.startswith("masked")
    if seen.service and not seen.service.enabled and not (masked and wanted):
        back = ("systemctl", "disable", docker_daemon.SERVICE)
        steps.append(Command(("systemctl", "enable", docker_daemon.SERVICE), (back,)))
    if not runs:
        names = _units(seen)
        steps.append(Command(RESET))
        stop = ("systemctl", "stop", *names)
        steps.append(Command(("systemctl", "restart", docker_daemon.SERVICE), (stop,), _START_S))
    return steps


def _units(seen: docker_daemon.Daemon) -> tuple[str, ...]:
    """The service, and the socket that would start it again, where that is there."""
    found = (one for one in (seen.service, seen.socket) if one and one.load != "not-found")
    return tuple(one.id for one in found)


# --- daemon.json ------------------------------------------------------------------------------------------


def merge(facts: Facts, ipv6: bool = False) -> Plan | None:
    """What mailcow needs goes into daemon.json; all else in it stays. None where there is nothing to change.

    `ipv6`: mailcow is to have IPv6, whatever its configuration says, or before there is one.

    Raises NoPlan where nobody can tell what a broken file was meant to say.
    """
    seen = facts.get(daemon_settings)
    if ipv6:
        seen = seen._replace(wants_ipv6=True)
    file = seen.file
    settings = read(file)
    changed = _wanted(settings, seen)
    if file.shape == "settings" and changed == settings:
        return None
    if file.shape == "missing" and not changed:
        return None
    runs = seen.engine.state == "answers"
    only_empty = file.shape == "empty" and not changed
    return Plan(
        "docker.daemon-json",
        None,
        "merge-daemon-json",
        _("Write an empty object into daemon.json") if only_empty else _("Correct {path}", path=file.path),
        steps(facts, file, changed, restart=not (only_empty and runs)),
        "low" if only_empty else "medium",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{change} Everything else in it stays; the file as it was is kept.",
            change=words(settings, changed),
        ),
        interrupts="" if only_empty and runs else interrupted(facts),
        settle=SETTLE_S,
    )


def read(file: docker_json.DaemonJson) -> dict[str, Any]:
    """What it says now, also where it is nearly right. Raises NoPlan where nobody can tell that, and where
    Docker does not take it."""
    if file.refused:
        raise NoPlan(
            _(
                "Docker does not take {path} ({refused}): correct that by hand.",
                path=file.path,
                refused=file.refused,
            )
        )
    return dict(file.settings) if file.shape == "settings" else _mended(file)


def _mended(file: docker_json.DaemonJson) -> dict[str, Any]:
    """What a broken file says, where only commas, comments or a byte order mark are too many."""
    if file.shape in ("missing", "empty"):
        return {}
    text = file.data.decode("utf-8-sig", "replace")
    mended = re.sub(r"(?m)^\s*(//|#).*$", "", text)
    mended = re.sub(rf"({_STRING})|,(\s*[}}\]])", lambda found: found[1] or found[2], mended)
    try:
        said = json.loads(mended)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or "\ufffd" in text:
        why = file.trouble or _("it holds no JSON object")
        raise NoPlan(
            _(
                "What {path} was meant to say cannot be told ({why}): correct it by hand.",
                path=file.path,
                why=why,
            )
        )
    return said


def _wanted(settings: dict[str, Any], seen: DaemonSettings) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if (key, value) not in _HARMFUL}
    if seen.wants_ipv6 and seen.version:
        kept.update(docker_json.lacking_for_ipv6(kept, seen.version))
    kept.update((key, value) for key, value in seen.stopping if not kept.get(key))
    return kept


def words(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What the file says anew, and no longer."""
    added = ", ".join(key for key in after if before.get(key) != after[key])
    gone = ", ".join(key for key in before if key not in after)
    if added and gone:
        return _("daemon.json sets {added} and no longer sets {gone}.", added=added, gone=gone)
    if added:
        return _("daemon.json sets {added}.", added=added)
    if gone:
        return _("daemon.json no longer sets {gone}.", gone=gone)
    return _("daemon.json is valid again and says the same.")


def steps(
    facts: Facts, file: docker_json.DaemonJson, settings: dict[str, Any], restart: bool = True
) -> tuple[PlanStep, ...]:
    """Writes these settings: checked beside the real file first; Docker is down while the file changes, both
    ways."""
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    # Half of a surrogate pair, which JSON can write and UTF-8 cannot, stays as it is written.
    after = text.encode("utf-8", "backslashreplace")
    trial = f"{file.path}.mailcow-wizard"
    try:
        facts.host.info(trial)
    except Missing:
        pass
    else:
        raise NoPlan(_("{trial} is in the way: look at it, and remove it.", trial=trial))
    checked: list[PlanStep] = []
    if docker.numbers(docker_json.engine_version(facts)) >= VALIDATES:
        look = Command(("dockerd", "--validate", "--config-file", trial))
        checked = [Edit(trial, None, after), look, Edit(trial, after, None)]
    before = None if file.shape == "missing" else file.data
    edit = Edit(file.path, before, after)
    if not restart:
        return *checked, edit
    seen = facts.get(docker_daemon.daemon)
    if seen.service and seen.service.load != "not-found":
        stop: tuple[str, ...] = ("systemctl", "stop", *_units(seen))
        # Docker's unit may be started three times a minute; whoever tries things out has done so already.
        begin: tuple[tuple[str, ...], ...] = (
            RESET,
            ("systemctl", "start", docker_daemon.SERVICE),
        )
    elif seen.openrc:
        stop, begin = ("rc-service", "docker", "stop"), (("rc-service", "docker", "start"),)
    elif seen.script:
        stop, begin = ("service", "docker", "stop"), (("service", "docker", "start"),)
    else:
        raise NoPlan(_("What starts Docker here was not found: edit the file and restart Docker by hand."))
    if seen.engine.state != "answers":
        # It was down with the old file, and may stay so when that is back; one that hangs would hang on.
        again = tuple("restart" if word == "start" else word for word in begin[-1])
        return *checked, edit, *map(Command, begin[:-1]), Command(again, (stop,), _START_S)
    started = (*map(Command, begin[:-1]), Command(begin[-1], (stop,), _START_S))
    return *checked, Command(stop, begin, _START_S), edit, *started


def interrupted(facts: Facts) -> str:
    """The containers that a restart of Docker stops."""
    try:
        names = [one.name for one in facts.get(containers)]
        known = facts.get(docker.info)
    except HostError:
        if facts.get(containers_run) is False:
            return ""
        return _("Docker is started anew, and containers that go on without it stop and come back.")
    if not names or (known and known.live_restore):
        return ""
    return _("Docker is restarted, and its containers stop and come back: {names}", names=", ".join(names))
