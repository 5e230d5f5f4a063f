"""A stand-in for mailcow's web server and its database: a program with no line of mailcow's.

`mailcow_web.py DIRECTORY PORT [CERTIFICATE KEY]` serves the part of the API that its manual documents and the
wizard uses, and the form of the log-in; `mailcow_web.py DIRECTORY PORT,TABLE …` also a table for postfix
(tcp_table(5)) of domains and mailboxes. `mailcow_web.py DIRECTORY sql` is the database's client, with
statements from `-e` or standard input; `mailcow_web.py DIRECTORY redis` is that of Redis, for DKIM keys. What
there is lies in DIRECTORY.
"""

import base64
import hashlib
import json
import os
import re
import socketserver
import sqlite3
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

_TABLES = """
CREATE TABLE IF NOT EXISTS api (api_key PRIMARY KEY, active, allow_from, access);
CREATE TABLE IF NOT EXISTS domain (domain PRIMARY KEY);
CREATE TABLE IF NOT EXISTS alias_domain (alias_domain, target_domain);
CREATE TABLE IF NOT EXISTS mailbox (username PRIMARY KEY, password, messages DEFAULT 0);
CREATE TABLE IF NOT EXISTS alias (address, goto);
CREATE TABLE IF NOT EXISTS admin (username, password, superadmin, active);
CREATE TABLE IF NOT EXISTS domain_admins (username);
CREATE TABLE IF NOT EXISTS tfa (username);
CREATE TABLE IF NOT EXISTS dkim (domain PRIMARY KEY, selector, public);
"""
FIRST = "moohoo"


def hashed(password: str, salt: bytes = b"saltsalt") -> str:
    """As dovecot writes it: {SSHA256}, and the hash with its salt in Base64."""
    return "{SSHA256}" + base64.b64encode(hashlib.sha256(password.encode() + salt).digest() + salt).decode()


def database(directory: Path) -> sqlite3.Connection:
    """The database, made where there is none; its administrator has the first password then."""
    path = directory / "mailcow.db"
    made = not path.exists()
    link = sqlite3.connect(path, timeout=20)
    link.executescript(_TABLES)
    if made:
        link.execute("INSERT INTO admin VALUES ('admin', ?, 1, 1)", (hashed(FIRST),))
        link.commit()
    link.create_function("FROM_BASE64", 1, lambda text: base64.b64decode(text + "=" * (-len(text) % 4)))
    link.create_function("SHA2", 2, lambda data, bits: hashlib.sha256(_bytes(data)).hexdigest())
    link.create_function("CONCAT", 2, lambda one, two: _bytes(one) + _bytes(two))
    link.create_function("LEFT_", 2, lambda text, count: text[:count])
    return link


def _bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else str(data).encode()


def sql(directory: Path, words: list[str]) -> int:
    """Runs statements; rows with tabs between their columns."""
    text = words[words.index("-e") + 1] if "-e" in words else sys.stdin.read()
    link = database(directory)
    with link:
        for statement in filter(str.strip, text.replace("LEFT(", "LEFT_(").split(";")):
            for row in link.execute(statement):
                print("\t".join(str(one) for one in row))
    return 0


def redis(directory: Path, words: list[str]) -> int:
    """HMGET of one of the two hashes of DKIM."""
    column = {"DKIM_SELECTORS": "selector", "DKIM_PUB_KEYS": "public"}[words[words.index("HMGET") + 1]]
    link = database(directory)
    for domain in words[words.index("HMGET") + 2 :]:
        row = link.execute(f"SELECT {column} FROM dkim WHERE domain = ?", (domain,)).fetchone()
        print(row[0] if row else "")
    return 0


class _Web(BaseHTTPRequestHandler):
    """The API and the form."""

    directory = Path()

    def do_GET(self) -> None:
        """What there is, or a page."""
        if not self.path.startswith("/api/v1/"):
            self._page(200, "<title>mailcow UI</title>")
            return
        link = database(self.directory)
        if self._may(link, "ro"):
            self._send(200, self._known(link, *self.path.split("/")[4:6]))

    def _known(self, link: sqlite3.Connection, kind: str, name: str) -> dict[str, object]:
        keys = {"domain": "domain", "mailbox": "username", "dkim": "domain"}
        row = link.execute(f"SELECT * FROM {kind} WHERE {keys[kind]} = ?", (name,)).fetchone()
        if row is None:
            return {}
        if kind == "domain":
            like = (f"%@{name}",)
            count = link.execute("SELECT COUNT(*) FROM mailbox WHERE username LIKE ?", like).fetchone()[0]
            return {"domain_name": name, "mboxes_in_domain": str(count), "active": 1}
        if kind == "mailbox":
            return {"username": name, "messages": row[2], "active": 1}
        return {"pubkey": row[2], "dkim_selector": row[1], "length": "2048", "privkey": ""}

    def do_POST(self) -> None:
        """Adds, deletes, logs in."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        link = database(self.directory)
        if not self.path.startswith("/api/v1/"):
            self._log_in(link, body)
            return
        if not self._may(link, "rw"):
            return
        said = json.loads(body)
        with (self.directory / "api.log").open("a") as log:
            log.write(f"{self.path} {'…' if 'mailbox' in self.path else body}\n")
        with link:
            kind, words = _do(self.directory, link, self.path.removeprefix("/api/v1/"), said)
        self._send(200, [{"type": kind, "log": ["stand-in"], "msg": words}])

    def _log_in(self, link: sqlite3.Connection, body: str) -> None:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        row = link.execute(
            "SELECT password FROM admin WHERE username = ?", (form.get("login_user"),)
        ).fetchone()
        if row and row[0] == hashed(form.get("pass_user", "")):
            self._page(302, "", Location="/admin/dashboard", **{"Set-Cookie": "a=b"})
        else:
            self._page(200, '<input name="login_user"><input name="pass_user">')

    def _may(self, link: sqlite3.Connection, access: str) -> bool:
        row = link.execute("SELECT * FROM api WHERE api_key = ?", (self.headers.get("X-API-Key"),)).fetchone()
        sees = self.headers.get("X-Real-IP") or self.client_address[0]
        if row is None or access not in (row[3], "ro"):
            self._send(401, {"type": "error", "msg": "authentication failed"})
        elif sees not in row[2].split(","):
            self._send(401, {"type": "error", "msg": f"api access denied for ip {sees}"})
        else:
            return True
        return False

    def _send(self, status: int, document: object) -> None:
        self._page(status, json.dumps(document), **{"Content-Type": "application/json"})

    def _page(self, status: int, text: str, **heads: str) -> None:
        self.send_response(status)
        for name, value in heads.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


def _do(directory: Path, link: sqlite3.Connection, what: str, said: Any) -> tuple[str, object]:
    if what == "add/domain":
        try:
            link.execute("INSERT INTO domain VALUES (?)", (said["domain"],))
        except sqlite3.IntegrityError:
            return "danger", ["domain_exists", said["domain"]]
        _make_key(directory, link, said["domain"], said["dkim_selector"], said["key_size"])
        return "success", ["domain_added", said["domain"]]
    if what == "add/dkim":
        _make_key(directory, link, said["domains"], said["dkim_selector"], said["key_size"])
        return "success", ["dkim_added", said["domains"]]
    if what == "add/mailbox":
        if not re.search(r"[a-z].*\d|\d.*[a-z]", said["password"]) or said["password"] != said["password2"]:
            return "danger", "password_complexity"
        address = f"{said['local_part']}@{said['domain']}"
        if not link.execute("SELECT 1 FROM domain WHERE domain = ?", (said["domain"],)).fetchone():
            return "danger", ["domain_not_found", said["domain"]]
        link.execute("INSERT INTO mailbox (username, password) VALUES (?, ?)", (address, said["password"]))
        _write_users(directory, link)
        return "success", ["mailbox_added", address]
    kind, name = what.removeprefix("delete/"), said[0]
    if (
        kind == "domain"
        and link.execute("SELECT 1 FROM mailbox WHERE username LIKE ?", (f"%@{name}",)).fetchone()
    ):
        return "danger", ["domain_not_empty", name]
    column = "username" if kind == "mailbox" else "domain"
    link.execute(f"DELETE FROM {kind} WHERE {column} = ?", (name,))
    _write_users(directory, link)
    return "success", [f"{kind}_removed", name]


def _make_key(directory: Path, link: sqlite3.Connection, domain: str, selector: str, bits: str) -> None:
    private = directory / f"{domain}.{selector}.key"
    subprocess.run(["openssl", "genrsa", "-out", str(private), bits], check=True, capture_output=True)
    private.chmod(0o644)
    shown = subprocess.run(
        ["openssl", "rsa", "-in", str(private), "-pubout"], check=True, capture_output=True
    )
    public = "".join(shown.stdout.decode().splitlines()[1:-1])
    link.execute("INSERT OR REPLACE INTO dkim VALUES (?, ?, ?)", (domain, selector, public))


def _write_users(directory: Path, link: sqlite3.Connection) -> None:
    """Those who may log in, for dovecot."""
    rows = link.execute("SELECT username, password FROM mailbox").fetchall()
    part = directory / "users.part"
    part.write_text("".join(f"{name}:{{PLAIN}}{password}\n" for name, password in rows))
    part.replace(directory / "users")


class _Table(socketserver.StreamRequestHandler):
    """Which domains and mailboxes there are, for postfix."""

    def handle(self) -> None:
        for line in self.rfile:
            key = line.decode().strip().removeprefix("get ").lower()
            table = "mailbox WHERE username" if "@" in key else "domain WHERE domain"
            row = database(_Web.directory).execute(f"SELECT 1 FROM {table} = ?", (key,)).fetchone()
            self.wfile.write(b"200 here\n" if row else b"500 no\n")


class _Tables(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def _take_key(link: sqlite3.Connection, key: str, allowed: str) -> None:
    """As mailcow's does when it starts: a key of mailcow.conf takes the place of all that may change things,
    and none in mailcow.conf leaves them all."""
    if key not in ("", "invalid") and allowed not in ("", "invalid"):
        with link:
            link.execute("DELETE FROM api WHERE access = 'rw'")
            link.execute("INSERT INTO api VALUES (?, 1, ?, 'rw')", (key, allowed))


def serve(directory: Path, ports: list[int], pair: list[str]) -> None:
    """Serves until it is ended."""
    _Web.directory = directory
    link = database(directory)
    _take_key(link, os.environ.get("API_KEY", ""), os.environ.get("API_ALLOW_FROM", ""))
    link.close()
    (directory / "users").touch()
    web = ThreadingHTTPServer(("", ports[0]), _Web)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        web.socket = context.wrap_socket(web.socket, server_side=True)
    for port in ports[1:]:
        threading.Thread(target=_Tables(("", port), _Table).serve_forever, daemon=True).start()
    print("ready", flush=True)
    web.serve_forever()


if __name__ == "__main__":
    place, what, *more = sys.argv[1:]
    if what[0].isdigit():
        serve(Path(place), [int(one) for one in what.split(",")], more)
    else:
        sys.exit({"sql": sql, "redis": redis}[what](Path(place), more))
