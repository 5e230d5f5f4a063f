"""What goes wrong in the middle of an install on a real engine: it is named, and the end is the same."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.inside import running, wait_until
from lab.skip import or_skip

from tests.real import install_place
from tests.real.install_place import Place, failed_stage, said

pytestmark = [pytest.mark.real, pytest.mark.long]
SLOW = 60_000
_TIGHT = 300
"""Kilobytes that are left free where the disk is to be full."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with or_skip(), install_place.place(tmp_path_factory.mktemp("install")) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(machine: Place) -> dict[str, object]:
    """What an install leaves that nothing disturbed."""
    machine.reset()
    assert "mailcow is installed" in machine.install().stdout
    return machine.look()


@pytest.fixture
def place(machine: Place, undisturbed: dict[str, object]) -> Place:
    """The machine as it was before."""
    machine.reset()
    return machine


def ends_alike(place: Place, undisturbed: dict[str, object]) -> None:
    """Run again, it ends as if nothing had happened, and with the same passwords."""
    secrets = place.secrets()
    done = place.install()
    assert "mailcow is installed" in done.stdout, done.stdout[-2000:] + done.stderr
    assert place.look() == undisturbed
    assert len(secrets) == 4
    assert place.secrets() == secrets


def test_the_disk_is_full_while_images_come(place: Place, undisturbed: dict[str, object]) -> None:
    """It had room when the checks looked; without, they say so before anything is done."""
    root = str(Path(place.docker("info", "--format", "{{.DockerRootDir}}")).parent)

    def size(words: str) -> None:
        place.machine.run(["mount", "-o", f"remount,size={words}", root], check=True)

    def tighten() -> None:
        rows = place.machine.run(["df", "-k", "--output=used", root], check=True).stdout.split()
        size(f"{int(rows[-1]) + _TIGHT}k")

    place.faults(rate=SLOW)
    try:
        with running(place.begin()) as begun:
            assert place.wait_for_stage("pull")
            tighten()
            place.faults()
            assert begun.wait(120) == 1
        stands = place.standing()
        assert place.stages()["pull"] == "failed", stands
        assert "the disk is full" in str(stands["error"])
        assert re.search(rf" [kM]?B are free in {root}/data.*df -h {root}/data", str(stands["remedies"]))
        tighten()
        document = place.document()
        assert failed_stage(document) == "preconditions"
        assert "system.disk" in said(document)
    finally:
        size("50%")
    ends_alike(place, undisturbed)


def test_a_registry_that_is_asked_too_often(place: Place, undisturbed: dict[str, object]) -> None:
    """As GitHub's says it: it passes by itself."""
    words = "retry-after: 985.86µs, allowed: 44000/minute"
    place.faults(status=429, body=json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": words}]}))
    with running(place.begin()) as begun:
        assert wait_until(lambda: place.log.exists() and "(2 of 6)" in place.log.read_text(), 60)
        place.faults()
        assert begun.wait(120) in (0, 2, 3), place.log.read_text()[-2000:]
    assert "the registry is asked too often at this moment; tries again" in place.log.read_text()
    assert place.look() == undisturbed


def test_what_it_keeps_is_removed_under_its_hands(place: Place, undisturbed: dict[str, object]) -> None:
    """It goes on, and so does who follows it; who comes later finds it."""
    place.faults(rate=SLOW)
    with running(place.begin()) as begun:
        assert place.wait_for_stage("pull")
        for path in place.state.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not path.name.startswith("acknowledgements"):
                path.unlink()
        assert not wait_until(lambda: begun.poll() is not None, 3)
        assert place.install("--stop").returncode == 0
        assert begun.wait(60) == 1
    assert str(place.standing()["error"]).startswith("stopped in Images")
    place.faults()
    ends_alike(place, undisturbed)


def test_a_page_in_the_registrys_place(place: Place, undisturbed: dict[str, object]) -> None:
    """A portal's or a filter's; meanwhile somebody breaks mailcow.conf."""
    place.faults(status=403, body="<html>Blocked</html>")
    with running(place.begin()) as begun:
        assert wait_until(lambda: place.log.exists() and "(2 of 6)" in place.log.read_text(), 60)
        assert "what answers in the registry's place is no registry" in place.log.read_text()
        conf = place.directory / "mailcow.conf"
        was = conf.read_text()
        conf.write_text(f"{was}\nBROKEN LINE 'x\n")
        assert begun.wait(60) == 1
    assert "docker compose cannot read mailcow.conf" in str(place.standing()["error"])
    assert "conf lint" in str(place.standing()["remedies"])
    conf.write_text(was)
    place.faults()
    ends_alike(place, undisturbed)


def test_a_port_is_taken_after_the_checks(place: Place, undisturbed: dict[str, object]) -> None:
    place.faults(rate=SLOW)
    with running(place.begin()) as begun:
        assert place.wait_for_stage("pull")
        taken = ["socat", "tcp-listen:25,fork,reuseaddr", "exec:/bin/true"]
        with running(place.machine.start(taken)):
            assert wait_until(lambda: ":25 " in place.machine.run(["ss", "-Hltn"]).stdout, 10)
            place.faults()
            assert begun.wait(120) == 1
    stands = place.standing()
    assert place.stages()["up"] == "failed"
    assert "socat is listening on port 25" in str(stands["error"])
    assert "./wizard ack ports.smtp" in str(stands["remedies"])
    ends_alike(place, undisturbed)


def test_a_container_asks_for_more_files_than_there_may_be(
    place: Place, undisturbed: dict[str, object]
) -> None:
    """The file that lowers it is gone when containers are made; the next run writes it again."""
    place.faults(rate=SLOW)
    with running(place.begin()) as begun:
        assert place.wait_for_stage("pull")
        (place.directory / "docker-compose.override.yml").unlink()
        place.faults()
        assert begun.wait(120) == 1
    assert "a container wants more open files than this machine allows" in str(place.standing()["error"])
    assert place.stages()["override"] == "waiting"
    ends_alike(place, undisturbed)


def test_what_does_not_become_healthy_is_named(place: Place, undisturbed: dict[str, object]) -> None:
    """It is looked after while the install waits: mended meanwhile, no second run is needed."""
    place.faults(rate=SLOW)
    with running(place.begin()) as begun:
        assert place.wait_for_stage("pull")
        (place.directory / "data/broken").touch()
        place.faults()
        assert wait_until(lambda: "unbound: unhealthy" in place.log.read_text(), 60)
        (place.directory / "data/broken").unlink()
        assert begun.wait(120) in (0, 2, 3), place.log.read_text()[-2000:]
    assert "no pong came back" in place.log.read_text()
    assert place.look() == undisturbed
