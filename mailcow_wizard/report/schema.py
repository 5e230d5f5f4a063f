"""The JSON Schema of the `--json` documents."""

from typing import Any

from mailcow_wizard.model import CERTAINTIES, RISKS, SEVERITIES, STATUSES, STOPS

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_TRUTH = {"type": "boolean"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _enum(values: tuple[str, ...]) -> dict[str, Any]:
    return {"enum": list(values)}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what each command prints with --json, by name in `$defs`: `run` (check),
    `list` (check --list), `offers` (fix CHECK), `fix` (fix CHECK FIX), `changes` (undo --list), `undo`,
    `value` (conf get), `conf` (conf set, conf new), `lint` (conf lint), `acknowledgements` (ack),
    `explanation` (explain), `reach`, `asked` (reach --from), `install`, `records` (dns), `push` (dns --push),
    `error` (of each, where it came to nothing before that)."""
    documents = {
        "run": _run(),
        "list": _list(),
        "offers": _offers(),
        "fix": _made(),
        "changes": _changes(),
        "undo": _undone(),
        "value": _object({**_DOCUMENT, "key": _TEXT, "value": _TEXT_OR_NULL}),
        "conf": _object(
            {**_DOCUMENT, "diff": _TEXT, "applied": _TRUTH, "change": _TEXT_OR_NULL, "error": _TEXT}
        ),
        "lint": _linted(),
        "acknowledgements": _acknowledgements(),
        "records": _object({**_DOCUMENT, "records": _records(), "certificate": _fates()}),
        "push": _object({**_made()["properties"], "records": _records()}),
        "explanation": _explanation(),
        "reach": _reach(),
        "asked": _asked(),
        "install": _install(),
        "error": _error(),
        # `--version`, and nothing else: what lacks its own members must not pass as this.
        "about": {**_object(_DOCUMENT), "additionalProperties": False},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mailcow-wizard --json",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in documents],
        "$defs": {**documents, "finding": _finding(), "plan": _plan()},
    }


_STEP = {
    "anyOf": [
        _object({"kind": {"const": "edit"}, "path": _TEXT, "diff": _TEXT}),
        _object({"kind": {"const": "command"}, "argv": _list_of(_TEXT)}),
        _object({"kind": {"const": "manual"}, "text": _TEXT}),
    ]
}


def _reach() -> dict[str, Any]:
    row = {
        "port": _COUNT,
        **dict.fromkeys(("service", "state"), _TEXT),
        "listening": _TRUTH,
        "family": _enum(("v4", "v6")),
        **dict.fromkeys(("peer", "said"), _TEXT_OR_NULL),
        "how": {"enum": ["token", "packet", "greeting", "told", None]},
    }
    counts = _object(dict.fromkeys(("arrived", "blocked", "unknown"), _COUNT))
    reach = {"addresses": _list_of(_TEXT), "summary": counts, "ports": _list_of(_object(row))}
    return _object({**_DOCUMENT, **reach})


def _asked() -> dict[str, Any]:
    row = {"address": _TEXT, "port": _COUNT, "state": _TEXT}
    return _object({**_DOCUMENT, "report": _TEXT, "told": _TRUTH, "ports": _list_of(_object(row))})


def _error() -> dict[str, Any]:
    """Nothing but the error: a document that lacks what it should have must not pass as this one."""
    made = _object({**_DOCUMENT, "error": _TEXT})
    made["properties"] |= dict.fromkeys(
        ("checks", "fixes", "plan", "changes", "state", "diff", "findings"), False
    )
    line = {"type": ["integer", "null"], "minimum": 1}
    problem = _object({**dict.fromkeys(("file", "what", "right"), _TEXT), "line": line})
    made["properties"]["problems"] = _list_of(problem)  # of an answers file alone
    return made


def _run() -> dict[str, Any]:
    run = _object(
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
    status: dict[str, Any] = {"enum": [*STATUSES, None]}
    change = _object({"id": _TEXT, "subject": _TEXT_OR_NULL, "before": status, "after": status})
    run["properties"]["changes"] = _list_of(change)  # with --changes alone
    return run


_FIX: dict[str, Any] = {
    "id": _TEXT,
    "title": _TEXT,
    "risk": _enum(RISKS),
    "reversible": _TRUTH,
    "needs_root": _TRUTH,
}
_DOCUMENT: dict[str, Any] = {"schema": {"const": 1}, "version": _TEXT}
_PLAN = {"anyOf": [{"$ref": "#/$defs/plan"}, {"type": "null"}]}
_RESULT = {"anyOf": [{"$ref": "#/$defs/finding"}, {"type": "null"}]}
_STATE = _enum(("applied", "undone", "interrupted", "applying", "undoing"))
"""`applying` and `undoing` are under way at that moment."""


def _offers() -> dict[str, Any]:
    return _object({**_DOCUMENT, "fixes": _list_of(_object({**_FIX, "subject": _TEXT_OR_NULL}))})


def _plan() -> dict[str, Any]:
    return _object(
        {
            "steps": _list_of(_STEP),
            "risk": _enum(RISKS),
            "reversible": _TRUTH,
            "interrupts": _TEXT,
            "needs_root": _TRUTH,
            "title": _TEXT,
            "consequence": _TEXT,
        }
    )


def _made() -> dict[str, Any]:
    return _object(
        {
            **_DOCUMENT,
            "check": _TEXT,
            "subject": _TEXT_OR_NULL,
            "fix": _TEXT,
            "plan": _PLAN,
            "applied": _TRUTH,
            "change": _TEXT_OR_NULL,
            "result": _RESULT,
            "error": _TEXT,
        }
    )


def _records() -> dict[str, Any]:
    row = {
        **dict.fromkeys(("name", "type", "value", "state", "level"), _TEXT),
        "ttl": _COUNT,
        **dict.fromkeys(("domain", "note"), _TEXT_OR_NULL),
        "published": _list_of(_TEXT),
    }
    return _list_of(_object(row))


def _fates() -> dict[str, Any]:
    row = _object(dict.fromkeys(("name", "fate", "words"), _TEXT))
    return {"anyOf": [_list_of(row), {"type": "null"}]}


def _explanation() -> dict[str, Any]:
    texts = ("check", "step", "title", "needed", "why", "severity", "doc")
    example = _object({"status": _enum(STATUSES), "summary": _TEXT, "remedies": _list_of(_TEXT)})
    lists = {"by_hand": _list_of(_TEXT), "example": _list_of(example), "fix_ids": _list_of(_TEXT)}
    return _object({**_DOCUMENT, **dict.fromkeys(texts, _TEXT), **lists})


def _install() -> dict[str, Any]:
    """`state`: planned is only shown; present: there is nothing to install, mailcow is here."""
    states = _enum(("planned", "refused", "running", "stopped", "failed", "done", "present"))
    stage = _object(
        {
            **dict.fromkeys(("id", "title", "note", "interrupts"), _TEXT),
            "state": _enum(("waiting", "running", "done", "failed")),
            "steps": _list_of(_STEP),
        }
    )
    return _object(
        {
            **_DOCUMENT,
            **dict.fromkeys(("directory", "hostname", "error", "log"), _TEXT),
            "state": states,
            "stages": _list_of(stage),
            "remedies": _list_of(_TEXT),
            "findings": _list_of({"$ref": "#/$defs/finding"}),
        }
    )


def _acknowledgements() -> dict[str, Any]:
    row = {
        **dict.fromkeys(("check", "reason", "by", "at"), _TEXT),
        **dict.fromkeys(("subject", "until"), _TEXT_OR_NULL),
        "holds": _TRUTH,
    }
    return _object({**_DOCUMENT, "acknowledgements": _list_of(_object(row))})


def _changes() -> dict[str, Any]:
    names = ("id", "at", "check", "fix", "title")
    row = _object({**dict.fromkeys(names, _TEXT), "subject": _TEXT_OR_NULL, "state": _STATE})
    return _object({**_DOCUMENT, "changes": _list_of(row)})


def _undone() -> dict[str, Any]:
    state = {"anyOf": [_STATE, {"type": "null"}]}
    said = {"change": _TEXT_OR_NULL, "state": state, "plan": _PLAN, "result": _RESULT, "error": _TEXT}
    return _object({**_DOCUMENT, **said})


def _linted() -> dict[str, Any]:
    row = {
        "line": {"type": ["integer", "null"], "minimum": 1},
        "key": _TEXT_OR_NULL,
        "rule": _TEXT,
        "level": _enum(("error", "warning", "advice")),
        "message": _TEXT,
        "fix": _TEXT_OR_NULL,
    }
    return _object({**_DOCUMENT, "file": _TEXT, "findings": _list_of(_object(row))})


def _finding() -> dict[str, Any]:
    fix = _object(_FIX)
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
            "stops": _enum(STOPS),
            "left_to_install": {"type": "boolean"},
        }
    )


def _list() -> dict[str, Any]:
    names = ("id", "step", "title", "needed", "why", "doc", "severity")
    row = _object(dict.fromkeys(names, _TEXT))
    schema = _object({"schema": {"const": 1}, "version": _TEXT, "checks": _list_of(row)})
    # A run has all that a list has; a run that is wrong must not pass as a list.
    schema["properties"] |= dict.fromkeys(("hostname", "started", "duration_ms", "summary"), False)
    return schema
