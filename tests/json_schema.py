"""As much of JSON Schema as `mailcow-wizard schema` uses: enough to check a document against it.

Not the package jsonschema: it brings four others, one of them compiled, to a project that has one dependency.
"""

from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_KNOWN = {"$schema", "$defs", "$ref", "title", "type", "const", "enum", "anyOf", "format"} | {
    "properties",
    "additionalProperties",
    "required",
    "items",
    "minimum",
    "maximum",
    "description",
}


def faults(
    schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None, at: str = "$"
) -> list[str]:
    """What of the value is not as the schema wants it; empty where all is well."""
    return list(_faults(schema, value, schema if root is None else root, at))


def _faults(schema: dict[str, Any] | bool, value: Any, root: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{at}: must not be there"
        return
    unknown = schema.keys() - _KNOWN
    assert not unknown, f"the schema at {at} uses {unknown}, which this check does not know"
    if "$ref" in schema:
        yield from _faults(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, at)
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if "anyOf" in schema and all(faults(one, value, root, at) for one in schema["anyOf"]):
        yield f"{at}: {value!r} fits none"
    if "type" in schema and not _is(schema["type"], value):
        yield f"{at}: {value!r} is not of type {schema['type']}"
        return
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{at}: {value} is too small"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{at}: {value} is too large"
    if schema.get("additionalProperties") is False:
        yield from (f"{at}: there is no {name}" for name in value.keys() - schema["properties"].keys())
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, below in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield from _faults(below, value[name], root, f"{at}.{name}")
    for number, one in enumerate(value if "items" in schema else ()):
        yield from _faults(schema["items"], one, root, f"{at}[{number}]")


def _is(kinds: str | list[str], value: Any) -> bool:
    wanted = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in wanted
    return isinstance(value, tuple(one for kind in wanted for one in _TYPES[kind]))
