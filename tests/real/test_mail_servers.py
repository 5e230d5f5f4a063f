"""The installed server's checks against real postfix, dovecot and nginx: good, and broken in one way each."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import certificates as made
from lab import mail_server as lab_mail_server
from lab.inside import needs, running, wait_until
from lab.mail_server import DOMAIN, NAME, PASSWORD, Kind, MailServer, mail_server
from lab.skip import or_skip

from mailcow_wizard.checks.mail import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network import dialogue, tls
from mailcow_wizard.host.network.conversation import Trip
from mailcow_wizard.host.network.mail_trip import send_and_find
from mailcow_wizard.model import Finding, Settings
from tests.real.beside import Beside

pytestmark = pytest.mark.real

_KEYS = {
    "SMTP_PORT": "smtp",
    "SMTPS_PORT": "smtps",
    "SUBMISSION_PORT": "submission",
    "IMAP_PORT": "imap",
    "IMAPS_PORT": "imaps",
    "POP_PORT": "pop3",
    "POPS_PORT": "pop3s",
    "SIEVE_PORT": "sieve",
    "DOVEADM_PORT": "doveadm",
}
_ABSENT = ("13306", "7654")  # MariaDB and Redis are not part of this


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own."""
    place = tmp_path_factory.mktemp("shelf")
    place.chmod(0o755)
    with or_skip():
        made.authority(place)
    return place


@pytest.fixture(autouse=True)
def trusted(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients trust the authority."""
    context = ssl.create_default_context(cafile=str(shelf / "authority.pem"))
    monkeypatch.setattr(dialogue, "trusting", lambda: context)


@contextmanager
def serving(place: Path, pair: tuple[Path, Path], kind: Kind = Kind()) -> Iterator[MailServer]:  # noqa: B008
    with or_skip(), mail_server(*pair, kind) as server:
        rows = [f"{key}=127.0.0.1:{server.ports[name]}" for key, name in _KEYS.items()]
        rows += [f"{one}_BIND=127.0.0.1\n{one}_PORT={server.ports[one.lower()]}" for one in ("HTTP", "HTTPS")]
        rows += [f"MAILCOW_HOSTNAME={NAME}", "ENABLE_IPV6=false"]
        (place / "mailcow.conf").write_text("\n".join(rows) + "\n")
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def verified(place: Path, **settings: Any) -> dict[str, Finding]:
    """Every finding, by id, and by id and service for the ports."""
    facts = Facts(Beside(), Settings(directory=str(place), offline=settings.pop("offline", True), **settings))
    found = Run(CHECKS, facts, lambda event: None).run()
    return {f"{one.id} {one.subject}" if one.subject else one.id: one for one in found}


def of_port(found: dict[str, Finding], server: MailServer, name: str) -> Finding:
    return found[f"mail.ports {server.ports[name]}"]


def day(number: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + number * 86400))


def test_a_good_server(place: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is well, and a message that is sent through port 25 arrives by IMAP."""
    monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX", f"t@{DOMAIN}")
    monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX_PASSWORD", PASSWORD)
    with serving(place, made.issued(shelf, "good", NAME)) as server:
        found = verified(place, offline=False, timeout=60.0, addresses=("192.0.2.1",), resolver="127.0.0.1")
        for name in server.ports:
            if name not in ("auth", "lmtp"):
                one = of_port(found, server, name)
                assert one.status == "pass", (name, one.summary)
        assert found["mail.certificate"].status == "pass", found["mail.certificate"].summary
        assert (found["mail.relay"].status, found["mail.admin-password"].status) == ("pass", "pass")
        trip = found["mail.round-trip"]
        assert (trip.status, "was in the mailbox after" in trip.summary) == ("unknown", True), trip.summary
        assert PASSWORD not in str(found)
        # It is taken away again.
        assert not list((server.place / "dovecot/mail").rglob("*/cur/*"))
        assert not list((server.place / "dovecot/mail").rglob("*/new/*"))
        monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX_PASSWORD", "wrong")
        trip = verified(place, offline=False, timeout=60.0)["mail.round-trip"]
        assert (trip.status, "is the password right?" in trip.summary) == ("unknown", True), trip.summary


@pytest.mark.parametrize("password", ["Schlüssel-für-Änne", pytest.param("пароль", marks=pytest.mark.long)])
def test_a_password_that_is_not_ascii(
    place: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Both ways: who submits logs in with it, and who reads."""
    monkeypatch.setenv("TRIP_SECRET", password)
    monkeypatch.setattr(lab_mail_server, "PASSWORD", password)
    with serving(place, made.issued(shelf, f"word{len(password)}", NAME)) as server:
        ports = {name: str(port) for name, port in server.ports.items()}
        mailbox, imap = f"t@{DOMAIN}", ("127.0.0.1", ports["imaps"])
        way = ("127.0.0.1", ports["smtps"], "tls")
        trip = Trip(way, mailbox, mailbox, imap, "TRIP_SECRET", mailbox, "TRIP_SECRET")
        found = send_and_find(trip, 30.0)
        assert (found.stage, found.folder) == ("done", "INBOX"), found
        monkeypatch.setenv("TRIP_SECRET", "falsch-ü")
        found = send_and_find(trip, 30.0)
        assert (found.stage, "535" in found.text) == ("login", True), found
        found = send_and_find(trip._replace(smtp=("127.0.0.1", ports["smtp"], ""), login=""), 30.0)
        assert (found.stage, "AUTHENTICATIONFAILED" in found.text) == ("imap-login", True), found
        assert "falsch" not in found.text


def test_an_open_relay_and_open_submission(place: Path, shelf: Path) -> None:
    """It trusts everybody: the relay test sees it, and both ports that are for users."""
    kind = Kind(
        trusts="0.0.0.0/0", submission="permit_mynetworks,reject", login="return 302 /admin/dashboard;"
    )
    with serving(place, made.issued(shelf, "open", NAME), kind) as server:
        found = verified(place)
        assert found["mail.relay"].status == "fail"
        assert "open relay" in found["mail.relay"].summary
        for name in ("smtps", "submission"):
            one = of_port(found, server, name)
            assert (one.status, "has not logged in: 250" in one.summary) == ("fail", True), one.summary
        assert of_port(found, server, "smtp").status == "pass"
        assert found["mail.admin-password"].status == "fail"


def test_a_relay_for_senders_of_its_own(place: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may send to everybody in a user's name, and who that is has to be known to be tried."""
    relays = "permit_mynetworks,check_sender_access inline:{example.org=OK},reject_unauth_destination"
    more = f"smtpd_relay_restrictions={relays}\nsmtpd_sender_restrictions=reject_unlisted_sender\n"
    kind = Kind(mailboxes=f"inline:{{t@{DOMAIN}=x}}", more=more)
    with serving(place, made.issued(shelf, "sender", NAME), kind):
        found = verified(place)["mail.relay"]
        assert (found.status, "not tried as one of your own" in found.summary) == ("pass", True), found
        monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX", f"t@{DOMAIN}")
        found = verified(place)["mail.relay"]
        assert (found.status, "open relay" in found.summary) == ("fail", True), found.summary


def test_a_web_server_that_hears_proxies_alone(place: Path, shelf: Path) -> None:
    """nginx takes a request only behind a PROXY line: where mailcow.conf says so it is asked in this way."""
    with serving(place, made.issued(shelf, "proxied", NAME), Kind(proxied=True)) as server:
        found = verified(place)
        assert of_port(found, server, "https").status == "fail"
        with (place / "mailcow.conf").open("a") as conf:
            conf.write("NGINX_USE_PROXY_PROTOCOL=y\nHTTP_REDIRECT=n\n")
        found = verified(place)
        for name in ("http", "https"):
            one = of_port(found, server, name)
            assert (one.status, "--haproxy-protocol" in one.evidence[0].what) == ("pass", True), one
        assert found["mail.admin-password"].status == "pass", found["mail.admin-password"].summary


def test_submission_alone(place: Path, shelf: Path) -> None:
    """Relaying is refused in general, and allowed where nobody was meant to be without a log-in."""
    relays = "-o smtpd_relay_restrictions=check_client_access,static:OK,reject_unauth_destination"
    with serving(place, made.issued(shelf, "sub", NAME), Kind(submission=f"permit {relays}")) as server:
        found = verified(place)
        assert found["mail.relay"].status == "pass", found["mail.relay"].summary
        assert of_port(found, server, "submission").status == "fail"


@pytest.mark.parametrize(
    ("more", "words", "of_users"),
    [
        # The filter does not answer, as where rspamd does not run: postfix takes nothing from anybody.
        ("smtpd_milters=inet:127.0.0.1:1\nmilter_default_action=tempfail\n", "takes no mail now: 4", True),
        ("queue_minfree=99999999999999999\n", "takes no mail now: 452 4.3.1", True),
        ("smtpd_sasl_auth_enable=no\n", "offers no way to log in", True),
        pytest.param(
            "smtpd_discard_ehlo_keywords=starttls\n", "offers no STARTTLS", False, marks=pytest.mark.long
        ),
    ],
)
def test_a_postfix_that_serves_nobody(
    place: Path, shelf: Path, more: str, words: str, of_users: bool
) -> None:
    """It answers at its ports, and no mail goes through it."""
    with serving(place, made.issued(shelf, f"no{len(more)}", NAME), Kind(more=more)) as server:
        found = verified(place)
        for name in ("smtps", "submission") if of_users else ("smtp", "submission"):
            one = of_port(found, server, name)
            assert (one.status, words in one.summary) == ("fail", True), one.summary
        entry = of_port(found, server, "smtp")
        assert entry.status == ("pass" if "log in" in words else "fail"), entry.summary


@pytest.mark.parametrize(
    ("kind", "status", "words", "of_ports"),
    [
        pytest.param("own", "fail", "is one that signed itself", "pass", marks=pytest.mark.long),
        pytest.param("snake-oil", "fail", "is mailcow's stand-in", "pass", marks=pytest.mark.long),
        ("expired", "fail", "ended 3 d ago", "pass"),
        ("wrong", "fail", f"is for www.example.net, not for {NAME}", "warn"),
        pytest.param("soon", "warn", "ends in 5 d", "pass", marks=pytest.mark.long),
        pytest.param("stranger", "fail", "clients would not trust", "pass", marks=pytest.mark.long),
    ],
)
def test_certificates(place: Path, shelf: Path, kind: str, status: str, words: str, of_ports: str) -> None:
    pairs = {
        "own": lambda: made.self_signed(shelf, "own", f"/CN={NAME}", NAME),
        "snake-oil": lambda: made.self_signed(shelf, "oil", f"/O=mailcow/CN={NAME}"),
        "expired": lambda: made.issued(shelf, "old", NAME, begins=day(-90), ends=day(-3)),
        "wrong": lambda: made.issued(shelf, "wrong", "www.example.net"),
        "soon": lambda: made.issued(shelf, "soon", NAME, begins=day(-85), ends=day(5)),
        "stranger": lambda: _of_stranger(place),
    }
    with serving(place, pairs[kind]()) as server:
        found = verified(place)
        one = found["mail.certificate"]
        assert (one.status, words in one.summary) == (status, True), one.summary
        for name in ("smtp", "imap", "pop3", "sieve", "https", "submission"):
            port = of_port(found, server, name)
            assert port.status == of_ports, port.summary


def _of_stranger(place: Path) -> tuple[Path, Path]:
    """A certificate of an authority that nobody knows."""
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    made.authority(elsewhere)
    return made.issued(elsewhere, "x", NAME)


def test_without_a_list_of_authorities(
    place: Path, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ca-certificates is not installed: that a good certificate is not trusted says nothing about it."""
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/ssl-cert-snakeoil.0").write_text("x")
    places = ssl.get_default_verify_paths()
    places = places._replace(openssl_cafile="/nonexistent", openssl_capath=str(tmp_path / "certs"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: places)
    monkeypatch.setattr(tls, "LISTS", ())
    context = ssl.create_default_context()
    monkeypatch.setattr(dialogue, "trusting", lambda: context)
    with serving(place, made.issued(shelf, "unlisted", NAME)):
        found = verified(place)["mail.certificate"]
    assert (found.status, "no list of authorities" in found.summary) == ("unknown", True), found.summary
    assert "ca-certificates" in found.remedies[0]


@pytest.mark.long
def test_another_name(place: Path, shelf: Path) -> None:
    with serving(place, made.issued(shelf, "name", NAME), Kind(name="localhost.localdomain")) as server:
        one = of_port(verified(place), server, "smtp")
        assert (one.status, "greets as localhost.localdomain" in one.summary) == ("warn", True), one.summary


def test_a_redis_that_takes_nobody_more(place: Path) -> None:
    """It answers everybody, and whoever comes is told that there are too many."""
    (port,) = lab_mail_server.free_ports(1)
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\nREDIS_PORT=127.0.0.1:{port}\n"
    (place / "mailcow.conf").write_text(conf)
    argv = ["redis-server", "--port", str(port), "--maxclients", "1", "--save", "", "--dir", str(place)]
    with or_skip():
        needs("redis-server")
    with running(subprocess.Popen(argv, stdout=subprocess.DEVNULL)):
        assert wait_until(lambda: verified(place)[f"mail.ports {port}"].status == "pass", 20)
        with socket.create_connection(("127.0.0.1", port)):
            found = verified(place)[f"mail.ports {port}"]
    assert (found.status, "max number of clients" in found.summary) == ("fail", True), found.summary


def test_a_dead_server(place: Path, shelf: Path) -> None:
    """Nothing listens: each port says so by itself, and nothing is green."""
    with serving(place, made.issued(shelf, "dead", NAME)) as server:
        conf = (place / "mailcow.conf").read_text()
    (place / "mailcow.conf").write_text(conf)
    found = verified(place)
    for name in server.ports:
        if name not in ("auth", "lmtp"):
            one = of_port(found, server, name)
            assert (one.status, "nothing listens at" in one.summary) == ("fail", True), one.summary
    assert found["mail.relay"].status == "unknown"
    assert found["mail.certificate"].status == "fail"
    assert not [
        one.summary for key, one in found.items() if one.status == "pass" and key != "mail.containers"
    ]


@pytest.mark.long
def test_the_dialogues_are_curl_s(place: Path, shelf: Path) -> None:
    """Another client agrees: what we call TLS and a good certificate is that for curl too."""
    with serving(place, made.issued(shelf, "curl", NAME)) as server:
        url = f"imaps://{NAME}:{server.ports['imaps']}/"
        argv = ["curl", "-sS", "--cacert", str(shelf / "authority.pem"), "--connect-to", "::127.0.0.1:", "-u"]
        done = subprocess.run(
            [*argv, f"t@{DOMAIN}:{PASSWORD}", url], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "INBOX" in done.stdout
