"""systemd's units: what is known of their state, asked of systemd itself."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import NamedTuple

_PROPERTIES = (
    "Id,LoadState,UnitFileState,ActiveState,Triggers,TriggeredBy,PartOf,FragmentPath,SourcePath,Accept,"
    "WantedBy,RequiredBy,UpheldBy,BoundBy,RequisiteOf,ConsistsOf,PropagatesStopTo,MainPID"
)
_ACTIVE = ("active", "reloading", "activating")
_WANTS = r"(?m)^(?:WantedBy|RequiredBy|UpheldBy)=(.*)$"
_ALSO = r"(?m)^Also=(.*)$"
_NEEDS = r"(?m)^(?:Requires|Requisite|Wants|BindsTo|Upholds|PartOf)\s*=(.*)$"
_OWN_DIRECTORY = "/etc/systemd/system"


class Unit(NamedTuple):
    """A unit. `state` is systemd's UnitFileState (enabled, static, generated, masked…), `enabled` whether it
    starts with the machine, `active` whether it runs or is about to, `runs` whether it does already, `ending`
    whether it is being stopped; `path` is its file, `source` what it was generated from. `pulled_by` names
    the units that start it along with themselves, `needed_by` those that do not run without it, `stops` those
    that are stopped with it, `main` is the process id of its main program, 0 where systemd knows of none."""

    id: str
    load: str
    state: str
    enabled: bool
    active: bool
    triggers: tuple[str, ...] = ()
    triggered_by: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    path: str = ""
    source: str = ""
    accepts: bool = False
    pulled_by: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    runs: bool = False
    ending: bool = False
    main: int = 0


def is_running(facts: Facts) -> bool:
    """Whether systemd is what starts services here, as sd_booted(3) finds out."""
    return facts.host.exists("/run/systemd/system")


def units(facts: Facts, names: tuple[str, ...]) -> tuple[Unit, ...]:
    """The units of these names, in their order, asked for once. Raises HostError."""
    return facts.get(_units, names) if names else ()


def _units(facts: Facts, names: tuple[str, ...]) -> tuple[Unit, ...]:
    said = facts.host.run(("systemctl", "show", "-p", _PROPERTIES, "--", *names))
    if said.code:
        raise NoAnswer(
            _(
                "systemd does not say how {names} is set up: {reason}",
                names=names[0],
                reason=said.err.strip() or said.code,
            )
        )
    blocks = [dict(_row(line) for line in block.splitlines()) for block in said.out.strip().split("\n\n")]
    found = tuple(_unit(facts, block) for block in blocks)
    if len(found) != len(names):
        raise NoAnswer(_("systemd does not say how {names} is set up", names=names[0]))
    return found


def _row(line: str) -> tuple[str, str]:
    key, _unused, value = line.partition("=")
    return key, value


def _unit(facts: Facts, row: dict[str, str]) -> Unit:
    def words(*keys: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for key in keys for word in row.get(key, "").split()))

    state = row.get("UnitFileState", "")
    enabled = state.startswith(("enabled", "alias"))
    if state == "generated" and row.get("SourcePath", "").startswith("/etc/init.d/"):
        enabled = facts.host.run(("systemctl", "is-enabled", "--", row["Id"])).out.split()[-1:] == ["enabled"]
    return Unit(
        id=row.get("Id", ""),
        load=row.get("LoadState", ""),
        state=state,
        enabled=enabled,
        active=row.get("ActiveState", "") in _ACTIVE,
        triggers=words("Triggers"),
        triggered_by=words("TriggeredBy"),
        part_of=words("PartOf"),
        path=row.get("FragmentPath", ""),
        source=row.get("SourcePath", ""),
        accepts=row.get("Accept") == "yes",
        pulled_by=words("WantedBy", "RequiredBy", "UpheldBy", "BoundBy"),
        needed_by=words("RequiredBy", "BoundBy", "RequisiteOf"),
        stops=words("RequiredBy", "BoundBy", "RequisiteOf", "ConsistsOf", "PropagatesStopTo"),
        runs=row.get("ActiveState", "") == "active",
        ending=row.get("ActiveState", "") == "deactivating",
        main=whole(row.get("MainPID", "")),
    )


def linked_from(facts: Facts, unit: Unit) -> str:
    """The file outside systemd's directories that an enabled unit is a link to; empty for ordinary units."""
    if not unit.path.startswith(f"{_OWN_DIRECTORY}/"):
        return ""
    if facts.host.info(unit.path, follow=False).kind != "link":
        return ""
    target = facts.host.resolve(unit.path)
    return "" if re.match(r"(?:/usr)?/lib/systemd/|/etc/systemd/|/run/systemd/", target) else target


def enabled_besides(facts: Facts, unit: Unit) -> tuple[str, ...]:
    """Other units that `systemctl enable` would enable with it (`Also=`), those that are disabled now."""
    said = facts.host.run(("systemctl", "cat", "--", unit.id)).out
    names = tuple(word for line in re.findall(_ALSO, said) for word in line.split() if word != unit.id)
    return tuple(one.id for one in units(facts, names) if not one.enabled and one.load == "loaded")


def wanted_by_hand(facts: Facts, unit: Unit) -> tuple[tuple[str, str], ...]:
    """Links that an administrator made (`systemctl add-wants`), which disabling takes away and enabling does
    not bring back: (add-wants or add-requires, the other unit)."""
    said = facts.host.run(("systemctl", "cat", "--", unit.id)).out
    own = {word for line in re.findall(_WANTS, said) for word in line.split()}
    found = []
    for directory in facts.host.names(_OWN_DIRECTORY):
        other, _unused, kind = directory.rpartition(".")
        if kind in ("wants", "requires") and other not in own:
            try:
                names = facts.host.names(f"{_OWN_DIRECTORY}/{directory}")
            except HostError:
                continue
            if unit.id in names:
                found.append((f"add-{kind}", other))
    return tuple(found)


def is_only_linked(facts: Facts, unit: Unit, other: str) -> bool:
    """Whether `other` depends on the unit by a link of the administrator's (or of `enable`) alone, which
    disabling the unit takes away; its own file does not name the unit."""
    links = (f"{_OWN_DIRECTORY}/{other}.{kind}/{unit.id}" for kind in ("wants", "requires", "upholds"))
    if not any(map(facts.host.exists, links)):
        return False
    said = facts.host.run(("systemctl", "cat", "--", other)).out.replace("\\\n", " ")
    return not any(unit.id in line.split() for line in re.findall(_NEEDS, said))
