"""From nothing to a mail server that is proved to work: install, password, mailbox, monitoring, and back."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import json_schema
import pytest
from lab.skip import or_skip

from mailcow_wizard.fixes.mail import PASSWORD_FILE
from mailcow_wizard.report.schema import schema
from tests.real import install_place
from tests.real.install_place import Place

pytestmark = [pytest.mark.real, pytest.mark.slow]
MAILBOX, DOMAIN = "me@example.org", "example.org"
_MONITORED_S = 5.0
_TRIES = 5


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A machine with a mailcow that speaks mail, installed by the wizard."""
    root = tmp_path_factory.mktemp("verified")
    with or_skip(), install_place.place(root, speaks=True) as made:
        made.reset()
        yield made


def statuses(document: dict[str, Any], key: str = "checks") -> dict[str, str]:
    """The worst status of each check."""
    found: dict[str, str] = {}
    for one in sorted(document[key], key=lambda row: ("pass", "skipped").count(row["status"]), reverse=True):
        found[one["id"]] = one["status"]
    return {name: status for name, status in found.items() if name.startswith("mail.")}


def test_from_nothing_to_mail(place: Place, tmp_path: Path) -> None:
    """The install ends with a real verification; the first password is what comes next, not a failure."""
    if os.path.exists(PASSWORD_FILE):
        pytest.skip(f"{PASSWORD_FILE} is there already")
    done = place.install("--yes", "--json")
    document = json.loads(done.stdout)
    assert document["state"] == "done", done.stderr[-2000:]
    assert done.returncode == 2, done.stderr[-2000:]
    assert statuses(document, "findings") == {
        "mail.admin-password": "fail",
        "mail.certificate": "pass",
        "mail.containers": "unknown",
        "mail.ports": "pass",
        "mail.relay": "pass",
        "mail.round-trip": "skipped",
    }
    # Day two: nothing is installed over it, and what is not right any more is still said.
    again = place.install("--yes", "--json")
    assert (json.loads(again.stdout)["state"], again.returncode) == ("present", 0)

    try:
        reset = place.wizard("fix", "mail.admin-password", "reset-admin", "--yes", "--json")
        assert json.loads(reset.stdout)["result"]["status"] == "pass", reset.stderr
        assert os.stat(PASSWORD_FILE).st_mode & 0o777 == 0o600
    finally:
        Path(PASSWORD_FILE).unlink(missing_ok=True)

    _first_mailbox(place, tmp_path)
    _api_key(place)
    _monitoring(place)


def _first_mailbox(place: Place, tmp_path: Path) -> None:
    """Made through the API, tried, its record handed on, taken back."""
    file = tmp_path / "password"
    words = ("verify", "--first-mailbox", MAILBOX, "--password-file", str(file), "--json")
    shown = json.loads(place.wizard(*words, "--dry-run").stdout)
    assert [one["kind"] for one in shown["plan"]["steps"]] == ["command"] * 3 + ["manual"] * 2
    assert not file.exists()
    made = place.wizard(*words, "--yes")
    document = json.loads(made.stdout)
    described = schema()
    assert json_schema.faults(described["$defs"]["fix"], document, described) == []
    assert document["applied"], made.stderr
    result = document["result"]
    # The way out needs a mailbox elsewhere.
    assert (result["id"], result["status"]) == ("mail.round-trip", "unknown"), result["summary"]
    assert "a message through port 25 was in the mailbox after" in result["summary"]
    password = file.read_text().strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "dkim._domainkey.example.org. TXT" in made.stderr
    told = made.stdout + made.stderr + shown["plan"]["title"]
    kept = "".join(path.read_text(errors="replace") for path in place.state.rglob("*") if path.is_file())
    assert password not in told + kept
    assert "MAILCOW-WIZARD-" not in told + kept
    records = json.loads(place.wizard("dns", "--json", "--domain", DOMAIN).stdout)["records"]
    key = next(one for one in records if one["name"].startswith("dkim._domainkey."))
    assert key["value"].strip('"').startswith("v=DKIM1;k=rsa;t=s;s=email;p=MII")
    # A second one is refused, and changes nothing.
    second = place.wizard(*words, "--yes")
    assert second.returncode == 64
    assert "is there already" in second.stderr
    undone = place.wizard("undo", "--yes", "--json")
    assert json.loads(undone.stdout)["state"] == "undone", undone.stderr
    rows = place.docker("exec", _database(place), "mariadb", "-e", "SELECT username FROM mailbox")
    assert rows == ""


def _api_key(place: Place) -> None:
    """A lasting one: in mailcow.conf, taken up by mailcow, used; then taken back out of both."""
    conf = place.directory / "mailcow.conf"
    before = conf.read_bytes()
    words = ("verify", "--api-key", "here", "--json")
    shown = json.loads(place.wizard(*words, "--dry-run").stdout)["plan"]["steps"]
    assert [one["kind"] for one in shown] == ["command", "edit", "command", "command", "manual", "manual"]
    assert "+API_KEY=••••" in shown[1]["diff"]
    assert conf.read_bytes() == before
    # One that somebody made in the web interface is not replaced, and not shut out.
    of_others = "INSERT INTO api VALUES ('of-others', 1, '192.0.2.1', 'rw')"
    place.docker("exec", _database(place), "mariadb", "-e", of_others)
    refused = place.wizard(*words, "--yes")
    assert (refused.returncode, conf.read_bytes()) == (64, before)
    assert "made in its web interface" in refused.stderr
    place.docker("exec", _database(place), "mariadb", "-e", "DELETE FROM api")

    made = place.wizard(*words, "--yes")
    document = json.loads(made.stdout)
    assert document["applied"], made.stdout + made.stderr
    key = next(
        line.partition("=")[2] for line in conf.read_text().splitlines() if line.startswith("API_KEY=")
    )
    assert (len(key), conf.stat().st_mode & 0o777) == (40, 0o600)
    assert _answers(place, key) == 200
    told = made.stdout + made.stderr + place.log.read_text() + place.wizard("undo", "--list").stdout
    assert key not in told
    held = (path for path in place.state.rglob("*") if path.is_file())
    holders = [path for path in held if key in path.read_text("latin-1")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)
    assert place.wizard(*words, "--yes").returncode == 64

    undone = place.wizard("undo", "--yes", "--json")
    assert json.loads(undone.stdout)["state"] == "undone", undone.stderr
    assert conf.read_bytes() == before
    assert _answers(place, key) == 401
    assert place.docker("exec", _database(place), "mariadb", "-e", "SELECT access FROM api") == ""
    web = place.docker("ps", "-qf", "name=php-fpm-mailcow")
    assert key not in place.docker("inspect", web)


def _answers(place: Place, key: str) -> int:
    """What mailcow's API answers a program on this machine that has this key."""
    to = "https://127.0.0.1/api/v1/get/domain/example.org"
    asks = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"X-API-Key: {key}", to]
    return int(place.machine.run(asks, check=True).stdout)


def _database(place: Place) -> str:
    return place.docker("ps", "-qf", "name=mysql-mailcow")


def _crowd() -> float:
    """How many times as long as on a quiet machine something takes at this moment; 1 at least."""
    begun, used = time.monotonic(), time.process_time()
    sum(range(10_000_000))
    return max(1.0, (time.monotonic() - begun) / (time.process_time() - used))


def _monitoring(place: Place) -> None:
    """In time, with the plugin's own exit code; a service that ends is seen."""
    times: list[float] = []
    for _unused in range(_TRIES):
        crowd = _crowd()
        begun = time.monotonic()
        well = place.wizard("verify", "--format", "nagios")
        times.append((time.monotonic() - begun) / crowd)
        assert well.returncode in (0, 3), well.stdout
        assert well.stdout.startswith(("MAILCOW OK", "MAILCOW UNKNOWN - mail.")), well.stdout
        if times[-1] < _MONITORED_S:
            break
    print("verify took, as on a quiet machine:", *(f"{one:.1f} s" for one in times))
    assert min(times) < _MONITORED_S
    found = statuses(json.loads(place.wizard("verify", "--json").stdout))
    assert found["mail.containers"] == "pass", found
    place.docker("stop", "-t", "0", place.docker("ps", "-qf", "name=dovecot-mailcow"))
    ill = place.wizard("verify", "--format", "nagios")
    assert (ill.returncode, ill.stdout.split(" - ")[0]) == (2, "MAILCOW CRITICAL"), ill.stdout
    said = place.wizard("verify", "--format", "prometheus").stdout
    assert 'mailcow_wizard_finding{id="mail.ports",subject="993",step="verify",status="fail"' in said
