"""Docker's data root: where it is, how much room there is, which mount holds it."""

import pytest

from mailcow_wizard.checks import storage as storage_checks
from mailcow_wizard.facts import data_places, storage
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.replies import Space
from tests.docker_machine import DockerHost
from tests.fake_host import FakeHost
from tests.judged import look

MOUNTINFO = """22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 27 8:2 / /var rw,noexec,relatime shared:2 - xfs /dev/sda2 rw,attr2
31 30 8:3 / /var/lib/docker\\040data rw - ext4 /dev/sda3 rw
32 27 8:4 / /srv rw - ext4 /dev/sda4 rw
33 32 8:5 / /srv ro,nodev - btrfs /dev/sda5 rw,subvol=/
"""
ROOM = Space(50 << 30, 100 << 30, 1000, 2000)
EMPTY = {"/": ROOM, "/var/lib": ROOM}


def root_of(daemon_json: str | None, **more: str) -> storage.DataRoot:
    files: dict[str, str | bytes | HostError] = {"/var/lib/": ""}
    if daemon_json is not None:
        files[storage.DAEMON_JSON] = daemon_json
    return Facts(FakeHost(files, spaces={"/": ROOM})).get(storage.data_root)


@pytest.mark.parametrize(
    ("daemon_json", "path", "said"),
    [
        (None, "/var/lib/docker", ""),
        ("{}", "/var/lib/docker", ""),
        ("", "/var/lib/docker", "is empty"),
        ('{"data-root": "/data/docker/"}', "/data/docker", "set in"),
        ('{"graph": "/old"}', "/old", "set in"),
        ('{"graph": "/old", "data-root": "/new//x"}', "/new/x", "set in"),
        ('{"data-root": "/"}', "/", "set in"),
        ('{"data-root": ""}', "/var/lib/docker", ""),
        ('\ufeff{"data-root": "/data"}', "/data", "set in"),
    ],
)
def test_the_configured_root(daemon_json: str | None, path: str, said: str) -> None:
    root = root_of(daemon_json)
    assert root.path == path
    assert said in root.note
    assert said or not root.note
    assert root.assumed == (said not in ("", "set in"))


@pytest.mark.parametrize(
    ("daemon_json", "said"),
    [
        ('{"data-root": "/data",}', "not valid JSON"),
        ("\0\0", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no settings"),
        ('{"data-root": "relative"}', "no absolute path"),
        ('{"data-root": 5}', "no absolute path"),
        ('{"data-root": 0}', "no absolute path"),
        ('{"data-root": "/a\\u0000b"}', "no absolute path"),
    ],
)
def test_a_file_that_makes_no_sense_leaves_the_root_unknown(daemon_json: str, said: str) -> None:
    with pytest.raises(HostError, match=f"{said}.*not known"):
        root_of(daemon_json)


@pytest.mark.parametrize("path", ["/var/lib/docker", "/var/lib"])
def test_a_file_in_the_place_of_the_root(path: str) -> None:
    facts = Facts(FakeHost({path: "", storage.MOUNTINFO: MOUNTINFO}, spaces={"/": ROOM}))
    for check in (storage_checks.DISK, storage_checks.INODES, storage_checks.MOUNTS):
        said = look(check, facts)
        assert (said.status, said.severity) == ("fail", "blocks")
        assert path in said.summary
        assert "is a file, not a directory: Docker cannot start" in said.summary


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [
        ("tmpfs", "rw", "warn"),
        ("tmpfs", "rw,nosuid,nodev", "warn"),
        ("ramfs", "rw", "warn"),
        ("ext4", "rw", "pass"),
    ],
)
def test_a_root_in_memory(kind: str, options: str, status: str) -> None:
    """Most that is in memory is mounted nodev besides, which matters less."""
    mounts = f"{MOUNTINFO}40 27 0:9 / /var/lib/docker {options} - {kind} x rw\n"
    facts = Facts(FakeHost({"/var/lib/docker/": "", storage.MOUNTINFO: mounts}))
    said = look(storage_checks.MOUNTS, facts)
    assert said.status == status
    assert ("gone at the next boot" in said.summary) is (kind != "ext4")


def test_the_nearest_directory_that_exists() -> None:
    host = FakeHost(
        {"/var/lib/": "", storage.DAEMON_JSON: '{"data-root": "/mnt/a/b"}'}, spaces={"/mnt": ROOM}
    )
    assert Facts(host).get(storage.data_root).existing == "/mnt"
    assert Facts(FakeHost({"/var/lib/": ""})).get(storage.data_root).existing == "/var/lib"
    assert Facts(FakeHost({"/var/lib/docker/": ""})).get(storage.data_root).existing == "/var/lib/docker"
    assert Facts(FakeHost()).get(storage.data_root).existing == "/"


def test_a_link_that_leads_nowhere_is_not_skipped() -> None:
    with pytest.raises(HostError, match="leads nowhere"):
        Facts(FakeHost(links={"/var/lib/docker": "/gone"})).get(storage.data_root)


def test_what_may_not_be_read_is_not_taken_for_absent() -> None:
    for path in (storage.DAEMON_JSON, "/var/lib"):
        with pytest.raises(Denied):
            Facts(FakeHost({path: Denied("no")})).get(storage.data_root)


def test_the_space_of_the_nearest_file_system() -> None:
    small = ROOM._replace(free=7)
    host = FakeHost({"/var/lib/": ""}, spaces={"/": ROOM, "/var": small})
    assert Facts(host).get(data_places.disk).space == small


def test_a_file_system_without_size_is_not_a_full_one() -> None:
    with pytest.raises(HostError, match="does not tell its size"):
        Facts(FakeHost(spaces={"/": Space(0, 0, 0, 0)})).get(data_places.disk)


def mount_of(data_root: str, links: dict[str, str] | None = None) -> storage.Mount:
    files: dict[str, str | bytes | HostError] = {
        storage.MOUNTINFO: MOUNTINFO,
        storage.DAEMON_JSON: f'{{"data-root": "{data_root}"}}',
        "/var/lib/docker data/": "",
        "/var/lib/docker/": "",
        "/srv/": "",
        "/variety/": "",
    }
    mount = Facts(FakeHost(files, links=links)).get(data_places.root_mount).mount
    assert mount is not None
    return mount


@pytest.mark.parametrize(
    ("data_root", "point", "option"),
    [
        ("/var/lib/docker", "/var", "noexec"),
        ("/var/lib/docker data/x", "/var/lib/docker data", "rw"),
        ("/srv/docker", "/srv", "nodev"),
        ("/variety/x", "/", "relatime"),
        ("/new", "/", "relatime"),
    ],
)
def test_the_mount_with_the_longest_prefix(data_root: str, point: str, option: str) -> None:
    mount = mount_of(data_root)
    assert mount.point == point
    assert option in mount.options


def test_links_are_followed_to_the_mount() -> None:
    assert mount_of("/link/docker", {"/link": "/srv"}).point == "/srv"


def test_both_kinds_of_options() -> None:
    mount = mount_of("/srv/docker")
    assert "ro" in mount.options
    assert mount.super_options == {"rw", "subvol=/"}
    assert mount.kind == "btrfs"


@pytest.mark.parametrize("text", ["", "garbage\n", "1 2 3 / relative rw - ext4 x rw\n", " - \n" * 1000])
def test_mounts_that_cannot_be_read(text: str) -> None:
    with pytest.raises(HostError, match="lists no mounts"):
        storage.parse_mountinfo(text)


def test_a_machine_whose_mounts_do_not_hold_the_root() -> None:
    text = "22 27 0:21 / /proc rw - proc proc rw\n"
    with pytest.raises(HostError, match="has no mount that holds"):
        Facts(FakeHost({storage.MOUNTINFO: text})).get(data_places.root_mount)


TOML = "version = 3\n# root = '/no'\nroot = \"/data/containerd/\"\n[grpc]\nroot = '/neither'\n"
SNAPSHOTS = [["driver-type", "io.containerd.snapshotter.v1"]]
PLACES = ("/data/docker/", "/data/containerd/", "/var/lib/docker/", "/var/lib/containerd/")
FULL = Space(1 << 30, 8 << 30, 100_000, 500_000)


@pytest.mark.parametrize(
    ("info", "files", "root", "images"),
    [
        ({"DockerRootDir": "/data/docker"}, {}, "/data/docker", None),
        ({"DriverStatus": SNAPSHOTS}, {}, "/var/lib/docker", None),
        (
            {"DriverStatus": SNAPSHOTS, "DockerRootDir": "/data/docker"},
            {},
            "/data/docker",
            "/var/lib/containerd",
        ),
        (
            {"DriverStatus": SNAPSHOTS},
            {data_places.CONTAINERD_TOML: TOML},
            "/var/lib/docker",
            "/data/containerd",
        ),
        (
            {
                "DriverStatus": SNAPSHOTS,
                "DockerRootDir": "/data/docker",
                "Containerd": {"Address": "/var/run/docker/containerd/containerd.sock"},
            },
            {},
            "/data/docker",
            None,
        ),
    ],
)
def test_the_running_engine_says_where_its_data_are(
    info: dict[str, object], files: dict[str, str], root: str, images: str | None
) -> None:
    said = {"DriverStatus": [["Backing Filesystem", "extfs"]], "DockerRootDir": "/var/lib/docker", **info}
    host = DockerHost(info=said, files={**dict.fromkeys(PLACES, ""), **files})
    host.spaces = {"/": FULL, "/data": ROOM}
    disk = Facts(host).get(data_places.disk)
    assert disk.root.path == root
    assert (disk.images.path if disk.images else None) == images
    assert not disk.images or not disk.images.foreseen


def test_before_docker_is_there_its_images_are_foreseen_on_the_other_disk() -> None:
    files = {storage.DAEMON_JSON: '{"data-root": "/data/docker"}', "/data/": "", "/var/lib/": ""}
    images = Facts(FakeHost(files, spaces={"/": FULL, "/data": ROOM})).get(data_places.disk).images
    assert images == data_places.ImageStore("/var/lib/containerd", "/var/lib", FULL, foreseen=True)
    assert Facts(FakeHost(files, spaces={"/": ROOM})).get(data_places.disk).images is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (TOML, "/data/containerd"),
        ("root='/x'", "/x"),
        ('root = "/"', "/"),
        ("", ""),
        ("[a]\nroot = '/x'", ""),
    ],
)
def test_the_root_in_containerds_settings(text: str, path: str) -> None:
    assert data_places.store_root(text) == path
