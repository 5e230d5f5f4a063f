"""mailcow behind real web servers: nginx with two sites, Apache, Caddy, HAProxy; asked through them."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import machine
from lab.certificates import NEW_KEY
from lab.inside import wait_until
from lab.machine import Machine
from lab.skip import or_skip

from tests.real.mending import Mender, Snapshot, commands, edits, snapshot, words

pytestmark = pytest.mark.real

CONF = "MAILCOW_HOSTNAME=mail.example.org\nHTTP_PORT=80\nHTTP_BIND=\nHTTPS_PORT=443\nHTTPS_BIND=\nTZ=UTC\n"
BEHIND = [
    "HTTP_PORT=8080",
    "HTTP_BIND=127.0.0.1",
    "HTTPS_PORT=8443",
    "HTTPS_BIND=127.0.0.1",
    "HTTP_REDIRECT=n",
]
ASSETS = "/srv/mailcow/data/assets/ssl"

# In mailcow's place: says what it was asked.
MAILCOW = """
import http.server, json
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        size = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        said = json.dumps({"path": self.path, "size": size, **self.headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_POST = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Answer).serve_forever()
"""
ASK = """
import http.client, json, ssl, sys
scheme, host, path, size = sys.argv[1:]
context = ssl._create_unverified_context()
one = http.client.HTTPSConnection("127.0.0.1", context=context) if scheme == "https" else None
one = one or http.client.HTTPConnection("127.0.0.1")
one.request("POST" if int(size) else "GET", path, b"x" * int(size), {"Host": host})
reply = one.getresponse()
print(json.dumps([reply.status, reply.getheader("Location") or "", reply.read().decode()]))
"""


_NOTED = ("module/enabled", "module/disabled", "site/enabled", "site/disabled")


@pytest.fixture(scope="module")
def servers() -> Iterator[Machine]:
    """A Debian where nginx, Apache, Caddy and HAProxy are installed, and stopped; a pretended mailcow."""
    with or_skip(), machine.booted("apache2", "caddy", "haproxy") as made:
        made.run(["systemctl", "disable", "--now", "apache2", "caddy", "haproxy"], check=True)
        # Debian's tools make these at their first use, and leave them.
        noted = [f"/var/lib/apache2/{one}_by_admin" for one in _NOTED]
        made.run(["mkdir", "-p", *noted], check=True)
        made.write("/opt/ask.py", ASK)
        made.write("/opt/answer.py", MAILCOW)
        yield made


@pytest.fixture
def mender(servers: Machine, tmp_path: Path) -> Mender:
    """Fixes on the machine, where mailcow.conf and a first certificate are."""
    certificate(servers, tmp_path)
    servers.write("/srv/mailcow/mailcow.conf", CONF)
    return Mender(servers, "python3", machine.CHECKOUT_INSIDE, "/srv/mailcow", "/var/lib/mailcow-wizard")


def certificate(servers: Machine, directory: Path) -> None:
    """What generate_config.sh makes: a certificate that nobody signed."""
    key, cert = directory / "key.pem", directory / "cert.pem"
    made = ["req", "-x509", *NEW_KEY, "-days", "2", "-subj", "/CN=mail.example.org"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *made, *files], check=True, capture_output=True)
    for one in (key, cert):
        servers.write(f"{ASSETS}/{one.name}", one.read_text())
    servers.write("/srv/both.pem", cert.read_text() + key.read_text())


@contextmanager
def serving(servers: Machine, unit: str, **files: str) -> Iterator[None]:
    """A web server with these files (the key is the path), stopped and as before afterwards."""
    before = {path: servers.run(["cat", path]).stdout for path in files}
    for path, text in files.items():
        servers.write(path, text)
    # The tests start servers more often than systemd allows.
    servers.run(["systemctl", "reset-failed", unit])
    servers.run(["systemctl", "start", unit], check=True)
    try:
        yield
    finally:
        servers.run(["systemctl", "stop", unit])
        for path, text in before.items():
            servers.write(path, text) if text else servers.run(["rm", path])
        assert wait_until(lambda: not servers.run(["ss", "-Hltn"]).stdout.strip(), 60)


@contextmanager
def mailcow(servers: Machine) -> Iterator[None]:
    """The pretended mailcow on its port behind the proxy."""
    servers.run(["systemd-run", "--quiet", "--unit=mailcow", "python3", "/opt/answer.py"], check=True)
    assert wait_until(lambda: "127.0.0.1:8080" in servers.run(["ss", "-Hltn"]).stdout, 60)
    yield
    servers.run(["systemctl", "stop", "mailcow"], check=True)


def ask(servers: Machine, scheme: str, host: str, path: str, size: int = 0) -> tuple[int, str, str]:
    """Status, location and body of an answer."""
    done = servers.run(["python3", "/opt/ask.py", scheme, host, path, str(size)], check=True)
    status, location, body = json.loads(done.stdout)
    return status, location, body


def assert_passed_on(servers: Machine, *names: str) -> None:
    """mailcow is reached under each name, knows who asked and how, and takes phones and big mail."""
    for name in names:
        assert ask(servers, "http", name, "/a?b=c")[:2] == (301, f"https://{name}/a?b=c")
        status, _, body = ask(servers, "http", name, "/.well-known/acme-challenge/token")
        assert (status, json.loads(body)["path"]) == (200, "/.well-known/acme-challenge/token")
        for path, size in (("/SOGo/so?x=%2F", 0), ("/Microsoft-Server-ActiveSync?Cmd=Ping", 3 << 20)):
            status, _, body = ask(servers, "https", name, path, size)
            said: dict[str, Any] = {key.lower(): value for key, value in json.loads(body).items()}
            assert (status, said["path"], said["size"]) == (200, path, size)
            assert said["host"] == name
            assert said["x-forwarded-proto"] == "https"
            assert said["x-real-ip"] == "127.0.0.1"
            assert "127.0.0.1" in said["x-forwarded-for"]


def assert_behind(servers: Machine) -> None:
    """mailcow.conf says so."""
    lines = servers.run(["cat", "/srv/mailcow/mailcow.conf"]).stdout.splitlines()
    assert set(BEHIND) <= set(lines)


def look_at(servers: Machine, unit: str) -> Snapshot:
    """The machine, this server's unit above all, and what Debian's tools keep of Apache's modules."""
    return snapshot(servers, unit, directories=("/etc", "/srv", "/var/lib/apache2"))


NGINX_SITES = {
    f"/etc/nginx/sites-enabled/{name}": f"server {{ listen 80; listen [::]:80; "
    f"server_name {name}.example.org; location / {{ return 200 {name}; }} }}\n"
    for name in ("shop", "blog")
}
APACHE_SITE = (
    "<VirtualHost *:80>\n  ServerName shop.example.org\n  Redirect / http://example.net/\n</VirtualHost>\n"
)
CADDYFILE = """{
	admin localhost:2019
	local_certs
	skip_install_trust
}
http://shop.example.org {
	respond shop
}
"""
HAPROXY = """
frontend web
    bind :80
    mode http
    default_backend shop
frontend secure
    bind :443 ssl crt /srv/both.pem
    mode http
    default_backend shop
backend shop
    mode http
    http-request return status 200 content-type text/plain string shop
"""


def test_nginx_with_two_sites(servers: Machine, mender: Mender) -> None:
    """Its sites stay, mailcow is behind it, and all of it goes away again."""

    def behind() -> None:
        with mailcow(servers):
            assert_passed_on(servers, "mail.example.org", "autodiscover.example.net")
        for name in ("shop", "blog"):
            assert ask(servers, "http", f"{name}.example.org", "/") == (200, "", name)
        assert_behind(servers)

    with serving(servers, "nginx.service", **NGINX_SITES):
        assert mender.offered("ports.http") == ["proxy-mode", "stop-service", "move-port", "remove-package"]
        assert mender.risk("ports.http", "stop-service") == "high"
        stop = words(mender.plan("ports.http", "stop-service"))
        assert "blog.example.org, shop.example.org" in stop
        plan = mender.plan("ports.http", "proxy-mode")
        assert commands(plan)[0] == "nginx -t"
        assert commands(plan)[-2:] == ["nginx -t", "systemctl reload nginx.service"]
        assert "Let's Encrypt" in words(plan)
        mender.there_and_back("ports.http", "proxy-mode", lambda: look_at(servers, "nginx.service"), behind)


def test_nginx_with_its_default_page(servers: Machine, mender: Mender) -> None:
    """Nobody would miss it: stopping it comes first."""
    with serving(servers, "nginx.service"):
        assert mender.offered("ports.http")[:2] == ["stop-service", "proxy-mode"]
        mender.there_and_back("ports.http", "stop-service", lambda: look_at(servers, "nginx.service"))


@pytest.mark.long
def test_before_the_first_certificate(servers: Machine, mender: Mender) -> None:
    """Without it nginx would not start: the part for HTTPS is a comment, which works when it is none."""
    servers.run(["mv", ASSETS, "/srv/later"], check=True)

    site = "/etc/nginx/sites-available/mailcow.conf"

    def plain_only() -> None:
        assert ":443" not in servers.run(["ss", "-Hltn"]).stdout
        servers.run(["mv", "/srv/later", ASSETS], check=True)
        kept = servers.run(["cat", site]).stdout
        servers.run(["sed", "-i", "/^#server {/,$s/^#//", site], check=True)
        servers.run(["nginx", "-t"], check=True)
        servers.write(site, kept)
        servers.run(["mv", ASSETS, "/srv/later"], check=True)

    with serving(servers, "nginx.service", **NGINX_SITES):
        assert "is not there yet" in words(mender.plan("ports.http", "proxy-mode"))
        mender.there_and_back(
            "ports.http", "proxy-mode", lambda: look_at(servers, "nginx.service"), plain_only
        )
    servers.run(["mv", "/srv/later", ASSETS], check=True)


def test_a_configuration_that_nginx_refuses_is_taken_back(servers: Machine, mender: Mender) -> None:
    """Its own test comes before the reload; what was done until then can be taken back."""
    site = "server { listen 80; server_name old.example.org; }\n"
    with serving(servers, "nginx.service", **{"/etc/nginx/sites-enabled/old": site}):
        servers.write(f"{ASSETS}/key.pem", "broken\n")
        before = look_at(servers, "nginx.service")
        ended = mender.ask("apply", "ports.http", "proxy-mode")
        assert ended["state"] == "failed", ended
        assert not any("reload" in line for line in ended["log"])
        assert ask(servers, "http", "shop.example.org", "/")[0] == 200
        mender.undo(ended["change"])
        assert look_at(servers, "nginx.service") == before


def test_a_configuration_that_was_broken_before_is_told(servers: Machine, mender: Mender) -> None:
    """Nothing was done, so nothing is reloaded to take it back."""
    with serving(servers, "nginx.service", **NGINX_SITES):
        servers.write("/etc/nginx/conf.d/broken.conf", "broken;\n")
        ended = mender.ask("apply", "ports.http", "proxy-mode")
        assert ended["state"] == "failed", ended
        back = mender.undo(ended["change"])
        assert not any("reload" in line for line in back["log"]), back["log"]
        servers.run(["rm", "/etc/nginx/conf.d/broken.conf"], check=True)


@pytest.mark.long
def test_a_server_that_was_stopped_since_stays_stopped(servers: Machine, mender: Mender) -> None:
    for unit, site in (
        ("nginx.service", NGINX_SITES),
        ("apache2.service", {"/etc/apache2/sites-enabled/shop.conf": APACHE_SITE}),
    ):
        with serving(servers, unit, **site):
            change = mender.apply("ports.http", "proxy-mode")["change"]
            servers.run(["systemctl", "stop", unit], check=True)
            mender.undo(change)
            assert servers.run(["systemctl", "is-active", unit]).stdout.strip() == "inactive"


def test_apache_without_a_certificate_opens_no_port(servers: Machine, mender: Mender) -> None:
    """Port 443 would speak plain HTTP: what opens it is left for when there is a certificate."""

    def plain_only() -> None:
        assert ":443" not in servers.run(["ss", "-Hltn"]).stdout

    servers.run(["mv", ASSETS, "/srv/later"], check=True)
    with serving(servers, "apache2.service", **{"/etc/apache2/sites-enabled/shop.conf": APACHE_SITE}):
        said = words(mender.plan("ports.http", "proxy-mode"))
        assert "a2enmod ssl" in said
        assert "apache2 keeps port 80 and its sites" in said
        look = lambda: look_at(servers, "apache2.service")  # noqa: E731
        mender.there_and_back("ports.http", "proxy-mode", look, plain_only)
    servers.run(["mv", "/srv/later", ASSETS], check=True)


def test_apache(servers: Machine, mender: Mender) -> None:
    """Modules are switched on and off again; hosts without a name do not take mailcow's."""

    def behind() -> None:
        with mailcow(servers):
            assert_passed_on(servers, "mail.example.org", "autoconfig.example.net")
        assert ask(servers, "http", "shop.example.org", "/")[:2] == (302, "http://example.net/")
        assert "Apache2 Debian Default Page" in ask(servers, "http", "unknown.example.com", "/")[2]
        assert_behind(servers)

    def look() -> Snapshot:
        return look_at(servers, "apache2.service")

    with serving(servers, "apache2.service"):
        assert mender.offered("ports.http")[0] == "stop-service"
        mender.there_and_back("ports.http", "stop-service", look)
    with serving(servers, "apache2.service", **{"/etc/apache2/sites-enabled/shop.conf": APACHE_SITE}):
        assert mender.offered("ports.http")[0] == "proxy-mode"
        mender.there_and_back("ports.http", "proxy-mode", look, behind)


def test_caddy(servers: Machine, mender: Mender) -> None:
    """A file of its own and one line; Caddy makes certificates by itself."""

    def behind() -> None:
        with mailcow(servers):
            assert wait_until(lambda: _answers(servers), 60)
            assert ask(servers, "http", "mail.example.org", "/x")[:2] == (301, "https://mail.example.org/x")
            status, _, body = ask(servers, "http", "mail.example.org", "/.well-known/acme-challenge/token")
            assert (status, json.loads(body)["Host"]) == (200, "mail.example.org")
        assert ask(servers, "http", "shop.example.org", "/") == (200, "", "shop")
        assert_behind(servers)

    with serving(servers, "caddy.service", **{"/etc/caddy/Caddyfile": CADDYFILE}):
        assert mender.offered("ports.http")[0] == "proxy-mode"
        assert edits(mender.plan("ports.http", "proxy-mode"))[1:] == [
            "/etc/caddy/mailcow.caddy",
            "/etc/caddy/Caddyfile",
        ]
        mender.there_and_back("ports.http", "proxy-mode", lambda: look_at(servers, "caddy.service"), behind)


def _answers(servers: Machine) -> bool:
    """Whether Caddy speaks TLS for mailcow: a client that names the host in TLS too."""
    call = (
        "import ssl, socket; c = ssl._create_unverified_context(); "
        "plain = socket.create_connection(('127.0.0.1', 443)); "
        "s = c.wrap_socket(plain, server_hostname='mail.example.org'); "
        "s.sendall(b'GET /SOGo HTTP/1.1\\r\\nHost: mail.example.org\\r\\nConnection: close\\r\\n\\r\\n'); "
        "print(s.makefile().read())"
    )
    said = servers.run(["python3", "-c", call]).stdout
    return '"X-Forwarded-Proto": "https"' in said and '"X-Real-Ip": "127.0.0.1"' in said


def test_haproxy(servers: Machine, mender: Mender) -> None:
    """One file with frontends of its own: the lines are shown, and HAProxy itself finds them right."""
    before = servers.run(["cat", "/etc/haproxy/haproxy.cfg"]).stdout
    with serving(servers, "haproxy.service", **{"/etc/haproxy/haproxy.cfg": before + HAPROXY}):
        assert mender.offered("ports.https")[0] == "proxy-mode"
        plan = mender.plan("ports.https", "proxy-mode")
        assert "as soon as you have put the lines below" in plan["consequence"]
        text = next(one["manual"] for one in plan["steps"] if "backend mailcow" in one.get("manual", ""))
        plain, secure, backend = re.split(r"(?m)^# \d\..*\n", text)[1:]
        mender.there_and_back("ports.https", "proxy-mode", lambda: look_at(servers, "haproxy.service"))
        written = HAPROXY.replace("bind :80\n    mode http\n", f"bind :80\n    mode http\n{plain}")
        written = written.replace("both.pem\n    mode http\n", f"both.pem\n    mode http\n{secure}")
        servers.write("/etc/haproxy/haproxy.cfg", before + written + backend)
        servers.run(["haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"], check=True)
        servers.run(["systemctl", "restart", "haproxy.service"], check=True)
        with mailcow(servers):
            assert_passed_on(servers, "mail.example.org", "autodiscover.example.net")
        assert ask(servers, "https", "shop.example.org", "/") == (200, "", "shop")


def test_what_only_a_person_can_decide_is_refused(servers: Machine, mender: Mender) -> None:
    """A site of that name, a file of that name, another holder of the other port."""
    site = "server { listen 80; server_name mail.example.org; }\n"
    with serving(servers, "nginx.service", **{"/etc/nginx/sites-enabled/old": site}):
        assert "has a site for mail.example.org already" in mender.plan("ports.http", "proxy-mode")["refused"]
    with serving(servers, "nginx.service", **{"/etc/nginx/sites-available/mailcow.conf": "# mine\n"}):
        assert "is there already" in mender.plan("ports.http", "proxy-mode")["refused"]
    alone = "\nfrontend secure\n    bind :443\n    mode http\n"
    config = servers.run(["cat", "/etc/haproxy/haproxy.cfg"]).stdout
    haproxy = serving(servers, "haproxy.service", **{"/etc/haproxy/haproxy.cfg": config + alone})
    with haproxy:
        servers.run(["systemctl", "reset-failed", "nginx.service"])
        servers.run(["systemctl", "start", "nginx.service"], check=True)
        assert "is held by haproxy" in mender.plan("ports.http", "proxy-mode")["refused"]
        servers.run(["systemctl", "stop", "nginx.service"], check=True)
