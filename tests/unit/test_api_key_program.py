"""The program that has mailcow take up a lasting key, and forget it, against a stand-in."""

import os
import subprocess

import pytest
from lab import mailcow_web

from mailcow_wizard.host.programs.api_key import BEGINS
from mailcow_wizard.host.programs.paths import program
from tests.unit.test_mailcow_api import Web, web

__all__ = ["web"]
KEY = f"{BEGINS}aB3dE5gH7jK9"


def run(web: Web, task: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """Its words hold no key."""
    where = (f"127.0.0.1:{web.port}", "mail.example.org", "the-database", "127.0.0.1")
    env = {**os.environ, "PATH": f"{web.place}/bin:{os.environ['PATH']}"}
    argv = [*program("api_key"), task, str(web.place), *where, *more]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)


def put(web: Web, key: str, allowed: str, access: str = "rw") -> None:
    with mailcow_web.database(web.place) as database:
        database.execute("INSERT INTO api VALUES (?, 1, ?, ?)", (key, allowed, access))


def test_another_key_is_not_replaced(web: Web) -> None:
    assert run(web, "first").returncode == 0
    put(web, "read-only", "127.0.0.1", "ro")
    put(web, "MAILCOW-WIZARD-1", "127.0.0.1")
    assert run(web, "first").returncode == 0
    put(web, "of-the-web-interface", "127.0.0.1")
    done = run(web, "first")
    assert done.returncode == 1
    assert "has a key of its API already" in done.stdout


@pytest.mark.parametrize(
    ("allowed", "said"), [("127.0.0.1", "takes the key"), ("192.0.2.9", "not from this machine (seen as 127")]
)
def test_it_is_taken_up(web: Web, allowed: str, said: str) -> None:
    (web.place / "mailcow.conf").write_text(f"API_KEY=old\nAPI_KEY={KEY}\n")
    put(web, KEY, allowed)
    done = run(web, "try")
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
    assert KEY not in done.stdout + done.stderr + (web.place / "docker.log").read_text()


@pytest.mark.parametrize("conf", ["API_KEY=\n", "#API_KEY=abc\n", ""])
def test_no_key_to_try(web: Web, conf: str) -> None:
    (web.place / "mailcow.conf").write_text(conf)
    assert "there is no key in" in run(web, "try").stdout
    (web.place / "mailcow.conf").unlink()
    done = run(web, "try")
    assert (done.returncode, "could not be read" in done.stdout) == (1, True)


@pytest.mark.parametrize(("anew", "code"), [("true", 0), ("false", 1), ("/no/such", 1)])
def test_forgotten_whatever_becomes_of_the_container(web: Web, anew: str, code: int) -> None:
    put(web, KEY, "127.0.0.1")
    put(web, "of-the-web-interface", "127.0.0.1")
    done = run(web, "forget", anew)
    assert done.returncode == code, done.stdout
    assert web.rows("SELECT api_key FROM api") == [("of-the-web-interface",)]


def test_words_that_are_none() -> None:
    for words in ((), ("first",), ("other", "/x", "1.2.3.4:1", "a", "b", "127.0.0.1")):
        done = subprocess.run(
            [*program("api_key"), *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 64
