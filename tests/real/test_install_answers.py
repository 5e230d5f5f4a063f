"""An install by a file of answers: to the end, or to a stop that says where; written, it does the same."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import registry, stand_in
from lab.inside import wait_until
from lab.skip import or_skip

from mailcow_wizard.fixes.mail import PASSWORD_FILE
from tests.real import install_place
from tests.real.install_place import NAME, Place, failed_stage, said

pytestmark = [pytest.mark.real, pytest.mark.slow]

_ACCEPTED = """
[[accept]]
check = "{check}"
reason = "the stand-in"
until = 2999-12-31
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A machine on which nothing is installed yet."""
    with or_skip(), install_place.place(tmp_path_factory.mktemp("install")) as made:
        made.reset(known=False)
        yield made


def write(place: Place, more: str = "") -> Path:
    """The file of answers, with the secrets beside it."""
    text = (
        f'secrets = "secrets.toml"\n[server]\nhostname = "{NAME}"\ndomains = ["example.org"]\n'
        f'timezone = "Europe/Berlin"\ndirectory = "{place.directory}"\n'
        f'[source]\nrepository = "{place.repository}"\n[network]\nmtu = 1380\n'
        '[mailcow]\nSMTP_PORT = 2525\nSKIP_CLAMD = true\nIPV4_NETWORK = "172.31.77"\n'
        'API_ALLOW_FROM = "127.0.0.1"\n'
    )
    text += "".join(_ACCEPTED.format(check=one) for one in install_place.KNOWN)
    secrets = place.root / "secrets.toml"
    secrets.write_text('[mailcow]\nAPI_KEY = "key-of-the-file"\nDBPASS = "passwordofthefile"\n')
    secrets.chmod(0o600)
    answers = place.root / "answers.toml"
    answers.write_text(text + more)
    return answers


def rewritten(place: Place) -> Path:
    """The file as the wizard writes it."""
    words = [
        "-m",
        "mailcow_wizard",
        "answers",
        "--state-dir",
        str(place.state),
        "--answers",
        str(write(place)),
    ]
    done = place.machine.run([sys.executable, *words], env=place.env(), check=True)
    made = place.root / "written.toml"
    made.write_text(done.stdout.replace('# secrets = "mailcow-secrets.toml"', 'secrets = "secrets.toml"'))
    return made


def answered(path: Path) -> str:
    """A file's answers without where they came from."""
    return re.sub(r"(?m)^#.*$|  #.*$", "", path.read_text())


def test_to_a_stop_that_says_where_then_to_the_end(place: Place) -> None:
    answers = rewritten(place)
    image = f"{registry.HOST}/{stand_in.IMAGES[3]}"
    place.docker("run", "-d", "--name", "squatter", "--stop-signal", "KILL", "-p", "2525:25", image)
    assert wait_until(lambda: ":2525 " in place.machine.run(["ss", "-Hltn"]).stdout, 20)
    done = place.unattended(answers, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["state"]) == (1, "failed")
    assert failed_stage(document) == "preconditions"
    assert "squatter" in said(document)
    assert document["findings"][0]["id"] == "ports.smtp"
    assert not list(place.directory.iterdir())

    allowed = '[[fix]]\ncheck = "ports.smtp"\nfix = "stop-container"\n'
    answers.write_text(f"{answers.read_text()}\n{allowed}")
    known = place.state / "answers.json"  # as the form of the screens leaves it
    known.write_text(json.dumps({**json.loads(known.read_text()), "conf": ["LOG_LINES=4321"]}))
    done = place.unattended(answers)
    assert "mailcow is installed" in done.stdout, done.stdout + done.stderr
    assert "1 mended first" in done.stdout
    assert place.docker("ps", "-q", "--filter", "name=squatter") == ""
    conf = (place.directory / "mailcow.conf").read_text()
    for line in (
        *(f"MAILCOW_HOSTNAME={NAME}", "TZ=Europe/Berlin", "SMTP_PORT=2525", "SKIP_CLAMD=y"),
        *("IPV4_NETWORK=172.31.77", "API_KEY=key-of-the-file", "DBPASS=passwordofthefile"),
        "LOG_LINES=4321",
    ):
        assert f"\n{line}\n" in f"\n{conf}"
    assert "1380" in (place.directory / "docker-compose.override.yml").read_text()
    kept = json.loads((place.state / "acknowledgements.json").read_text())
    assert {one["check"] for one in kept} == set(install_place.KNOWN)
    kept = json.loads(known.read_text())
    assert (kept["domains"], kept["conf"]) == (["example.org"], [])
    told = place.log.read_text() + done.stdout + done.stderr
    assert "key-of-the-file" not in told
    assert "passwordofthefile" not in told
    written = place.state / "answers/answers.toml"
    assert str(written) in done.stdout
    assert "key-of-the-file" not in written.read_text()
    assert set(answered(answers).splitlines()) <= set(answered(written).splitlines())


@pytest.mark.long
def test_what_the_install_has_written_installs_the_same(place: Place) -> None:
    place.reset(known=False)
    done = place.unattended(write(place))
    assert "mailcow is installed" in done.stdout, done.stdout + done.stderr
    first = place.look()
    again = place.root / "again"
    again.mkdir()
    for name in ("answers.toml", "secrets.toml"):
        (place.state / "answers" / name).rename(again / name)
    assert "passwordofthefile" not in (again / "secrets.toml").read_text()  # each server makes its own
    place.reset(known=False)
    done = place.unattended(again / "answers.toml")
    assert "mailcow is installed" in done.stdout, done.stdout + done.stderr
    assert place.look() == first


@pytest.mark.long
def test_a_conf_that_is_there_stays_and_what_was_accepted_too_long_ago_counts(place: Place) -> None:
    place.reset(known=False)
    clone = ["git", "clone", "--quiet", place.repository, str(place.directory)]
    place.machine.run(clone, check=True)
    answers = write(place)
    text = answers.read_text().replace("2999-12-31", "2020-01-01")
    answers.write_text(text)
    done = place.unattended(answers, "--json")
    assert done.returncode == 1
    assert failed_stage(json.loads(done.stdout)) == "verify"
    assert f"answers.toml:{text.splitlines().index('until = 2020-01-01') + 1}: " in done.stderr
    assert "it counts again" in done.stderr


@pytest.mark.long
def test_the_first_password_and_mailbox(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On a stand-in that speaks mail: nothing is left to be done."""
    if os.path.exists(PASSWORD_FILE):
        pytest.skip(f"{PASSWORD_FILE} is there already")
    root = tmp_path_factory.mktemp("speaking")
    with or_skip(), install_place.place(root, speaks=True) as made:
        made.reset()
        file = root / "mailbox-password"
        answers = root / "answers.toml"
        answers.write_text(
            f'[server]\nhostname = "{NAME}"\ndirectory = "{made.directory}"\n'
            f'[source]\nrepository = "{made.repository}"\n[admin]\npassword = "new"\n'
            f'[mailbox]\naddress = "me@example.org"\npassword_file = "{file}"\n'
        )
        try:
            done = made.unattended(answers, "--json", "--timeout", "20")
            document = json.loads(done.stdout)
            assert document["state"] == "done", done.stderr[-3000:]
            found = {one["id"]: one for one in document["findings"]}
            assert found["mail.admin-password"]["status"] == "pass"
            box = made.docker("ps", "-q", "--filter", "name=mysql")
            rows = made.docker("exec", box, "mariadb", "-e", "SELECT username FROM mailbox")
            assert "me@example.org" in rows
            for path in (file, Path(PASSWORD_FILE)):
                assert path.stat().st_mode & 0o777 == 0o600
                assert path.read_text().strip() not in made.log.read_text() + done.stdout + done.stderr
            kept = json.loads((made.state / "answers.json").read_text())
            assert kept["domains"] == ["example.org"]
            written = (made.state / "answers/answers.toml").read_text()
            assert '\naddress = "me@example.org"  # ' in written
        finally:
            Path(PASSWORD_FILE).unlink(missing_ok=True)
