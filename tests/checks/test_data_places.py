"""system.disk and system.inodes where Docker's images lie on another file system than its data root."""

import pytest

from mailcow_wizard.checks import storage as storage_judges
from mailcow_wizard.facts.data_places import DiskSpace, ImageStore
from mailcow_wizard.facts.storage import DataRoot
from mailcow_wizard.host.door import Space

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
