"""The door's answers as JSON and back, checked: a recorded machine comes from a stranger."""

import base64
import types
from typing import Any, Union, get_args, get_origin

from mailcow_wizard.host.errors import HostError


class Garbled(HostError):
    """A recorded answer does not have the shape that the call's answers have."""


def pack(value: Any) -> Any:
    """An answer as JSON values: bytes as text where they are UTF-8, named tuples as objects."""
    if isinstance(value, bytes):
        try:
            return {"text": value.decode("utf-8")}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            return {name: pack(part) for name, part in zip(value._fields, value, strict=True)}
        return [pack(part) for part in value]
    return value


def unpack(kind: Any, value: Any) -> Any:
    """The answer of type `kind` from JSON values. Raises Garbled."""
    origin = get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise Garbled("a list was expected in the recorded answer")
        return tuple(unpack(get_args(kind)[0], part) for part in value)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value)
    if kind is bytes:
        return _bytes(value)
    if hasattr(kind, "_fields"):
        return _record(kind, value)
    if kind is float and type(value) is int and abs(value) < 1 << 64:
        return float(value)
    if kind is types.NoneType and value is None:
        return None
    if type(value) is not kind:
        raise Garbled(f"{getattr(kind, '__name__', kind)} was expected in the recorded answer")
    return value


def _record(kind: Any, value: Any) -> Any:
    needed = set(kind._fields) - set(kind._field_defaults)
    if not isinstance(value, dict) or not needed <= set(value) <= set(kind._fields):
        raise Garbled(f"the fields of {kind.__name__} were expected in the recorded answer")
    return kind(**{name: unpack(kind.__annotations__[name], part) for name, part in value.items()})


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return unpack(kind, value)
        except Garbled:
            continue
    raise Garbled("the recorded answer has another shape than this question's")


def _bytes(value: Any) -> bytes:
    if isinstance(value, dict) and len(value) == 1:
        if isinstance(value.get("text"), str):
            return str(value["text"]).encode("utf-8", "surrogatepass")
        if isinstance(value.get("base64"), str):
            try:
                return base64.b64decode(value["base64"], validate=True)
            except ValueError:  # not base64, or not even ASCII
                pass
    raise Garbled("text or base64 was expected in the recorded answer")
