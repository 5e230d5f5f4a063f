"""A directory that stands for a machine, a plan that changes it, and how it looks before and after."""

import os
import shutil
from pathlib import Path

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Command, Edit, Manual, Plan, Settings

SECRET = "hunter2hunter2"
OLD = f"# mailcow\nTZ=Etc/UTC\nAPI_KEY={SECRET}\nSKIP_CLAMD=n\n".encode()
NEW = OLD.replace(b"SKIP_CLAMD=n", b"SKIP_CLAMD=y")
UNIT_OLD, UNIT_NEW = b"enabled\n", b"disabled\n"


class Place:
    """The directory, its files before and after, and a session whose state lies beside it."""

    def __init__(self, root: Path, check: str = "") -> None:
        """`root` is made anew; `check` is what runs again."""
        shutil.rmtree(root, ignore_errors=True)
        self.root = root / "machine"
        self.state = root / "state"
        (self.root / "etc").mkdir(parents=True)
        self.write("mailcow.conf", OLD, 0o600)
        os.symlink("mailcow.conf", self.root / ".env")
        self.write("etc/main.cf", b"a = 1\nb = 2\n" * 400, 0o640)
        self.write("etc/gone", b"to be removed\n", 0o644)
        self.write("unit", UNIT_OLD, 0o644)
        self.write("log", b"", 0o644)
        self.before = self.look()
        self.plan = self._plan(check)
        self.after = {
            **self.before,
            "mailcow.conf": (NEW, 0o600),
            "etc/main.cf": (b"a = 1\nb = 3\n" * 400, 0o640),
            "etc/new/deep/file": (b"made\n", 0o600),
            "unit": (UNIT_NEW, 0o644),
        }
        del self.after["etc/gone"]

    def write(self, name: str, data: bytes, mode: int) -> None:
        """Writes one of its files."""
        path = self.root / name
        path.write_bytes(data)
        path.chmod(mode)

    def path(self, name: str) -> str:
        """The path of one of its files."""
        return str(self.root / name)

    def look(self) -> dict[str, tuple[bytes, int]]:
        """Every file with its content and mode; of a link, where it leads; of a directory, that it is one.
        The commands' own log is left out."""
        found: dict[str, tuple[bytes, int]] = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = (os.readlink(path).encode(), 0)
            elif path.is_file() and name != "log":
                found[name] = (path.read_bytes(), path.stat().st_mode & 0o7777)
        return found

    def directories(self) -> set[str]:
        """Every directory."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_dir()}

    def session(self) -> Session:
        """A session on this machine."""
        settings = Settings(directory=str(self.root), offline=True)
        return Session(RealHost(), settings, StateDirectory(str(self.state)))

    def edit(self, name: str, after: bytes | None, mode: int = 0o644) -> Edit:
        """An edit of one of its files as it is now."""
        path = self.root / name
        return Edit(str(path), path.read_bytes() if path.exists() else None, after, mode)

    def made(self, *steps: Edit | Command | Manual, check: str = "") -> Plan:
        """A plan of these steps."""
        consequence = "The test's files are different."
        return Plan(check, None, "test", "A test", steps, "low", True, False, consequence)

    def shell(self, text: str, undo: str = "") -> Command:
        """A command that runs in the directory."""
        undone = (("sh", "-c", f"cd {self.root} && {undo}"),) if undo else ()
        return Command(("sh", "-c", f"cd {self.root} && {text}"), undone, timeout=20)

    def _plan(self, check: str) -> Plan:
        off, on = (text.decode().strip() for text in (UNIT_NEW, UNIT_OLD))
        unit = f"echo {off} >.unit && mv .unit unit; echo turned off; echo did >>log"
        back = f"echo {on} >.unit && mv .unit unit; echo undid >>log"
        return self.made(
            self.edit(".env", NEW),
            self.shell(unit, back),
            self.edit("etc/main.cf", b"a = 1\nb = 3\n" * 400),
            self.edit("etc/new/deep/file", b"made\n", 0o600),
            self.edit("etc/gone", None),
            self.shell("true", "true"),
            Manual("Look at it."),
            check=check,
        )


def nothing(event: mending.Progress) -> None:
    """A face that does not look."""
