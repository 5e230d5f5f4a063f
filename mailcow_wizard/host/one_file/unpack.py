"""In the one-file build: unpacks the wizard's code, for this boot or for one run."""

import contextlib
import io
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
import time

from mailcow_wizard.host.one_file.cache import is_ours, temporary

CODE = "code.tar.xz"
_ABANDONED_S = 3600.0
_NEW = ".new-"


def unpacked(place: str, name: str) -> str:
    """The directory with the code, in the user's cache; where there is none, a temporary one that is left."""
    if sys.stderr.isatty():
        sys.stderr.write("mailcow-wizard: unpacking (once)…\n")
    if place:
        try:
            return _into(place, name)
        except OSError:
            pass
    directory = tempfile.mkdtemp(prefix="mailcow-wizard-", dir=temporary())
    try:
        unpack(directory)
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        sys.stderr.write(f"mailcow-wizard: it could not be unpacked into {directory}: {error.strerror}\n")
        sys.exit(73)
    return directory


def _into(place: str, name: str) -> str:
    """Whole or not at all: unpacked beside its place and renamed, whoever else does the same meanwhile."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(place, 0o700)
    if not is_ours(os.path.join(place, ".")):
        raise PermissionError
    _sweep(place, name)
    fresh = tempfile.mkdtemp(prefix=_NEW, dir=place)
    target = os.path.join(place, name)
    try:
        unpack(fresh)
        os.rename(fresh, target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not is_ours(target):
            raise
    return target


def _sweep(place: str, name: str) -> None:
    """Removes what earlier boots unpacked, and what was left half done."""
    boot = name.partition("-")[2]
    for entry in os.scandir(place):
        with contextlib.suppress(OSError):
            fresh = entry.name.startswith(_NEW)
            old = entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED_S
            if old if fresh else not entry.name.endswith(boot):
                shutil.rmtree(entry.path)


def unpack(directory: str) -> None:
    """Writes all files of the code into an empty directory of ours."""
    before = os.umask(0o077)
    try:
        # The loader of this very file: the archive may be renamed or replaced while it runs.
        data = __loader__.get_data(os.path.join(__loader__.archive, CODE))  # type: ignore[name-defined]
        made = set()
        with tarfile.open(fileobj=io.BytesIO(lzma.decompress(data))) as archive:
            for member in archive:
                path = os.path.join(directory, member.name)
                above = os.path.dirname(path)
                if above not in made:
                    os.makedirs(above, exist_ok=True)
                    made.add(above)
                with open(path, "wb") as file:
                    file.write(archive.extractfile(member).read())  # type: ignore[union-attr]
    finally:
        os.umask(before)
