"""The JSON Schema of the `--json` documents."""

from typing import Any

from mailcow_wizard.model import CERTAINTIES, RISKS, SEVERITIES, STATUSES

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _enum(values: tuple[str, ...]) -> dict[str, Any]:
    return {"enum": list(values)}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `check --json` (`$defs/run`) and of `check --list --json` (`list`)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mailcow-wizard check --json, and check --list --json",
        "anyOf": [{"$ref": "#/$defs/run"}, {"$ref": "#/$defs/list"}],
        "$defs": {"run": _run(), "finding": _finding(), "list": _list()},
    }


def _run() -> dict[str, Any]:
    return _object(
        {
            "schema": {"const": 1},
            "version": _TEXT,
            "hostname": _TEXT,
            "started": {"type": "string", "format": "date-time"},
            "duration_ms": _COUNT,
            "summary": _object(dict.fromkeys(STATUSES, _COUNT)),
            "checks": _list_of({"$ref": "#/$defs/finding"}),
        }
    )


def _finding() -> dict[str, Any]:
    fix = _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "risk": _enum(RISKS),
            "reversible": {"type": "boolean"},
            "needs_root": {"type": "boolean"},
        }
    )
    acknowledged = _object({"reason": _TEXT, "by": _TEXT, "at": _TEXT, "until": _TEXT_OR_NULL})
    return _object(
        {
            "id": _TEXT,
            "subject": _TEXT_OR_NULL,
            "step": _TEXT,
            "title": _TEXT,
            "status": _enum(STATUSES),
            "severity": _enum(SEVERITIES),
            "certainty": _enum(CERTAINTIES),
            "summary": _TEXT,
            "needed": _TEXT,
            "found": _TEXT,
            "why": _TEXT,
            "doc": {"type": "string", "format": "uri"},
            "evidence": _list_of(_object({"what": _TEXT, "value": _TEXT})),
            "remedies": _list_of(_TEXT),
            "fixes": _list_of(fix),
            "acknowledged": {"anyOf": [acknowledged, {"type": "null"}]},
            "duration_ms": _COUNT,
        }
    )


def _list() -> dict[str, Any]:
    names = ("id", "step", "title", "needed", "why", "doc", "severity")
    row = _object(dict.fromkeys(names, _TEXT))
    schema = _object({"schema": {"const": 1}, "version": _TEXT, "checks": _list_of(row)})
    # A run has all that a list has; a run that is wrong must not pass as a list.
    schema["properties"] |= dict.fromkeys(("hostname", "started", "duration_ms", "summary"), False)
    return schema
