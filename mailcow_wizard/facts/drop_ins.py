"""Directories of settings in several places, as sysctl.d(5) and modprobe.d(5) have them."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing


def drop_ins(
    host: Host, places: Sequence[str], directory: str, passed_over: type[HostError] = Missing
) -> dict[str, str]:
    """The files `*.conf` that count, by name, in the order in which they are read: of two with one name that
    in the first place. A place that fails in the way of `passed_over` has none; others raise HostError."""
    found: dict[str, str] = {}
    for place in places:
        try:
            names = host.names(f"{place}/{directory}")
        except passed_over:
            continue
        for name in names:
            if name.endswith(".conf"):
                found.setdefault(name, f"{place}/{directory}/{name}")
    return dict(sorted(found.items()))
