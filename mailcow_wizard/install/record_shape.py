"""What an install's record may hold: one of another version may hold more, and is not gone on with."""

from __future__ import annotations

from mailcow_wizard.engine.findings import from_fields
from mailcow_wizard.engine.given import ADMIN
from mailcow_wizard.install.stages import STAGES
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_STATES = ("running", "stopped", "failed", "done")
_STAGE_STATES = ("waiting", "running", "done", "failed")
_TEXTS = ("run", "begun", "directory", "hostname", "error", "change", "ended", "answers")
_LISTS = ("remedies", "notes", "marks", "changes")


def examine(said: dict[str, Any]) -> None:
    """Raises KeyError, TypeError or ValueError where a part is not as this version writes it."""
    _all(said.get(name, "") for name in _TEXTS)
    for name in _LISTS:
        _all(_list(said[name]))
    _one_of(_STATES, said["state"])
    _settings(said["settings"])
    _choices(said["choices"])
    _stages(_list(said["stages"]))
    for one in _list(said["findings"]):
        from_fields(one)
    if said["running"]:
        _kind(said["running"]["pid"], int)
        _kind(said["running"]["patience"], int, float)


def _settings(said: dict[str, Any]) -> None:
    plain = Settings()
    unknown = set(said) - set(Settings._fields)
    if unknown or "directory" not in said:
        raise ValueError(unknown)
    for name, value in said.items():
        usual = getattr(plain, name)
        if name == "timeout":
            _kind(value, int, float, type(None))
        elif isinstance(usual, tuple):
            _all(_list(value))
        else:
            _kind(value, type(usual))


def _choices(said: dict[str, Any]) -> None:
    _one_of(ADMIN, said.get("admin", ADMIN[0]))
    _kind(said.get("mtu", 0), int)
    _all(said.get(name, "") for name in ("repository", "branch"))
    _all(_list(said.get("mailbox", [])))
    for check, fix, subject in (_list(one) for one in _list(said.get("fixes", []))):
        _all((check, fix, subject or ""))


def _stages(said: list[dict[str, Any]]) -> None:
    ids = [one["id"] for one in said]
    if not set(ids) <= {one.id for one in STAGES} or len(set(ids)) != len(ids):
        raise ValueError(ids)
    for one in said:
        _one_of(_STAGE_STATES, one["state"])
        _all(one[name] for name in ("note", "began", "ended"))


def _list(said: Any) -> list[Any]:
    _kind(said, list)
    found: list[Any] = said
    return found


def _all(texts: Any) -> None:
    for one in texts:
        _kind(one, str)


def _kind(said: Any, *kinds: type) -> None:
    if not isinstance(said, kinds):
        raise TypeError(said)


def _one_of(known: tuple[str, ...], said: Any) -> None:
    if said not in known:
        raise ValueError(said)
