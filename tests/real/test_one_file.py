"""The one-file build: the same whenever it is made, alone enough, and safe against other users."""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from mailcow_wizard.host.one_file.build import PACKAGES
from mailcow_wizard.host.reach import ssh
from supply import lock
from tests.real.launcher import ROOT, VERSION, copy_checkout, need_root
from tests.real.one_file import build, in_a_cache_of_its_own

pytestmark = [pytest.mark.real, pytest.mark.slow]
LOOK = "check ports.smtp --demo --plain"
SEEN = "FAIL     ports.smtp: exim4 is listening on 127.0.0.1:25 (process 812, unit exim4.service)"


@pytest.fixture(scope="module")
def code(one_file: Path) -> dict[str, bytes]:
    """The files that it unpacks."""
    with zipfile.ZipFile(one_file) as archive:
        packed = BytesIO(lzma.decompress(archive.read("code.tar.xz")))
    with tarfile.open(fileobj=packed) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]


def test_it_is_the_same_whenever_and_wherever_it_is_made(one_file: Path, tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "else where")
    for path in checkout.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = build(tmp_path / "again.pyz", 0o077, checkout, zone="Asia/Tokyo")
    assert again.read_bytes() == one_file.read_bytes()
    # The other one was made with an umask of 0.
    assert [one.stat().st_mode & 0o777 for one in (again, one_file)] == [0o755, 0o755]


def test_nobody_else_can_change_what_is_unpacked_whatever_the_umask(one_file: Path, tmp_path: Path) -> None:
    above = tmp_path / "home" / "cache"
    script = "umask 000; XDG_CACHE_HOME=$1 exec python3 -I -S $0 check --list --plain >/dev/null"
    user = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    need_root()
    for place in (tmp_path, *tmp_path.parents[:3], one_file.parent, *one_file.parent.parents[:3]):
        if place != Path("/tmp"):
            place.chmod(place.stat().st_mode | 0o011)
    os.chown(tmp_path, 12345, 12345)
    for _ in range(2):
        subprocess.run([*user, "sh", "-c", script, one_file, above], check=True)
    (kept,) = [one.name for one in above.iterdir()]
    assert kept == "mailcow-wizard"
    assert not [one for one in (above.parent, *above.parent.rglob("*")) if one.lstat().st_mode & 0o022]


def test_it_makes_itself(one_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.pyz"
    subprocess.run([sys.executable, one_file, "build", target], check=True, stdout=subprocess.DEVNULL)
    assert target.read_bytes() == one_file.read_bytes()
    assert os.access(target, os.X_OK)


def test_it_holds_what_it_needs_and_no_machine_code(code: dict[str, bytes]) -> None:
    markdown = {"linkify-it-py", "markdown-it-py", "mdit-py-plugins", "mdurl"}
    assert {one.name for one in lock.read(ROOT)} == {*PACKAGES, *markdown, "flit-core"}
    for package in PACKAGES:
        assert any(name.startswith(f"licenses/{package}/") for name in code), package
    assert not [name for name in code if name.endswith((".so", ".pyc", ".po"))]
    assert not [one for one in code.values() if one.startswith(b"\x7fELF")]
    wanted = {str(one.relative_to(ROOT)) for one in ROOT.glob("mailcow_wizard/**/*") if one.is_file()}
    wanted = {one for one in wanted if "__pycache__" not in one and not one.endswith(".po")}
    assert {name for name in code if name.startswith("mailcow_wizard/")} == wanted


def test_a_changed_package_is_not_taken(tmp_path: Path) -> None:
    import platformdirs

    copy = tmp_path / "site"
    shutil.copytree(
        Path(platformdirs.__file__).parents[1], copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    changed = copy / "platformdirs" / "__init__.py"
    changed.write_text(changed.read_text() + "\nchanged = True\n")
    program = (
        f"import sys; sys.path[:0] = [{str(copy)!r}, {str(ROOT)!r}]\n"
        "from mailcow_wizard.host.one_file import build; build.build()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "platformdirs/__init__.py is not as it was installed" in done.stderr


@pytest.mark.long
def test_every_module_can_be_imported_without_any_package(code: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in code.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    program = f"""if True:
        import importlib, pkgutil, sys
        sys.path.insert(0, {str(tmp_path)!r})
        import mailcow_wizard
        for one in pkgutil.walk_packages(mailcow_wizard.__path__, "mailcow_wizard."):
            if ".ansible" not in one.name and not one.name.endswith(("__main__", "one_file_far")):
                importlib.import_module(one.name)
        outside = [n for n, m in sys.modules.items() if "-packages" in (getattr(m, "__file__", "") or "")]
        print(outside)
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def pythons() -> list[str]:
    """The newest of each Python that is here."""
    found = {}
    for minor in range(10, 15):
        places = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"))
        path = str(places[-1]) if places else shutil.which(f"python3.{minor}")
        if path:
            found[minor] = path
    return list(found.values())


@pytest.mark.parametrize("python", pythons())
def test_each_python_runs_it(one_file: Path, python: str) -> None:
    need_root()
    script = f"""
    python3() {{ {python} "$@"; }}
    wizard --version; wizard {LOOK}; ls /var/cache/mailcow-wizard | wc -l
    """
    done = in_a_cache_of_its_own(script, one_file)
    assert done.stdout.splitlines() == [VERSION, SEEN, "1 fail", "1"], done.stderr


def test_a_version_that_cannot_be_written_ends_as_any_output_does(one_file: Path) -> None:
    ran = in_a_cache_of_its_own(
        """wizard --version >/dev/full; echo "full $?"; wizard --version >&-; echo "closed $?"
        { wizard --version; echo "gone $?" >&2; } | :""",
        one_file,
    )
    said = "mailcow-wizard: the output could not be written: "
    assert ran.stdout.splitlines() == ["full 74", "closed 74"]
    assert ran.stderr.splitlines() == [f"{said}No space left on device", f"{said}it is closed", "gone 0"]


def test_without_root_it_is_unpacked_where_the_user_caches(one_file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are root's alone
        Path(folder).chmod(0o755)
        _without_root(one_file, Path(folder))


def _without_root(one_file: Path, folder: Path) -> None:
    file, cache = folder / "wizard.pyz", folder / "cache"
    shutil.copy(one_file, file)
    cache.mkdir()
    who: list[str] = []
    if os.geteuid() == 0:
        os.chown(cache, 65534, 65534)
        who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    python = shutil.which("python3", path="/usr/bin") or sys.executable  # one that others may run
    line = [*who, "env", f"XDG_CACHE_HOME={cache}", python, "-I", "-S", str(file), *LOOK.split()]
    for _ in range(2):
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")
        assert done.stdout.splitlines() == [SEEN, "1 fail"], done.stderr
        assert len(os.listdir(cache / "mailcow-wizard")) == 1


def test_an_old_python_is_told(one_file: Path) -> None:
    old = next(iter(sorted(Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python3"))), None)
    if old is None:
        pytest.skip("no older Python here")
    done = subprocess.run([old, one_file, "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "needs Python 3.10 or newer" in done.stderr
    assert "dnf install python3.11" in done.stderr, "it says what to do"
    # The same on a server that --ssh leads to: this one is passed over.
    for python, code in ((old, 1), (sys.executable, 0)):
        assert subprocess.run([python, "-I", "-c", ssh._FITS], check=False).returncode == code


def test_a_python_without_lzma_is_told(one_file: Path, tmp_path: Path) -> None:
    need_root()
    (tmp_path / "lzma.py").write_text("import _lzma_of_a_python_that_has_none\n")
    python = f'python3() {{ shift; env PYTHONPATH={tmp_path} python3 "$@"; }}'  # not isolated
    done = in_a_cache_of_its_own(f"{python}\nwizard {LOOK}; echo $?", one_file)
    assert done.stdout == "64\n"
    assert done.stderr.startswith("mailcow-wizard: this Python lacks the module _lzma_of_a_python")


UNSAFE = {
    "another user's": "mkdir $place; chown 65534 $place",
    "open to all": "mkdir -m 777 $place",
    "readable by all": "mkdir -m 755 $place",
    "a link": "mkdir -m 700 /var/cache/other; ln -s other $place",
    "below what all may write": "chmod 777 /var/cache",
    "a file": ": >$place",
}


@pytest.mark.parametrize("what", UNSAFE)
def test_code_that_others_can_write_is_not_run(one_file: Path, what: str) -> None:
    need_root()
    script = f"""
    place=/var/cache/mailcow-wizard; export TMPDIR=/var/tmp; mount -t tmpfs -o mode=1777 tmpfs $TMPDIR
    {UNSAFE[what]}
    wizard {LOOK}
    find -L $place -mindepth 1 | wc -l
    find $TMPDIR -mindepth 1 -maxdepth 1 -printf '%m %u\\n'
    """
    done = in_a_cache_of_its_own(script, one_file)
    assert done.stdout.splitlines() == [SEEN, "1 fail", "0", "700 root"], done.stderr


@pytest.mark.parametrize("theirs", ["chown 12345 $TMPDIR", "chmod 777 $TMPDIR", "chown 12345 $TMPDIR/.."])
def test_nor_does_it_lie_in_a_directory_for_files_that_is_another_users(one_file: Path, theirs: str) -> None:
    """As TMPDIR is that `su` took over: who may rename the code's directory puts another in its place."""
    need_root()
    script = f"""
    cd /; mount -t tmpfs tmpfs /mnt; cp {one_file} /mnt/wizard.pyz; mount -o remount,ro /var/cache
    for place in /var/tmp /tmp; do mount -t tmpfs -o mode=1777 tmpfs $place; done
    export TMPDIR=/var/tmp/user/tmp; mkdir -p $TMPDIR; {theirs}
    wizard {LOOK}
    find $TMPDIR -mindepth 1 | wc -l
    find /tmp -mindepth 1 -maxdepth 1 -name 'mailcow-wizard-*' -printf '%m %u\\n'
    """
    done = in_a_cache_of_its_own(script, Path("/mnt/wizard.pyz"))
    assert done.stdout.splitlines() == [SEEN, "1 fail", "0", "700 root"], done.stderr


def test_where_only_run_can_be_written_it_lies_there(one_file: Path) -> None:
    """As in a container whose file system is read-only."""
    need_root()
    script = f"""
    mount -t tmpfs tmpfs /run; cp {one_file} /run/wizard.pyz; cd /proc
    for place in /var/cache /var/tmp /tmp; do mount -t tmpfs -o ro tmpfs $place; done
    [ -w /usr/tmp ] && mount -t tmpfs -o ro tmpfs /usr/tmp
    wizard {LOOK}
    find /run -mindepth 1 -maxdepth 1 -name 'mailcow-wizard-*' -printf '%m %u\\n'
    """
    done = in_a_cache_of_its_own(script, Path("/run/wizard.pyz"))
    assert done.stdout.splitlines() == [SEEN, "1 fail", "700 root"], done.stderr


def test_where_this_user_is_root_and_the_machines_is_nobody(one_file: Path) -> None:
    """As in a namespace of a user's own: / is nobody's there."""
    need_root()
    for place in (one_file.parent, *one_file.parent.parents[:3]):
        if place != Path("/tmp"):
            place.chmod(place.stat().st_mode | 0o011)
    lines = f"mount -t tmpfs tmpfs /var/tmp && TMPDIR=/var/tmp python3 -I -S {one_file} check --list --plain"
    user = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    argv = [*user, "unshare", "-Urm", "sh", "-c", lines]
    done = subprocess.run(argv, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr:
        pytest.skip("a user may make no namespace here")
    assert done.returncode == 0, done.stderr
    assert "ports.smtp" in done.stdout


def test_it_is_unpacked_once_and_what_is_old_goes(one_file: Path) -> None:
    need_root()
    script = f"""
    wizard {LOOK}; cd /var/cache/mailcow-wizard
    mkdir of-another-boot .new-half; touch -d '2 hours ago' .new-half
    mkdir .new-by-another; code=$(ls | grep -v boot$); stat -c %i-%a $code
    wizard {LOOK}; stat -c %i-%a $code
    rm -r $code; wizard {LOOK}; ls -A | sort; ls $code/mailcow_wizard/__pycache__ | wc -l
    wizard {LOOK} & wizard {LOOK} & rm -r $code; wait; ls -A | wc -l
    """
    done = in_a_cache_of_its_own(script, one_file)
    lines = [one for one in done.stdout.splitlines() if one not in (SEEN, "1 fail")]
    assert done.stdout.count(SEEN) >= 3, done.stderr
    first, second, *names, compiled, left = lines
    assert first == second
    assert first.endswith("-700")
    assert len(names) == 2
    assert names[0] == ".new-by-another"
    assert int(compiled) > 3
    assert int(left) <= 2
