"""sbom.cdx.json: the software bill of materials (CycloneDX 1.6). Nothing in it depends on when it is made."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from mailcow_wizard import __version__
from supply.lock import Pinned
from supply.packages import Package

FILE = "supply/sbom.cdx.json"
_SELF = f"pkg:pypi/mailcow-wizard@{__version__}"
_BUILDS_ONLY = ("flit-core",)


def text(packages: list[Package]) -> str:
    """The whole document."""
    names = {one.pinned.name: _purl(one.pinned) for one in packages}
    needed = {need for one in packages for need in one.needs}
    top = [names[one] for one in sorted(names) if one not in needed and one not in _BUILDS_ONLY]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": _SELF,
                "name": "mailcow-wizard",
                "version": __version__,
                "purl": _SELF,
            }
        },
        "components": [_component(one) for one in packages],
        "dependencies": [
            {"ref": _SELF, "dependsOn": top},
            *(
                {"ref": _purl(one.pinned), "dependsOn": [names[need] for need in one.needs]}
                for one in packages
            ),
        ],
    }
    name = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{name}", **document}, indent=1) + "\n"


def _component(one: Package) -> dict[str, object]:
    return {
        "type": "library",
        "bom-ref": _purl(one.pinned),
        "name": one.pinned.name,
        "version": one.pinned.version,
        "scope": "excluded" if one.pinned.name in _BUILDS_ONLY else "required",
        "hashes": [{"alg": "SHA-256", "content": one.pinned.sha256}],
        "licenses": [{"license": {"id": one.licence}}],
        "purl": _purl(one.pinned),
        "externalReferences": [{"type": "website", "url": one.home}],
    }


def _purl(one: Pinned) -> str:
    return f"pkg:pypi/{one.name}@{one.version}"


def write(root: Path, packages: list[Package]) -> None:
    """Writes it."""
    (root / FILE).write_text(text(packages))
