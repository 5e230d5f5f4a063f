"""The JSON Schema of an answers file, and of the file with its secrets: TOML's values are JSON's."""

from __future__ import annotations

from mailcow_wizard.answers import keys
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12); a date is a text here. `secrets` in `$defs` is the second file."""
    properties: dict[str, Any] = {
        keys.SECRETS.name: {**keys.SECRETS.kind.schema, "description": keys.SECRETS.about},
        keys.MAILCOW: {**_conf(secret=False), "description": keys.ABOUT_MAILCOW},
    }
    for table in keys.TABLES:
        one = _closed({key.name: {**key.kind.schema, "description": key.about} for key in table.answers})
        one |= {"required": list(table.needed), "description": table.about}
        properties[table.name] = {"type": "array", "items": one} if table.many else one
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mailcow-wizard --answers",
        **_closed(properties),
        "$defs": {"secrets": _closed({keys.MAILCOW: _conf(secret=True)})},
    }


def _conf(secret: bool) -> dict[str, Any]:
    return _closed({key: keys.conf_schema(key) for key in keys.conf_keys(secret)})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
