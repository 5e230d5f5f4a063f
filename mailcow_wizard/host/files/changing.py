"""The only thing that changes a machine: files, whole or not at all, and commands with streamed output."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.host.errors import Denied, HostError, Missing, TooLarge
from mailcow_wizard.host.files.state import flush_directory
from mailcow_wizard.host.files.trust import followed
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailcow_wizard.host.processes.doing import Setting

MOST_BYTES = 16 * MIB
"""A file that is larger is not edited."""

_NEW_DIRECTORY = 0o755
_LONGEST_NAME = 255
_ACL = "system.posix_acl_access"
_NO_ATTRIBUTES = (errno.ENOTSUP, errno.ENODATA, errno.EPERM, errno.EACCES)
_READ_ONLY = "is on a file system that is mounted read-only"
_SAID = {
    errno.ENOSPC: "cannot be written: its disk is full",
    errno.EDQUOT: "cannot be written: the disk quota is used up",
    errno.EROFS: _READ_ONLY,
    errno.EBUSY: "is a mount of its own and cannot be replaced as a whole",
    errno.ENAMETOOLONG: "has a name that is too long",
}
_FORBIDDEN = (errno.EACCES, errno.EPERM)


class CannotWrite(HostError):
    """Nothing was written; the text says what is in the way."""


class Changed(HostError):
    """A file is not what it was when the change was shown."""


class Seen(NamedTuple):
    """A file that can be edited: where it really lies, its content (None: no file), mode, owner and group."""

    path: str
    content: bytes | None
    mode: int
    uid: int
    gid: int


class Changing:
    """Changes this machine. Every method either does what it says or raises HostError and did nothing."""

    def __init__(self, proxies: Mapping[str, str] = MappingProxyType({})) -> None:
        """`proxies` are the variables that commands which download find in their environment."""
        self._proxies = proxies

    def look(self, path: str) -> Seen:
        """A file's content and who may do what with it, links followed. Raises HostError where it is no file
        that could be edited: a link that leads nowhere, a directory, more than MOST_BYTES."""
        try:
            target = followed(path)
            try:
                descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
            except FileNotFoundError:
                if target != path and os.path.islink(path):
                    raise CannotWrite(f"{path} is a link that leads nowhere ({target})") from None
                if os.path.lexists(target):
                    raise CannotWrite(f"{path} was made in this moment") from None
                return Seen(target, None, 0, 0, 0)
            try:
                return _look(descriptor, path, target)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def missing_directories(self, path: str) -> tuple[str, ...]:
        """The directories above a file that are not there yet, the outermost first. Raises HostError."""
        found: list[str] = []
        try:
            place = os.path.dirname(followed(path))
        except (OSError, ValueError) as error:
            raise _said(path, error) from None
        while place != "/" and not os.path.lexists(place):
            found.insert(0, place)
            place = os.path.dirname(place)
        return tuple(found)

    def real(self, path: str) -> str:
        """Where a path leads, links followed. Raises HostError."""
        try:
            return followed(path)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def names(self, path: str) -> int:
        """How many names (hard links) a file has; 0 where there is none. Raises HostError."""
        try:
            return os.stat(followed(path)).st_nlink
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def mode(self, path: str) -> int:
        """The mode of what is there, links followed; -1 where nobody can tell."""
        try:
            return stat.S_IMODE(os.stat(path).st_mode)
        except (OSError, ValueError):
            return -1

    def replace(
        self, path: str, before: bytes | None, after: bytes | None, new: Seen | None, tag: str
    ) -> None:
        """Makes a file's content `after` (None: removes it), in one step, on disk before this returns.

        `before` is what has to be there (else Changed). An existing file keeps its mode, owner, ACL and
        attributes; a new one gets mode and owner of `new`. `tag` is in the name of the part file that a
        killed run leaves behind, see `sweep`. Raises CannotWrite.
        """
        seen = self.look(path)
        if seen.content != before:
            raise Changed(f"{path} was changed since it was shown")
        try:
            if after is None:
                if before is not None:
                    os.unlink(seen.path)
                    flush_directory(os.path.dirname(seen.path))
                return
            _make_directories(self.missing_directories(path))
            _write(seen, after, new, tag, lambda: self._still(path, before))
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def _still(self, path: str, before: bytes | None) -> None:
        """Looks once more: somebody may have saved the file while we wrote beside it."""
        if self.look(path).content != before:
            raise Changed(f"{path} was changed since it was shown")

    def sweep(self, path: str, tag: str) -> None:
        """Removes the part file that a killed `replace` of this path and tag left behind, if there is one."""
        with contextlib.suppress(OSError, ValueError):
            os.unlink(_part(followed(path), tag))

    def remove_directories(self, paths: tuple[str, ...]) -> None:
        """Removes directories that a change made, the outermost first in `paths`, as far as empty."""
        for path in reversed(paths):
            with contextlib.suppress(OSError):
                os.rmdir(path)
                flush_directory(os.path.dirname(path))

    def run(
        self,
        argv: tuple[str, ...],
        timeout: float,
        listen: Callable[[str], None],
        mark: str,
        note: Callable[[int], None],
        setting: Setting | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> int:
        """Runs a command to its end; `listen` hears each line of its output, as it comes. Its exit code.

        The environment is ours, standard input is empty, and its end is not bound to ours: when this
        program is killed, an apt-get still does its work. `mark` is in its environment, and `note` hears its
        process's number before it begins. As soon as `stopped` says so it is ended (doing.Stopped). Raises
        NoAnswer past `timeout` seconds, and HostError where it cannot be started.
        """
        from mailcow_wizard.host.processes.commands import downloads
        from mailcow_wizard.host.processes.doing import Setting, run

        setting = setting or Setting()
        if downloads(argv):
            setting = setting._replace(variables={**self._proxies, **setting.variables})
        return run(argv, timeout, listen, mark, note, setting, stopped)

    def make_directory(self, path: str) -> None:
        """Makes a directory that everybody may look into; no fault where there is one. Raises HostError."""
        try:
            if not os.path.isdir(path):
                _make_directories((*self.missing_directories(path), path))
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def remove_tree(self, path: str) -> None:
        """Removes a directory of our own making with all that is in it, if it is there. Raises HostError."""
        import shutil

        try:
            if os.path.lexists(path):
                shutil.rmtree(path)
        except OSError as error:
            raise _said(path, error) from None

    def put_in_place(self, made: str, place: str) -> None:
        """Gives what was made its real name, in one step; an empty directory may be there already.
        Raises HostError."""
        try:
            os.sync()  # the name must not be on disk before what it names
            os.rename(made, place)
            flush_directory(os.path.dirname(place))
        except OSError as error:
            raise _said(place, error) from None

    def remove(self, path: str) -> None:
        """Removes a file of our own making, if it is there. Raises HostError."""
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
                flush_directory(os.path.dirname(path))
        except OSError as error:
            raise _said(path, error) from None

    def wait_for(self, pid: int, mark: str, seconds: float) -> None:
        """Waits for a command of a killed run (`note` heard its number), and ends it after that long. Raises
        Unending where it does not end even so."""
        from mailcow_wizard.host.processes.doing import wait_for

        wait_for(pid, mark, seconds)


def _look(descriptor: int, path: str, target: str) -> Seen:
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise CannotWrite(f"{path} is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise CannotWrite(f"{path} is not a file")
    if found.st_size > MOST_BYTES:
        raise TooLarge(f"{path} is larger than {MOST_BYTES:,} bytes")
    parts = []
    while part := os.read(descriptor, MIB):
        parts.append(part)
    return Seen(target, b"".join(parts), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)


def _make_directories(paths: tuple[str, ...]) -> None:
    for path in paths:
        os.mkdir(path, _NEW_DIRECTORY)
        os.chmod(path, _NEW_DIRECTORY)
        flush_directory(os.path.dirname(path))


def _part(target: str, tag: str) -> str:
    """The part file's path: beside the target, hidden, with a name that can be found again."""
    directory, name = os.path.split(target)
    end = f".{tag}.part"
    kept = os.fsencode(name)[: _LONGEST_NAME - 1 - len(end)]
    return os.path.join(directory, f".{os.fsdecode(kept)}{end}")


def _write(seen: Seen, data: bytes, new: Seen | None, tag: str, check: Callable[[], None]) -> None:
    part = _part(seen.path, tag)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if seen.content is not None:
                _like(file.fileno(), seen)
            elif new is not None:
                _owned(file.fileno(), new)
            os.fsync(file.fileno())
        check()
        os.rename(part, seen.path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    flush_directory(os.path.dirname(seen.path))


def _owned(descriptor: int, wanted: Seen) -> None:
    if wanted.uid >= 0:
        own = os.fstat(descriptor)
        if (own.st_uid, own.st_gid) != (wanted.uid, wanted.gid):
            os.fchown(descriptor, wanted.uid, wanted.gid)
    os.fchmod(descriptor, wanted.mode)


def _like(descriptor: int, seen: Seen) -> None:
    """Gives a new file the owner, mode, ACL and attributes of the one that it replaces."""
    _owned(descriptor, seen)
    names = _attributes(seen.path)
    for name in _attributes(descriptor):
        # An ACL that the directory hands on to new files, and the replaced file does not have.
        if name == _ACL and name not in names:
            os.removexattr(descriptor, name)
    for name in names:
        try:
            os.setxattr(descriptor, name, os.getxattr(seen.path, name))
        except OSError as error:
            if error.errno not in _NO_ATTRIBUTES:
                raise


def _attributes(file: str | int) -> list[str]:
    try:
        return os.listxattr(file)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTES:
            return []
        raise


def _said(path: str, error: OSError | ValueError) -> HostError:
    """What the kernel said, as a sentence."""
    if not isinstance(error, OSError):
        return CannotWrite("a path that no file can have")
    if error.errno in _FORBIDDEN and os.geteuid() != 0:
        return Denied(f"{path} may not be changed by this user")
    if error.errno in _FORBIDDEN:
        return CannotWrite(f"{path} may not be changed; if lsattr shows an i, chattr -i takes that away")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Missing(f"{path} is not there")
    return CannotWrite(f"{path} {_SAID.get(error.errno or 0) or f'cannot be written: {error.strerror}'}")
