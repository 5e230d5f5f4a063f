"""What sessions over ssh leave on a server: what those left that were killed is removed by a later one."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailcow_wizard.host.one_file import far as one_file_far


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


def test_what_could_not_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    target = tmp_path / ".local/bin/mailcow-wizard"
    assert one_file_far._keep(str(tmp_path / "none")) == f"not kept: {target}: No such file or directory"
    assert list(target.parent.iterdir()) == []
