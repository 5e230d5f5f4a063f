"""kill -9 of the process that installs, at any instant, again and again: the end is always the same.

More of them: WIZARD_INSTALL_KILLS=1000 tests/run -m long tests/real/test_install_killed.py
"""

import os
import random
import time
from collections.abc import Iterator

import pytest
from lab.inside import running
from lab.skip import or_skip

from tests.real import install_place
from tests.real.install_place import Place

pytestmark = [pytest.mark.real, pytest.mark.long, pytest.mark.seeded]
KILLS = int(os.environ.get("WIZARD_INSTALL_KILLS", "100"))
MOST = 4
"""So often one install is killed at most."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A machine of its own."""
    with or_skip(), install_place.place(tmp_path_factory.mktemp("install")) as made:
        yield made


def test_killed_at_random_instants(place: Place) -> None:
    place.reset()
    began = time.monotonic()
    assert "mailcow is installed" in place.install().stdout
    took = time.monotonic() - began
    undisturbed = place.look()
    chance = random.Random(7)
    kills = 0
    while kills < KILLS:
        place.reset()
        secrets: set[tuple[str, ...]] = set()
        instants: list[tuple[str, float]] = []
        for _ in range(chance.randint(1, MOST)):
            with running(place.begin()) as begun:
                instant = chance.uniform(0.2, took)
                time.sleep(instant)
                stages = place.stages()
                stage = next((one for one, state in stages.items() if state != "done"), "")
                kills += place.kill()
                begun.wait(200)
            instants.append((stage, instant))
            # Until the stage is done, mailcow.conf may hold one that its script made up; no container saw it.
            secrets |= {place.made_secrets() or place.secrets()} - {()}
        done = place.install()
        assert "mailcow is" in done.stdout, (instants, done.stdout[-2000:], done.stderr)
        assert place.look() == undisturbed, instants
        assert secrets | {place.secrets()} == {place.secrets()}, instants
