"""The one-file build: the wizard and the packages that it runs with, all pure Python, as one zip file.

The same file whenever and wherever it is made: fixed order, times and modes; every file of another package
is held to the hash that its wheel came with.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import lzma
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator

from mailcow_wizard import __version__
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.one_file.cache import LICENCES
from mailcow_wizard.patterns import pattern

# Without what Textual shows Markdown with: the wizard has none, and over a slow line it takes a second.
PACKAGES = (
    "dnspython",
    "platformdirs",
    "pygments",
    "rich",
    "textual",
    "tomli",
    "typing-extensions",
)
# Six hundred languages that no screen colours, other people's programs, and grammars for a C extension.
_LEFT_OUT = pattern(
    r"pygments/(lexers/(?!__init__|_mapping|special|text\.py|python\.py)|formatters/(?!__init__|_mapping)"
    r"|styles/(?!__init__|_mapping|default))|textual/(demo|tree-sitter)/|.*/__pycache__/|\.\./"
)
_LICENCE = pattern(r"(?P<package>[^/]+)-[^/-]+\.dist-info/(?:licenses/)?(?P<file>.*LICENSE[^/]*)")
_SHEBANG = b"#!/usr/bin/env python3\n"
_PARTS = ("entry", "cache", "unpack", "far")
_BESIDE = pattern(r"from mailcow_wizard\.host\.one_file import (\w+) as one_file_\1")
_EARLIEST = (1980, 1, 1, 0, 0, 0)
# Source text has no alignment, and much that only the characters before it foretell.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 4, "lp": 0, "pb": 0}]


def build() -> bytes:
    """The file. Raises HostError where a package is missing, or is not as its wheel was."""
    running = _running()
    if running:
        return running
    code = _code()
    made = io.BytesIO(_SHEBANG)
    made.seek(0, io.SEEK_END)
    with zipfile.ZipFile(made, "a") as archive:
        for part in _PARTS:
            source = _source(part)
            if part == "entry":
                source = source.replace('CODE = ""', f'CODE = "{hashlib.sha256(code).hexdigest()}"')
                source = source.replace('VERSION = ""', f'VERSION = "{__version__}"')
                _add(archive, "__main__.py", b"from one_file_entry import main\n\nmain()\n")
            _add(archive, f"one_file_{part}.py", source.encode())
        _add(archive, "code.tar.xz", code)
    return made.getvalue()


def write(path: str) -> int:
    """Makes the file at this place, for everybody to run; its size. Raises HostError."""
    data = build()
    fresh = f"{path}.{os.getpid()}.new"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755)
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o755)
        os.rename(fresh, path)
    except OSError as error:
        if os.path.lexists(fresh):
            os.unlink(fresh)
        raise HostError(f"{path} could not be written: {error.strerror}") from None
    return len(data)


def _running() -> bytes:
    """The one file that runs now; empty where it is no such file that runs."""
    archive = getattr(getattr(sys.modules["__main__"], "__loader__", None), "archive", "")
    if not archive:
        return b""
    try:
        with open(archive, "rb") as file:
            return file.read()
    except OSError as error:
        raise HostError(f"{archive} cannot be read: {error.strerror}") from None


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    about = zipfile.ZipInfo(name, _EARLIEST)
    about.create_system = 3
    about.external_attr = 0o644 << 16
    archive.writestr(about, data)


def _source(part: str) -> str:
    """One of the modules that are in the file itself; there they have no package around them, but its name in
    theirs."""
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, f"{part}.py"), encoding="utf-8") as file:
        source = file.read()
    source = _BESIDE.sub(r"import one_file_\1", source)
    return source.replace("from mailcow_wizard.host.one_file.", "from one_file_")


def _code() -> bytes:
    files = dict(_own())
    for package in PACKAGES:
        files.update(_of(package))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            about = tarfile.TarInfo(name)
            about.size = len(files[name])
            archive.addfile(about, io.BytesIO(files[name]))
    return lzma.compress(packed.getvalue(), check=lzma.CHECK_CRC64, filters=_FILTERS)


def _own() -> Iterator[tuple[str, bytes]]:
    """The files of the wizard itself."""
    root = os.path.abspath(os.path.join(__file__, "../../../.."))
    for folder, folders, names in os.walk(os.path.join(root, "mailcow_wizard")):
        folders[:] = [one for one in folders if one != "__pycache__"]
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith((".pyc", ".po")):
                with open(path, "rb") as file:
                    yield os.path.relpath(path, root), file.read()


def _of(package: str) -> Iterator[tuple[str, bytes]]:
    """The files of another package that are needed to run, and its licence."""
    try:
        files = importlib.metadata.distribution(package).files or []
    except importlib.metadata.PackageNotFoundError:
        raise HostError(f"the package {package} is not installed; start ./wizard once") from None
    for one in files:
        name = str(one)
        licence = _LICENCE.fullmatch(name)
        if licence:
            name = f"{LICENCES}/{package}/{licence['file']}"
        elif ".dist-info/" in name or _LEFT_OUT.match(name) or name.endswith((".so", ".pyc")):
            continue
        data = one.locate().read_bytes()  # type: ignore[attr-defined,unused-ignore]
        if not one.hash or one.hash.value != _hash(data, one.hash.mode):
            raise HostError(f"{one} is not as it was installed; remove .venv and start ./wizard again")
        yield name, data


def _hash(data: bytes, mode: str) -> str:
    return base64.urlsafe_b64encode(hashlib.new(mode, data).digest()).decode().rstrip("=")
