"""The first code of the one-file build (`__main__.py` in it): finds the unpacked wizard, or unpacks it.

Python runs a zip file slowly and keeps nothing compiled of it, so the code is unpacked once a boot into a
directory that only this user can have written. Older Pythons read this file too, and are told so.
"""

import os
import stat
import sys

CODE = ""
VERSION = ""
OLDEST = (3, 10)
_WHOLE = "Debian, Ubuntu: apt-get install python3. Alpine: apk add python3"
_NEWER = "EL 8 and 9: dnf install python3.11, and start it with that. Debian 12 and Ubuntu 22.04 have one"
_BOOT = "/proc/sys/kernel/random/boot_id"


def main() -> None:
    """Runs the command line, or what another machine asks for (`--far`)."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"mailcow-wizard: it needs Python 3.10 or newer, and this is {found}. {_NEWER}\n")
        sys.exit(64)
    if sys.argv[1:] == ["--version"]:
        print("mailcow-wizard " + VERSION)
        return
    if sys.argv[1:2] == ["--far"]:
        from mailcow_wizard.host import one_file_far

        one_file_far.run(sys.argv[2:])
        return
    place = cache()
    code = place and os.path.join(place, name())
    if not code or not is_ours(code):
        try:
            from mailcow_wizard.host import one_file_unpack
        except ImportError as error:  # python3-minimal has not all; a Python built without liblzma neither
            sys.stderr.write(f"mailcow-wizard: this Python lacks the module {error.name}. {_WHOLE}\n")
            sys.exit(64)
        code = one_file_unpack.unpacked(place, name())
    start(code)


def start(code: str) -> None:
    """Runs the wizard that is unpacked in this directory."""
    sys.path[0] = code
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # The command line is above this file's place, and is only found now.
    __import__("mailcow_wizard.__main__").__main__.main()


def name() -> str:
    """The directory's name: of this code, and of this boot, since a power cut leaves empty files behind."""
    try:
        with open(_BOOT) as file:
            return CODE[:24] + "-" + file.read(8)
    except OSError:
        return CODE[:24]


def cache() -> str:
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
    part = above
    while True:
        try:
            found = os.lstat(part)
        except OSError:
            found = None  # it is made by us, below what is looked at next
        if found and not _only_ours_or_roots(found, user):
            return ""
        if part == "/":
            return os.path.join(above, "mailcow-wizard")
        part = os.path.dirname(part)


def _only_ours_or_roots(found: os.stat_result, user: int) -> bool:
    closed = not found.st_mode & 0o022 or found.st_mode & stat.S_ISVTX
    return stat.S_ISDIR(found.st_mode) and found.st_uid in (0, user) and bool(closed)


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


if __name__ == "__main__":
    main()
