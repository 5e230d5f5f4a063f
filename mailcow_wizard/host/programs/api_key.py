"""A program of its own: has an installed mailcow take up the lasting key of its HTTP API, and forget it.

  python api_key.py first DIRECTORY WHERE     python api_key.py try DIRECTORY WHERE
  python api_key.py forget DIRECTORY WHERE COMPOSE…

DIRECTORY is mailcow's, WHERE is as mailcow_api.py has it, COMPOSE… the command that makes the container of
the web interface anew: it writes the key of mailcow.conf into mailcow's database when it starts, in the place
of any other key that may change things, and takes none out again. The key is read from mailcow.conf, and is
no word of any command.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import subprocess
import time
from collections.abc import Callable, Sequence

from mailcow_wizard.harmless import shown
from mailcow_wizard.host.programs.mailcow_api import DENIED_FOR, OWN, Api, NotDone, Where, asked, place
from mailcow_wizard.patterns import pattern

BEGINS = "LASTING-"
"""How a key begins that the wizard made to last: it can be told from others, and taken back."""

_OK, _NOT_DONE, _USAGE = 0, 1, 64
_OURS = f"api_key LIKE '{BEGINS}%'"
_OTHERS = f"SELECT COUNT(*) FROM api WHERE access = 'rw' AND NOT ({OWN})"  # noqa: S608
# As the wizard writes it; of several lines the last one counts.
_KEY = pattern(rb"(?m)^API_KEY=([A-Za-z0-9-]+)$")
_LOOK_EVERY_S = 1.0
_PATIENCE_S = 120.0
_COMPOSE_S = 120.0


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code. What it prints holds no secret."""
    task, *rest = words or ("",)
    known = _TASKS.get(task)
    if known is None or len(rest) < 5:
        print(f"it takes one of {', '.join(_TASKS)}, mailcow's directory, and where mailcow is")
        return _USAGE
    try:
        print(shown(known(rest[0], place(rest[1:5]), rest[5:])))
    except NotDone as error:
        print(shown(str(error)))
        return _NOT_DONE
    return _OK


def _first(directory: str, where: Where, compose: Sequence[str]) -> str:
    """mailcow would forget another key for this one."""
    if asked(where.box, _OTHERS).strip() != "0":
        raise NotDone("mailcow has a key of its API already, which this one would replace: nothing was done")
    return "mailcow has no key of its API that may change things"


def _try(directory: str, where: Where, compose: Sequence[str]) -> str:
    """Waits until mailcow knows the key, and uses it once: who tries a wrong one often is banned."""
    key = _kept(directory)
    deadline = time.monotonic() + _PATIENCE_S
    while asked(where.box, f"SELECT COUNT(*) FROM api WHERE api_key = '{key}'").strip() != "1":  # noqa: S608
        if time.monotonic() > deadline:
            raise NotDone(
                f"mailcow has not taken the key up within {_PATIENCE_S:.0f} s: see docker compose logs "
                "php-fpm-mailcow"
            )
        time.sleep(_LOOK_EVERY_S)
    while True:
        try:
            status, body = Api(where, key).once("GET", "get/domain/all", None)
        except NotDone:
            status, body = 0, ""
        if status == 200:
            return "mailcow's API takes the key, also from this machine"
        denied = DENIED_FOR.search(body)
        if denied:
            return f"mailcow's API knows the key, and not from this machine (seen as {denied[1]})"
        if status == 401 or time.monotonic() > deadline:
            raise NotDone(f"mailcow's API does not take the key (it answers {status or 'nothing'})")
        time.sleep(_LOOK_EVERY_S)


def _forget(directory: str, where: Where, compose: Sequence[str]) -> str:
    """mailcow.conf is as it was; what mailcow took up from it goes, too."""
    why = ""
    try:
        done = subprocess.run(compose, capture_output=True, timeout=_COMPOSE_S, check=False)
        if done.returncode:
            why = f"exit code {done.returncode}"
    except (OSError, subprocess.SubprocessError) as error:
        why = type(error).__name__
    asked(where.box, f"DELETE FROM api WHERE {_OURS}")  # noqa: S608
    if why:
        raise NotDone(
            f"the key is taken out of mailcow, but its web interface is not made anew ({why}): "
            "run docker compose up -d in mailcow's directory"
        )
    return "mailcow does not know the key any more"


def _kept(directory: str) -> str:
    """The key in mailcow.conf. Raises NotDone."""
    path = f"{directory}/mailcow.conf"
    try:
        with open(path, "rb") as file:
            found: list[bytes] = _KEY.findall(file.read())
    except OSError as error:
        raise NotDone(f"{path} could not be read ({type(error).__name__})") from None
    if not found:
        raise NotDone(f"there is no key in {path}")
    return found[-1].decode()


_TASKS: dict[str, Callable[[str, Where, Sequence[str]], str]] = {
    "first": _first,
    "try": _try,
    "forget": _forget,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
