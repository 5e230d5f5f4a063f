"""What sessions over ssh that were killed have left on a server, removed by a later one."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailcow_wizard.host import one_file_far


def _left(above: Path, name: str, old: bool) -> Path:
    made = above / f"{one_file_far.PREFIX}{name}"
    made.mkdir()
    if old:
        os.utime(made, (0, 0))
    return made


def test_another_session_may_sweep_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, old, fresh, own = (
        _left(tmp_path, name, name != "fresh") for name in ("gone", "old", "fresh", "own")
    )
    entries = sorted(os.scandir(tmp_path), key=lambda one: one.name)
    gone.rmdir()
    listed = SimpleNamespace(**{**vars(os), "scandir": lambda above: iter(entries)})
    monkeypatch.setattr(one_file_far, "os", listed)
    one_file_far._sweep(str(tmp_path), (str(own),))
    assert [one.exists() for one in (old, fresh, own)] == [False, True, True]
