"""How far a pull is, from what docker compose says of it: images, layers, bytes, speed, time left. Pure."""

from __future__ import annotations

import json
from collections import deque

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import of_compose
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LAYER = pattern(
    r"^\s*([0-9a-f]{12})\s+(.*?)\s*(?:\[[=> ]*\]\s*)?(?:([\d.]+)([kMGT]?B)/([\d.]+)([kMGT]?B))?\s*$"
)
_SERVICE = pattern(r"^\s*(?:Image )?(\S+)\s+(Pulling|Pulled|Error|Skipped|Interrupted|Warning)\b(.*)$")
_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
_COMPLETE = ("download complete", "verifying checksum", "extracting", "pull complete", "already exists")
_ENDED = ("pulled", "skipped")
_WINDOW_S = 20.0
_ENOUGH_S = 3.0


class Pulling:
    """Takes what compose says, line by line; `moment` is of a clock that does not jump."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.pulled: set[str] = set()
        self.errors: list[str] = []
        self.failed: set[str] = set()
        """Services whose image could not be had."""
        self._layers: dict[str, tuple[int, int]] = {}
        self._seen: deque[tuple[float, int]] = deque()

    def hear(self, line: str, moment: float) -> str:
        """A line that compose wrote; what of it belongs in a log (empty: nothing)."""
        if line.lstrip().startswith("{"):
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                said = None
            if isinstance(said, dict):
                return self._event(said, moment)
        layer = _LAYER.match(line)
        if layer:
            done, whole = _bytes(layer[3], layer[4]), _bytes(layer[5], layer[6])
            self._layer(layer[1], layer[2], done, whole, moment)
            return ""
        service = _SERVICE.match(line)
        if service:
            return self._service(service[1], service[2], service[3])
        return self._complaint(line.strip())

    def _complaint(self, words: str) -> str:
        """What is no progress, kept as what may have gone wrong, without the secrets that compose repeats."""
        shown = of_compose(words)
        self.errors += [shown] if shown else []
        return shown

    def _event(self, said: dict[str, Any], moment: float) -> str:
        name, text = str(said.get("id", "")), str(said.get("text") or said.get("status") or "")
        details = str(said.get("details") or "")
        if said.get("error") or (said.get("level") == "error" and said.get("msg")):
            return self._complaint(str(said.get("message") or said.get("msg") or said.get("error")))
        if said.get("parent_id"):
            self._layer(name, text, _number(said.get("current")), _number(said.get("total")), moment)
            return ""
        if not name:
            return self._complaint(str(said.get("msg") or text))
        return self._service(name.removeprefix("Image "), text, details or str(said.get("status") or ""))

    def _service(self, name: str, text: str, rest: str) -> str:
        word = text.split()[0].lower() if text.split() else ""
        if word in _ENDED:
            new = name not in self.pulled
            self.pulled.add(name)
            return _("{name} is here", name=name) if new else ""
        if word == "error":
            self.failed.add(name)
            return self._complaint(f"{name}: {text} {rest}".strip())
        return ""

    def _layer(self, name: str, text: str, done: int, whole: int, moment: float) -> None:
        before = self._layers.get(name, (0, 0))
        low = text.lower()
        whole = max(whole, before[1]) if "extracting" not in low else before[1] or whole
        if any(low.startswith(one) for one in _COMPLETE):
            done = whole
        self._layers[name] = (max(done, before[0]), whole)
        self._seen.append((moment, self.bytes_done))
        while self._seen and moment - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def bytes_done(self) -> int:
        """What has come so far, of the layers that are known."""
        return sum(done for done, _whole in self._layers.values())

    @property
    def bytes_known(self) -> int:
        """How large the layers are that are known by now."""
        return sum(whole for _done, whole in self._layers.values())

    def speed(self) -> float:
        """Bytes a second over the last seconds; 0 where nobody knows yet."""
        if len(self._seen) < 2:
            return 0.0
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return (now - before) / (last - first) if last - first >= _ENOUGH_S else 0.0

    def words(self) -> str:
        """How far it is, in one line."""
        here = min(len(self.pulled), self.images)
        parts = [_("{number} of {all} images", number=here, all=self.images)]
        speed = self.speed()
        # A narrow screen cuts the end off: what is waited for comes first.
        if speed > 0:
            parts.append(_duration((self.bytes_known - self.bytes_done) / speed))
            parts.append(f"{size(round(speed))}/s")
        if self.bytes_known:
            done, known = size(self.bytes_done), size(self.bytes_known)
            parts.append(_("so far known: {done} of {known}", done=done, known=known))
        return ", ".join(parts)


def size(number: int) -> str:
    """Bytes for people."""
    for unit in ("GB", "MB", "kB"):
        if number >= _UNITS[unit]:
            return f"{number / _UNITS[unit]:.{0 if unit == 'kB' else 1}f} {unit}"
    return f"{number} B"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return _("less than a minute left")
    return _("about {minutes} min left", minutes=round(seconds / 60))


def _bytes(number: str | None, unit: str | None) -> int:
    try:
        return round(float(number or 0) * _UNITS[unit or "B"])
    except (ValueError, KeyError, OverflowError):
        return 0


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
