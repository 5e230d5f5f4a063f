"""A way back that needs no wizard: systemd takes a change back when its time is over, or at the next start of
the machine, unless it is taken away before."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.changing import Changing, Seen
from mailcow_wizard.host.one_file import cache as one_file_cache
from mailcow_wizard.host.processes.detached import SYSTEMD, program, root
from mailcow_wizard.host.processes.search_path import search_path
from mailcow_wizard.language import STORED

SERVICE = "mailcow-wizard-way-back.service"
TIMER = "mailcow-wizard-way-back.timer"
_PLACE = "/etc/systemd/system"
_TAG = "mailcow-wizard-way-back"
_WAIT_S = 30.0
_NEW = Seen("", None, 0o644, -1, -1)


def arm(module: str, words: tuple[str, ...], seconds: float, kept: str) -> bool:
    """Has systemd run `main(words)` of one of our modules after so many seconds, and at each start of the
    machine until then; False where there is no systemd. Raises HostError where it cannot be had.

    `kept` is a directory for a copy of our code, where what runs now does not last.
    """
    if not os.path.isdir(SYSTEMD):
        return False
    try:
        told = program(module, STORED, _lasting(kept))
        _put(SERVICE, _service((sys.executable, "-c", *told, *words)))
        _put(TIMER, _timer(seconds))
        _systemctl("daemon-reload")
        _systemctl("enable", SERVICE)
        _systemctl("start", TIMER)
    except HostError as error:
        disarm(kept)
        raise HostError(f"the way back could not be prepared: {error}") from None
    return True


def disarm(kept: str) -> None:
    """Takes it away, as far as it is there."""
    if os.path.realpath(kept) != os.path.realpath(root()):
        forget(kept)
    if not any(os.path.exists(f"{_PLACE}/{name}") for name in (SERVICE, TIMER)):
        return
    for words in (("stop", TIMER), ("disable", SERVICE)):
        try:
            _systemctl(*words)
        except HostError:
            continue
    for name in (SERVICE, TIMER):
        _put(name, None)
    try:
        _systemctl("daemon-reload")
    except HostError:
        return


def forget(kept: str) -> None:
    """Removes the copy of our code. What runs from there finds no more of it."""
    shutil.rmtree(kept, ignore_errors=True)


def _lasting(kept: str) -> str:
    """Where our code lies that is still there after the end of this session, and of this boot. Raises
    HostError."""
    if not one_file_cache.is_unpacked(root()):
        return root()
    forget(kept)
    try:
        shutil.copytree(root(), kept, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        forget(kept)
        # Of several files shutil.Error has a list: from where, to where, why.
        why = error.strerror or error.args[0][0][2]
        raise HostError(f"{kept} could not be written: {why}") from None
    os.sync()
    return kept


def _put(name: str, text: str | None) -> None:
    changing, path = Changing(), f"{_PLACE}/{name}"
    before = changing.look(path).content
    changing.replace(path, before, None if text is None else text.encode(), _NEW, _TAG)


def _systemctl(*words: str) -> None:
    argv = ["systemctl", *words]
    try:
        ran = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": search_path()},
            timeout=_WAIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HostError(f"systemctl {' '.join(words)}: {error}") from None
    if ran.returncode:
        raise HostError(f"systemctl {' '.join(words)} failed with exit code {ran.returncode}")


def _service(argv: tuple[str, ...]) -> str:
    return "\n".join(
        (
            "[Unit]",
            "Description=Takes back a change that nobody confirmed (mailcow-wizard)",
            "After=local-fs.target",
            "",
            "[Service]",
            "Type=oneshot",
            "TimeoutStartSec=600",
            f"ExecStart={' '.join(_quoted(one) for one in argv)}",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        )
    )


def _timer(seconds: float) -> str:
    return "\n".join(
        (
            "[Unit]",
            "Description=The time to confirm a change (mailcow-wizard)",
            "",
            "[Timer]",
            f"OnActiveSec={seconds:.0f}",
            "AccuracySec=1",
            f"Unit={SERVICE}",
            "",
        )
    )


def _quoted(word: str) -> str:
    """One word of a unit's command line (systemd.service(5), systemd.unit(5))."""
    return f'"{"".join(_escaped(one) for one in os.fsencode(word))}"'


def _escaped(byte: int) -> str:
    """What is no plain letter as `\\x41`; `%` and `$` mean something else only after that is read."""
    letter = chr(byte)
    if letter in "%$":
        return letter * 2
    return letter if letter.isascii() and letter.isprintable() and letter not in '\\"' else f"\\x{byte:02x}"
