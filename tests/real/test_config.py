"""mailcow.conf and its checkout on a real file system, with the real git, as root and as somebody else."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.config_place import GIT, GOOD_CONF, SECRETS, Mailcow, origin, run

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of root's that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-config-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def mailcow(place: Path) -> Iterator[Mailcow]:
    """A clone in which nothing is wrong; whatever the wizard says of it, no password is in it."""
    made = Mailcow.cloned(origin(place / "origin"), place / "mailcow")
    yield made
    made.assert_no_secret()


def test_a_good_clone(mailcow: Mailcow) -> None:
    for name in (
        "present",
        "permissions",
        "syntax",
        "values",
        "consistency",
        "timezone",
        "env-link",
        "env-leak",
        "checkout",
    ):
        finding = mailcow.check(name)
        assert finding["status"] == "pass", finding


def test_nothing_there(place: Path) -> None:
    (place / "mailcow").mkdir()
    empty = Mailcow(place / "mailcow")
    for name in ("present", "permissions", "timezone", "compose-version", "env-link", "env-leak", "checkout"):
        assert empty.check(name)["status"] == "skipped"


# --- the file ---------------------------------------------------------------------------------------------


def test_a_clone_without_mailcow_conf_and_its_copy_put_back(mailcow: Mailcow) -> None:
    conf = mailcow.directory / "mailcow.conf"
    copy = conf.rename(mailcow.directory / "mailcow.conf_backup")
    assert mailcow.check("env-link")["status"] == "pass"
    assert mailcow.check("timezone")["status"] == "skipped"
    finding = mailcow.check("present")
    assert finding["status"] == "fail"
    assert [one["id"] for one in finding["fixes"]] == ["restore-conf"]
    before = mailcow.looks()
    assert mailcow.mended("present", "restore-conf")["status"] == "pass"
    assert conf.read_bytes() == copy.read_bytes()
    assert conf.stat().st_mode & 0o777 == 0o600
    mailcow.undo()
    assert mailcow.looks() == before
    copy.unlink()
    assert mailcow.check("present")["fixes"] == []


@pytest.mark.parametrize("kind", ["directory", "dangling", "itself", "large", "fifo", "binary", "empty"])
def test_something_else_in_its_place(mailcow: Mailcow, kind: str) -> None:
    conf = mailcow.directory / "mailcow.conf"
    conf.unlink()
    if kind == "directory":
        conf.mkdir()
    elif kind == "dangling":
        conf.symlink_to("nowhere")
    elif kind == "itself":
        conf.symlink_to("mailcow.conf")
    elif kind == "fifo":
        os.mkfifo(conf)
    else:
        conf.write_bytes({"large": b"A=1\n" * 1_300_000, "binary": b"\x7fELF\0\0", "empty": b""}[kind])
    finding = mailcow.check("present")
    assert finding["status"] == "fail", finding
    if kind in ("binary", "empty"):
        assert "Move it away" in finding["remedies"][0]
        assert (mailcow.check("values")["status"] == "skipped") == (kind == "binary")
    else:
        assert "no mailcow.conf yet" not in mailcow.check("permissions")["summary"]
    for name in (
        "permissions",
        "hostname",
        "timezone",
        "compose-version",
        "env-link",
        "env-leak",
        "checkout",
    ):
        assert mailcow.check(name)["status"] != "crashed"


@pytest.mark.parametrize(
    ("mode", "owner", "status"),
    [(0o644, 0, "fail"), (0o640, 0, "warn"), (0o666, 0, "fail"), (0o600, 1000, "warn"), (0o400, 0, "pass")],
)
def test_modes_are_mended_and_taken_back(mailcow: Mailcow, mode: int, owner: int, status: str) -> None:
    conf = mailcow.directory / "mailcow.conf"
    os.chown(conf, owner, owner)
    conf.chmod(mode)
    before = mailcow.looks()
    finding = mailcow.check("permissions")
    assert finding["status"] == status, finding
    assert bool(finding["fixes"]) == (status != "pass")
    if status != "pass":
        assert mailcow.mended("permissions", "conf-mode")["status"] == "pass"
        assert conf.stat().st_uid == 0
        mailcow.undo()
        assert mailcow.looks() == before


def test_what_another_user_sees(mailcow: Mailcow) -> None:
    python = shutil.which("python3", path="/usr/bin")
    probe = run([*NOBODY, "sh", "-c", f"test -r {Path(__file__)} && echo yes || echo no"]).strip()
    if not python or probe == "no":
        pytest.skip("nobody may not read this checkout")
    Path(f"{mailcow.directory}.state").mkdir(mode=0o700)
    os.chown(f"{mailcow.directory}.state", 65534, 65534)
    sees = {"before": NOBODY, "python": python}
    assert mailcow.check("permissions", **sees)["status"] == "pass"
    assert mailcow.check("env-link", **sees)["status"] == "pass"
    assert mailcow.check("checkout", **sees)["status"] == "pass"
    for name in ("present", "timezone", "env-leak"):
        finding = mailcow.check(name, **sees)
        assert finding["status"] == "unknown"
        assert "needs root" in finding["summary"]
    (mailcow.directory / "mailcow.conf").chmod(0o644)
    assert mailcow.check("permissions", **sees)["status"] == "fail"
    assert mailcow.check("present", **sees)["status"] == "pass"


# --- .env -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["missing", "elsewhere", "file", "settings", "directory"])
def test_env_is_made_a_link_and_taken_back(mailcow: Mailcow, kind: str) -> None:
    env = mailcow.directory / ".env"
    env.unlink()
    if kind == "elsewhere":
        (mailcow.directory / "other").mkdir()
        (mailcow.directory / "other/mailcow.conf").write_text(GOOD_CONF)
        env.symlink_to("other/mailcow.conf")
    elif kind == "file":
        env.write_text("mailcow.conf")
    elif kind == "settings":
        env.write_text(GOOD_CONF)
        env.chmod(0o640)
    elif kind == "directory":
        env.mkdir(mode=0o750)
    before = mailcow.looks()
    assert mailcow.check("env-link")["status"] == "fail"
    assert mailcow.mended("env-link", "conf-env-link")["status"] == "pass"
    assert os.readlink(env) == "mailcow.conf"
    mailcow.undo()
    assert mailcow.looks() == before


def test_env_that_holds_the_settings_becomes_mailcow_conf(mailcow: Mailcow) -> None:
    env, conf = mailcow.directory / ".env", mailcow.directory / "mailcow.conf"
    env.unlink()
    conf.rename(env)
    before = mailcow.looks()
    assert mailcow.mended("env-link", "conf-env-link")["status"] == "pass"
    assert conf.read_text() == GOOD_CONF
    mailcow.undo()
    assert mailcow.looks() == before


def test_a_link_with_the_whole_path_is_right(mailcow: Mailcow) -> None:
    env = mailcow.directory / ".env"
    env.unlink()
    env.symlink_to(mailcow.directory / "mailcow.conf")
    assert mailcow.check("env-link")["status"] == "pass"


# --- values -----------------------------------------------------------------------------------------------


def test_a_timezone_is_set_and_taken_back(mailcow: Mailcow) -> None:
    mailcow.configure(GOOD_CONF.replace("TZ=Europe/Berlin", "TZ="))
    before = mailcow.looks()
    finding = mailcow.check("timezone")
    assert finding["status"] == "warn"
    if not finding["fixes"]:
        pytest.skip("this machine's own timezone is not known")
    assert mailcow.mended("timezone", "conf-timezone-empty")["status"] == "pass"
    mailcow.undo()
    assert mailcow.looks() == before
    mailcow.configure(GOOD_CONF.replace("TZ=Europe/Berlin", "TZ=Europe/../Berlin"))
    assert mailcow.check("timezone")["status"] == "fail"


@pytest.mark.parametrize(
    ("before", "after", "check", "rule"),
    [
        ("TZ=Europe/Berlin", "TZ= Europe/Berlin", "syntax", "space-around-equals"),
        ("imap.*,smtp.*", "imap.*, smtp.*", "syntax", "space-in-value"),
        ("\n", "\r\n", "syntax", "carriage-return"),
        ("TZ=", "TZ=Etc/UTC\nTZ=", "syntax", "set-twice"),
        ("SKIP_CLAMD=n", "SKIP_CLAMD=No", "values", "switch-value"),
        ("NETWORK=172.22.1\n", "NETWORK=172.22.1.0/24\n", "values", "subnet-malformed"),
        ("HTTP_PORT=80\n", "HTTP_PORT=127.0.0.1:80\n", "values", "address-in-http-port"),
        ("S_BIND=\nHTTP_REDIRECT", "S_BIND=127.0.0.1\nHTTP_REDIRECT", "consistency", "redirect-behind-proxy"),
    ],
)
def test_what_a_rule_mends_is_taken_back(
    mailcow: Mailcow, before: str, after: str, check: str, rule: str
) -> None:
    text = GOOD_CONF.replace("HTTP_BIND=", "HTTP_BIND=127.0.0.1") if check == "consistency" else GOOD_CONF
    assert before in text
    (mailcow.directory / "mailcow.conf").write_bytes(text.replace(before, after).encode())
    wrong = mailcow.looks()
    finding = mailcow.check(check)
    assert finding["status"] in ("fail", "warn")
    assert f"conf-{rule}" in [one["id"] for one in finding["fixes"]]
    assert mailcow.mended(check, f"conf-{rule}")["status"] == "pass"
    mailcow.undo()
    assert mailcow.looks() == wrong


def test_a_name_in_capitals_and_another_that_was_said(mailcow: Mailcow) -> None:
    conf = mailcow.directory / "mailcow.conf"
    mailcow.configure(GOOD_CONF.replace("mail.example.org", "Mail.Example.org"))
    mailcow.mended("hostname", "conf-hostname-capitals")
    assert "MAILCOW_HOSTNAME=mail.example.org\n" in conf.read_text()
    said = mailcow.run(
        "fix", "config.hostname", "conf-hostname", "--yes", "--json", "--hostname", "mx.example.net"
    )
    assert json.loads(said.stdout)["applied"]
    assert "MAILCOW_HOSTNAME=mx.example.net\n" in conf.read_text()


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"TZ": "Asia/Tokyo"}, "TZ"),
        ({"TZ": "Europe/Berlin"}, ""),
        ({"LOG_LINES": ""}, "LOG_LINES"),
        ({"UNRELATED": "1", "MAILCOW": "x"}, ""),
        ({"COMPOSE_FILE": "/tmp/x.yml"}, "COMPOSE_FILE"),
    ],
)
def test_variables_of_this_shell(mailcow: Mailcow, variables: dict[str, str], name: str) -> None:
    finding = mailcow.check("env-leak", env=variables)
    assert finding["status"] == ("warn" if name else "pass")
    assert name in finding["summary"]
    for value in variables.values():
        assert len(value) < 5 or value not in str(finding)


# --- the checkout -----------------------------------------------------------------------------------------


def test_shallow(place: Path) -> None:
    made = Mailcow.cloned(origin(place / "origin"), place / "mailcow", "--depth", "1")
    finding = made.check("checkout")
    assert finding["status"] == "warn"
    assert "shallow" in finding["summary"]
    made.git("fetch", "-q", "--unshallow")
    assert made.check("checkout")["status"] == "pass"


def test_branches_and_a_tag(mailcow: Mailcow) -> None:
    mailcow.git("checkout", "-q", "nightly")
    assert "nightly" in mailcow.check("checkout")["summary"]
    mailcow.git("checkout", "-q", "2026-08")
    assert "no branch" in mailcow.check("checkout")["summary"]
    mailcow.git("checkout", "-q", "master")
    assert mailcow.check("checkout")["status"] == "pass"


def test_a_branch_that_follows_none(mailcow: Mailcow) -> None:
    """As of a clone of a tag: git merge, as update.sh calls it, has nothing to merge."""
    mailcow.git("branch", "--unset-upstream")
    mailcow.git("config", "merge.defaultToUpstream", "true")
    merge = ["git", "-C", str(mailcow.directory), "merge", "-Xtheirs", "-m", "x"]
    assert subprocess.run(merge, capture_output=True, check=False).returncode == 128
    finding = mailcow.check("checkout")
    assert (finding["status"], "follows none" in finding["summary"]) == ("warn", True), finding
    mailcow.git("branch", "-u", "origin/master", "master")
    assert subprocess.run(merge, capture_output=True, check=False).returncode == 0
    assert mailcow.check("checkout")["status"] == "pass"


def test_an_archive_is_no_clone(place: Path) -> None:
    (place / "mailcow").mkdir()
    archive = place / "mailcow.tar"
    run([*GIT, "archive", "-o", str(archive), "HEAD"], origin(place / "origin"))
    run(["tar", "-xf", str(archive), "-C", str(place / "mailcow")])
    finding = Mailcow(place / "mailcow").check("checkout")
    assert finding["status"] == "warn"
    assert "not cloned" in finding["summary"]


def test_edits_are_seen_before_and_after_update_sh_commits_them(mailcow: Mailcow) -> None:
    other = mailcow.directory / "data/web/index.php"
    other.write_text("<?php // mine\n")
    assert mailcow.check("checkout")["status"] == "pass"
    compose = mailcow.directory / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("1.24", "1.23"))
    assert "is edited" in mailcow.check("checkout")["summary"]
    mailcow.git("commit", "-q", "-a", "-m", "Before update")
    assert "commits made here" in mailcow.check("checkout")["summary"]
    mailcow.git("reset", "-q", "--hard", "origin/master")
    assert mailcow.check("checkout")["status"] == "pass"


def test_looking_changes_nothing_in_the_repository(mailcow: Mailcow) -> None:
    (mailcow.directory / "docker-compose.yml").touch()
    index = mailcow.directory / ".git/index"
    before = (index.stat().st_mtime_ns, index.read_bytes())
    mailcow.check("checkout")
    assert (index.stat().st_mtime_ns, index.read_bytes()) == before


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_files_that_umask_closed_are_opened_and_closed_again(place: Path, umask: int) -> None:
    made = Mailcow.cloned(origin(place / "origin"), place / "mailcow", umask=umask)
    secret = made.directory / "data/assets/ssl/key.pem"
    secret.parent.mkdir(parents=True)
    secret.write_text("key")
    secret.chmod(0o600)
    before = made.looks()
    finding = made.check("checkout")
    assert finding["status"] == "fail"
    assert "closed to others" in finding["summary"]
    assert "key.pem" not in str(finding)
    assert made.mended("checkout", "chmod-tracked")["status"] == "pass"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (made.directory / "mailcow.conf").stat().st_mode & 0o777 == 0o600
    assert (made.directory / "data/web/index.php").stat().st_mode & 0o004
    assert (made.directory / "update.sh").stat().st_mode & 0o005 == 0o005
    assert made.git("status", "--porcelain", "--untracked-files=no") == ""
    made.undo()
    assert made.looks() == before


def test_an_override_for_a_service_that_is_gone(mailcow: Mailcow) -> None:
    override = mailcow.directory / "docker-compose.override.yml"
    override.write_text("services:\n  ipv6nat-mailcow:\n    restart: 'no'\n")
    finding = mailcow.check("checkout")
    assert finding["status"] == "fail"
    assert "ipv6nat-mailcow" in finding["summary"]
    override.write_text("services:\n  postfix-mailcow:\n    dns: [192.0.2.1]\n  mine:\n    image: x\n")
    assert mailcow.check("checkout")["status"] == "pass"


def test_a_recording_says_the_same_and_holds_no_secret(mailcow: Mailcow) -> None:
    (mailcow.directory / "mailcow.conf").chmod(0o644)
    backup = mailcow.directory / "mailcow.conf_backup"
    backup.write_text(GOOD_CONF.replace("ExampleDbPassword", "ExampleDbPasswordOld"))
    (mailcow.directory / "data/web/index.php").chmod(0o640)
    file = mailcow.directory.parent / "machine.json"
    leaks = {"DBPASS": "ExampleDbPasswordLeaked", "TZ": "UTC"}
    said = json.loads(mailcow.run("check", "config", "--json", "--record", str(file), env=leaks).stdout)
    assert not [secret for secret in SECRETS if secret in file.read_text()]
    again = json.loads(mailcow.run("check", "config", "--json", "--host", str(file)).stdout)
    both = [[(one["id"], one["status"], one["summary"]) for one in doc["checks"]] for doc in (said, again)]
    assert both[0] == both[1]
    statuses = {one["id"]: one["status"] for one in said["checks"]}
    assert statuses["config.permissions"] == statuses["config.checkout"] == "fail"
    assert statuses["config.env-leak"] == "warn"
