"""system.disk and system.inodes where Docker's images lie on another file system than its data root."""

import pytest

from mailcow_wizard.checks import storage as storage_judges
from mailcow_wizard.facts.data_places import DiskSpace, ImageStore, disk
from mailcow_wizard.facts.storage import DataRoot
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Space
from mailcow_wizard.model import Settings
from tests.docker_machine import MAILCOW, DockerHost

GIB = 1 << 30
ROOT = DataRoot("/data/docker", "/data/docker", "")


@pytest.mark.parametrize(
    ("free", "foreseen", "status", "severity", "certainty"),
    [
        (5 * GIB, False, "pass", None, "proved"),
        (5 * GIB - 1, False, "fail", "blocks", "proved"),
        (5 * GIB - 1, True, "warn", None, "inferred"),
        (5 * GIB, True, "pass", None, "proved"),
    ],
)
def test_images_apart_from_the_data_root(
    free: int, foreseen: bool, status: str, severity: str | None, certainty: str
) -> None:
    images = ImageStore("/var/lib/containerd", "/var/lib", Space(free, 8 * GIB, 400_000, 500_000), foreseen)
    judgement = storage_judges.judge_disk(DiskSpace(ROOT, Space(500 * GIB, 900 * GIB, 9, 9), images))
    assert (judgement.status, judgement.severity, judgement.certainty) == (status, severity, certainty)
    if status != "pass":
        assert "/var/lib, where /var/lib/containerd will be" in judgement.summary
        assert any("/etc/containerd/config.toml" in one for one in judgement.remedies)
    full = DiskSpace(ROOT, Space(GIB, 900 * GIB, 9, 9), images)
    assert "/data/docker" in storage_judges.judge_disk(full).summary


def test_a_disk_that_runs_full_under_a_running_mailcow() -> None:
    """Its images are there; another data root would be an empty one, and its old images have names."""
    full = DiskSpace(ROOT, Space(4 * GIB, 900 * GIB, 9, 9))
    assert "images alone need 5 GiB" in storage_judges.judge_disk(full).summary
    said = storage_judges.judge_disk(full._replace(mailcow=True))
    assert (said.status, said.severity) == ("fail", "blocks")
    assert said.summary.endswith("once it is full, no mail is taken in, and the database stops")
    assert "`./update.sh --gc`" in said.remedies[0]
    for free in (4 * GIB, 15 * GIB):
        known = full._replace(space=Space(free, 900 * GIB, 9, 9), mailcow=True)
        assert 'root"' not in " ".join(storage_judges.judge_disk(known).remedies)


def test_images_apart_that_run_full_under_a_running_mailcow() -> None:
    images = ImageStore("/var/lib/containerd", "/var/lib/containerd", Space(GIB, 8 * GIB, 9, 9), False)
    disk = DiskSpace(ROOT, Space(500 * GIB, 900 * GIB, 9, 9), images)
    assert "which need 5 GiB" in storage_judges.judge_disk(disk).summary
    said = storage_judges.judge_disk(disk._replace(mailcow=True))
    assert said.summary.endswith("for images: an update brings new ones beside the old")
    assert "`./update.sh --gc`" in said.remedies[0]
    assert "config.toml" not in " ".join(said.remedies)


def test_whether_mailcow_has_data_there_is_seen() -> None:
    volumes = {
        "Volumes": [{"Name": "mcprod_mysql-vol-1", "Labels": {"com.docker.compose.project": "mcprod"}}]
    }
    spaces = {"/var/lib/docker": Space(GIB, 9 * GIB, 9, 9)}
    checkout = {f"{MAILCOW}/docker-compose.yml": ""}
    for listed, files, there in (
        (volumes, checkout, (True, False)),
        (volumes, {}, (False, True)),
        ({"Volumes": []}, checkout, (False, False)),
    ):
        found = Facts(DockerHost({"/volumes": listed}, files=files, spaces=spaces), Settings()).get(disk)
        assert (found.mailcow, found.left_over) == there


def test_a_database_of_a_mailcow_that_is_gone_is_no_mailcow_that_is_there() -> None:
    """Nobody takes in mail, no checkout has an update.sh; and its data stay where they are."""
    left = DiskSpace(ROOT, Space(4 * GIB, 900 * GIB, 9, 10**6), left_over=True)
    said = storage_judges.judge_disk(left)
    assert "images alone need 5 GiB" in said.summary
    for words in (said, storage_judges.judge_inodes(left)):
        assert "update.sh" not in " ".join(words.remedies)
        assert "Put Docker's data" not in " ".join(words.remedies)


def test_inodes_that_run_out_under_a_running_mailcow_move_no_data() -> None:
    few = DiskSpace(ROOT, Space(400 * GIB, 900 * GIB, 9, 10**6))
    assert "Put Docker's data" in storage_judges.judge_inodes(few).remedies[-1]
    said = " ".join(storage_judges.judge_inodes(few._replace(mailcow=True)).remedies)
    assert "Put Docker's data" not in said
    assert "`./update.sh --gc`" in said


@pytest.mark.parametrize(
    ("free", "foreseen", "status"),
    [
        (199_999, False, "warn"),
        (199_999, True, "warn"),
        (0, False, "fail"),
        (0, True, "warn"),
        (200_000, False, "pass"),
    ],
)
def test_inodes_for_images_apart_from_the_data_root(free: int, foreseen: bool, status: str) -> None:
    images = ImageStore("/var/lib/containerd", "/var/lib", Space(9 * GIB, 9 * GIB, free, 500_000), foreseen)
    judgement = storage_judges.judge_inodes(DiskSpace(ROOT, Space(GIB, GIB, 10**6, 10**7), images))
    assert judgement.status == status
    assert ("/var/lib/containerd" in judgement.summary) == (status != "pass")


@pytest.mark.parametrize(
    ("here", "total", "images", "foreseen", "status", "place"),
    [
        (0, 10**6, 100_000, False, "fail", "/data/docker"),
        (0, 10**6, 0, True, "fail", "/data/docker"),
        (100, 10**6, 0, False, "fail", "/var/lib/containerd"),
        (50_000, 10**6, 60_000, False, "warn", "/data/docker"),
        (0, 0, 0, False, "fail", "/var/lib/containerd"),
    ],
)
def test_where_files_run_out_first_leads(
    here: int, total: int, images: int, foreseen: bool, status: str, place: str
) -> None:
    store = ImageStore("/var/lib/containerd", "/var/lib/containerd", Space(GIB, GIB, images, 10**6), foreseen)
    found = storage_judges.judge_inodes(DiskSpace(ROOT, Space(GIB, GIB, here, total), store))
    assert (found.status, place in found.summary) == (status, True), found.summary


def test_logs_of_containers_may_fill_the_disk() -> None:
    """Docker keeps all that they write, unless it is told otherwise; before there is any, nothing is said."""
    little = Space(3 * GIB, 100 * GIB, 1, 1)
    found = storage_judges.judge_disk(DiskSpace(ROOT, little))
    assert f"du -sh {ROOT.path}/containers" in found.remedies[-1]
    assert '"log-opts": {"max-size": "50m", "max-file": "3"}' in found.remedies[-1]
    later = storage_judges.judge_disk(DiskSpace(ROOT._replace(existing="/data"), little))
    assert not any("containers" in one for one in later.remedies)
