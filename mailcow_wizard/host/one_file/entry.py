"""The first code of the one-file build (`__main__.py` in it): finds the unpacked wizard, or unpacks it.

Python runs a zip file slowly and keeps nothing compiled of it, so the code is unpacked once a boot into a
directory that only this user can have written. Older Pythons read this file and the one about that
directory too, and are told so.
"""

import os
import sys

from mailcow_wizard.host.one_file import cache as one_file_cache

CODE = ""
VERSION = ""
OLDEST = (3, 10)
_WHOLE = "Debian, Ubuntu: apt-get install python3. Alpine: apk add python3"
_NEWER = "EL 8 and 9: dnf install python3.11, and start it with that. Debian 12 and Ubuntu 22.04 have one"


def main() -> None:
    """Runs the command line, or what another machine asks for (`--far`)."""
    os.umask(os.umask(0o077) | 0o022)  # nobody else may change what is unpacked, or the directories above
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"mailcow-wizard: it needs Python 3.10 or newer, and this is {found}. {_NEWER}\n")
        sys.exit(64)
    if sys.argv[1:] == ["--version"] and _says("mailcow-wizard " + VERSION):
        return
    if sys.argv[1:2] == ["--far"]:
        from mailcow_wizard.host.one_file import far as one_file_far

        one_file_far.run(sys.argv[2:], start)
        return
    place, name = one_file_cache.place(), one_file_cache.name(CODE)
    code = place and os.path.join(place, name)
    if not code or not one_file_cache.is_ours(code):
        try:
            from mailcow_wizard.host.one_file import unpack as one_file_unpack
        except ImportError as error:  # python3-minimal has not all; a Python built without liblzma neither
            sys.stderr.write(f"mailcow-wizard: this Python lacks the module {error.name}. {_WHOLE}\n")
            sys.exit(64)
        code = one_file_unpack.unpacked(place, name)
    start(code)


def _says(line: str) -> bool:
    """Writes a line; where it cannot be written, what is unpacked says so."""
    try:
        if sys.stdout:
            os.write(1, line.encode() + b"\n")
            return True
    except OSError:
        pass
    return False


def start(code: str) -> None:
    """Runs the wizard that is unpacked in this directory."""
    sys.path[0] = code
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # The command line is above this file's place, and is only found now.
    __import__("mailcow_wizard.__main__").__main__.main()


if __name__ == "__main__":
    main()
