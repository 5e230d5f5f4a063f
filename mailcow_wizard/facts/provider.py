"""Whose server this is: by the firmware, by cloud-init, by the names of its addresses, by the addresses."""

from __future__ import annotations

import ipaddress
import json

from mailcow_wizard.facts.providers import PROVIDERS, Provider
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_DMI = "/sys/class/dmi/id"
_FILES = ("sys_vendor", "product_name", "bios_vendor", "bios_version", "chassis_asset_tag")
_CLOUD_INIT = "/run/cloud-init/instance-data.json"
_CLOUD_ID = "/run/cloud-init/cloud-id"
_CONFIGURED = "/etc/cloud/cloud.cfg.d/90_dpkg.cfg"


class Known(NamedTuple):
    """A provider, and what gave it away: a file, a name, an address block."""

    provider: Provider
    sign: str


def machine(facts: Facts) -> Known | None:
    """The provider by what the machine itself says, without a packet; None where it does not say."""
    return _by_firmware(facts) or _by_cloud_init(facts)


def provider(facts: Facts, address: str, names: tuple[str, ...]) -> Known | None:
    """The provider of one of the server's addresses; None where nothing gives it away.

    `names` are the names that the address has, and those of the name servers of its reverse zone.
    """
    return facts.get(machine) or _by_names(names) or _by_block(address)


def _by_firmware(facts: Facts) -> Known | None:
    said = [f"{file}: {_first_line(facts, f'{_DMI}/{file}').lower()}" for file in _FILES]
    for one in PROVIDERS:
        found = next((line for line in said if line.startswith(one.firmware or ("?",))), "")
        if found:
            return Known(one, f"{_DMI}/{found.partition(':')[0]}")
    return None


def _by_cloud_init(facts: Facts) -> Known | None:
    """What cloud-init found out when the machine first started."""
    for path, name in ((_CLOUD_INIT, _cloud_name(facts)), (_CLOUD_ID, _first_line(facts, _CLOUD_ID))):
        found = next((one for one in PROVIDERS if name.lower() in one.clouds), None)
        if found:
            return Known(found, path)
    # An image that a provider made may name the only source of data that it looks at.
    line = next((one for one in _text(facts, _CONFIGURED).splitlines() if "datasource_list" in one), "")
    sources = [one.strip(" '\"") for one in line.partition("[")[2].partition("]")[0].lower().split(",")]
    alone = [one for one in sources if one not in ("", "none")]
    found = next((one for one in PROVIDERS if len(alone) == 1 and alone[0] in one.clouds), None)
    return Known(found, _CONFIGURED) if found else None


def _cloud_name(facts: Facts) -> str:
    try:
        said = json.loads(_text(facts, _CLOUD_INIT))
    except (ValueError, RecursionError):
        return ""
    v1 = said.get("v1") if isinstance(said, dict) else None
    name = v1.get("cloud_name", v1.get("cloud-name")) if isinstance(v1, dict) else None
    return name if isinstance(name, str) else ""


def _by_names(names: Iterable[str]) -> Known | None:
    for name in names:
        for one in PROVIDERS:
            if any(name == end or name.endswith(f".{end}") for end in one.names):
                return Known(one, name)
    return None


def _by_block(address: str) -> Known | None:
    parsed = ipaddress.ip_address(address)
    for one in PROVIDERS:
        for block in one.blocks:
            network = ipaddress.ip_network(block)
            if parsed.version == network.version and parsed in network:
                return Known(one, block)
    return None


def _first_line(facts: Facts, path: str) -> str:
    return _text(facts, path).strip().partition("\n")[0].strip()


def _text(facts: Facts, path: str) -> str:
    try:
        return facts.host.text(path)
    except HostError:
        return ""
