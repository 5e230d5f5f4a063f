"""What a face hears of work that was killed while it was just starting a command."""

import threading
from pathlib import Path

from changes import Place, nothing

from mailcow_wizard.engine import lock, mending
from mailcow_wizard.engine.journal import Journal


def test_who_holds_the_lock_until_its_command_runs_does_not_go_on(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    session = place.session()
    journal = Journal(session.state)
    change = journal.add(place.plan, {}, "2026-01-02T03:04:05Z", {})
    journal.write(change, journal.standing(change)._replace(state="applying"))
    held = lock.take(session.state, change)
    release = threading.Timer(0.3, held.close)
    release.start()
    following = mending._Following(session, journal, change, 0, lambda: False, nothing)
    try:
        assert following.run().state == "interrupted"
    finally:
        release.join()
