"""Where the one-file build keeps its unpacked code, and whether nobody else can have written there."""

import os
import stat
import sys

LICENCES = "licenses"
"""The directory that only unpacked code has."""
_BOOT = "/proc/sys/kernel/random/boot_id"


def name(code: str) -> str:
    """The directory of the code with this hash, and of this boot: a power cut leaves empty files behind."""
    try:
        with open(_BOOT) as file:
            return code[:24] + "-" + file.read(8)
    except OSError:
        return code[:24]


def place() -> str:
    """Where this user's unpacked code may lie; empty where others could write there."""
    user = os.getuid()
    above = "/var/cache"
    if user:
        import pwd

        try:
            above = os.environ.get("XDG_CACHE_HOME") or os.path.join(pwd.getpwuid(user).pw_dir, ".cache")
        except KeyError:
            return ""
    above = os.path.realpath(above)
    return os.path.join(above, "mailcow-wizard") if _is_closed(above) else ""


def temporary() -> str:
    """Where code may lie for one run: nobody else can put other code in its place. Ends the program where
    there is no such directory."""
    for above in (*_usual(), "/tmp", "/var/tmp", "/run"):  # noqa: S108  # made there by mkdtemp
        real = os.path.realpath(above)
        # Who has the root directory has all below it; where users are mapped it may be nobody.
        if os.access(real, os.W_OK | os.X_OK) and _is_closed(real, os.lstat("/").st_uid):
            return real
    sys.stderr.write("mailcow-wizard: there is no directory in which nobody else could change its code\n")
    sys.exit(73)


def _usual() -> "tuple[str, ...]":
    """The directory for such files, as TMPDIR may name it; none where none can be written."""
    import tempfile

    try:
        return (tempfile.gettempdir(),)
    except FileNotFoundError:
        return ()


def _is_closed(above: str, root: int = 0) -> bool:
    """Whether nobody besides root could put something in the place of what this user makes there."""
    part = above
    while True:
        try:
            found = os.lstat(part)
        except OSError:
            found = None  # it is made by us, below what is looked at next
        if found and not _only_of(found, (0, root, os.getuid())):
            return False
        if part == "/":
            return True
        part = os.path.dirname(part)


def _only_of(found: os.stat_result, users: "tuple[int, ...]") -> bool:
    closed = not found.st_mode & 0o022 or found.st_mode & stat.S_ISVTX
    return stat.S_ISDIR(found.st_mode) and found.st_uid in users and bool(closed)


def is_ours(directory: str) -> bool:
    """Whether it is a directory of this user's that nobody else can enter, in one like it."""
    for one in (directory, os.path.dirname(directory)):
        try:
            found = os.lstat(one)
        except OSError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            return False
    return True


def is_unpacked(code: str) -> bool:
    """Whether code was unpacked by the one-file build: it lasts no longer than this boot, or this session."""
    return os.path.isdir(os.path.join(code, LICENCES))
