"""The reverse proxy before mailcow's web server: where that one is on loopback the world meets the proxy."""

import pytest

from mailcow_wizard.checks.mail_ports import judge_ports
from mailcow_wizard.facts.mail.talks import spoke
from mailcow_wizard.host.network.conversation import Spoken
from mailcow_wizard.model import Judgement
from tests.checks.mail_machine import NAME, OWN, OWN_V6, MailMachine
from tests.checks.test_mail_services import BOXES, GOOD, TLS

CONF = (
    f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\nHTTP_BIND=127.0.0.1\nHTTP_PORT=8080\n"
    "HTTPS_BIND=127.0.0.1\nHTTPS_PORT=8443\n"
)
INSIDE = {"8080": GOOD["80"], "8443": GOOD["443"]}
LEADS, PAGE = GOOD["80"], GOOD["443"]


def _led(target: str) -> Spoken:
    return Spoken("open", "", (f"HTTP/1.1 301 Moved Permanently\nLocation: {target}\n\n",), TLS)


def front(http: Spoken, https: Spoken, conf: str = CONF, **more: str) -> dict[str, Judgement]:
    spoken = {**GOOD, **INSIDE, "80": http, "443": https}
    machine = MailMachine(BOXES, spoken, conf=conf, **more)  # type: ignore[arg-type]
    return {one.subject or "": one for one in judge_ports(machine.facts().get(spoke))}


def test_a_proxy_that_leads_to_mailcow() -> None:
    found = front(LEADS, PAGE)
    assert {one.status for one in found.values()} == {"pass"}
    assert found["443"].summary == f"the reverse proxy before mailcow answers at {OWN}:443"
    assert {"80", "443", "8080", "8443"} <= set(found)


def test_without_a_proxy_nothing_is_asked_twice() -> None:
    machine = MailMachine(BOXES, GOOD)
    assert machine.facts().get(spoke).talks.fronts == ()
    # Who has the usual port on loopback himself is asked there.
    conf = CONF.replace("8080", "80").replace("8443", "443")
    assert MailMachine(BOXES, GOOD, conf=conf).facts().get(spoke).talks.fronts == ()


@pytest.mark.parametrize(
    ("https", "status", "words"),
    [
        (Spoken("refused"), "warn", f"nothing listens at {OWN}:443, where a reverse proxy"),
        (Spoken("silent"), "unknown", "did not answer in time"),
        (Spoken("failed", text="no TLS: wrong version number"), "warn", "has no TLS: "),
        (Spoken("open", "", ("SSH-2.0-x",), TLS), "warn", "does not speak HTTP: SSH-2.0-x"),
        (Spoken("reset", text="it closed", tls=TLS), "warn", "does not speak HTTP: it closed"),
        (Spoken("open", "", ("HTTP/1.1 502 Bad Gateway\n",), TLS), "warn", "does not come to mailcow"),
        (Spoken("open", "", ("HTTP/1.1 404 Not Found\n",), TLS), "warn", "pages are not there"),
        (Spoken("open", "", ("HTTP/1.1 403 Forbidden\n",), TLS), "warn", "pages are not there"),
        (Spoken("open", "", ("HTTP/1.1 400 Bad Request\n",), TLS), "warn", "pages are not there"),
        (_led("https://shop.example.org/"), "warn", f"{OWN}:443 leads on to shop.example.org, and not to"),
        (_led(f"https://{NAME.upper()}/SOGo"), "pass", "answers at"),
        (Spoken("open", "", ("HTTP/1.1 401 Unauthorized\n",), TLS), "pass", "answers at"),
    ],
)
def test_a_proxy_that_does_not(https: Spoken, status: str, words: str) -> None:
    found = front(LEADS, https)
    assert (found["443"].status, words in found["443"].summary) == (status, True), found["443"].summary
    assert {one.status for port, one in found.items() if port != "443"} == {"pass"}
    assert (found["443"].doc or "").endswith("/reverse-proxy/r_p/") == (status != "pass")
    if "502" in str(https.replies):
        assert "Let it lead to mailcow at 127.0.0.1:8443." in found["443"].remedies


@pytest.mark.parametrize(
    ("inside", "outside", "status"),
    [
        ("<title>mailcow UI</title>", "<html><TITLE lang='de'>mailcow\n UI</TITLE>", "pass"),
        ("<title>mailcow UI</title>", "<title>Welcome to nginx!</title>", "warn"),
        ("<title>mailcow UI</title>", "<p>It works!</p>", "warn"),
        ("<p>no title</p>", "<title>Welcome to nginx!</title>", "pass"),
    ],
)
def test_a_proxy_that_shows_a_page_of_its_own(inside: str, outside: str, status: str) -> None:
    """It has no place for this name, and answers with the first that it has."""
    pages = {
        port: Spoken("open", "", (f"HTTP/1.1 200 OK\n\n{text}",), TLS)
        for port, text in (
            ("8443", inside),
            ("443", outside),
        )
    }
    machine = MailMachine(BOXES, {**GOOD, **INSIDE, **pages}, conf=CONF)
    found = {one.subject: one for one in judge_ports(machine.facts().get(spoke))}
    assert found["443"].status == status, found["443"].summary
    assert ("another page than mailcow" in found["443"].summary) == (status == "warn")
    # Who leads visitors on shows no page.
    moved = Spoken("open", "", ("HTTP/1.1 302 Found\nLocation: /SOGo\n\n<title>Found</title>",), TLS)
    assert front(LEADS, moved)["443"].status == "pass"


def test_over_both_families() -> None:
    conf = CONF.replace("ENABLE_IPV6=false", "ENABLE_IPV6=true")
    found = front(LEADS, PAGE, conf, v6=OWN_V6)
    assert found["443"].summary.endswith(f"answers at {OWN}:443 and [{OWN_V6}]:443")
