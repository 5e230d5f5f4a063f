"""apt's lists in another's hands: what is waited for, and what ends the wait."""

from pathlib import Path

import pytest
from changes import Place

from mailcow_wizard.engine import work
from mailcow_wizard.engine.journal import Journal

_HELD = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"


def test_who_wants_it_stopped_does_not_wait_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(work, "pause", waits.append)
    place = Place(tmp_path / "place")
    session = place.session()
    journal = Journal(session.state)
    plan = place.made(place.shell(f"echo tried >>log; echo '{_HELD}' >&2; exit 100"))
    change = journal.add(plan, {}, "2026-01-02T03:04:05Z", {})
    said: list[str] = []
    one = work.Work(
        session.host.changing(), journal, change, lambda kind, number, text: said.append(text), frozenset()
    )
    one.apply(lambda: len(waits) == 2)
    assert one.standing.state == "failed"
    assert [text for text in said if "waits up to" in text] == [f"waits up to 120 s: {_HELD[3:]}"]
    assert (place.root / "log").read_text().split() == ["tried"] * 3
