"""What the stand-in's containers run where they speak mail: real postfix, dovecot, nginx and Redis, and a
stand-in of the web server and the database. The programs come in by mounts of this machine's /usr.
"""

import shutil
from pathlib import Path

from . import mailcow_web
from .mail_server import Kind, dovecot_conf, main_cf, master_cf

NAME = "mail.example.org"
SERVICES = ("unbound", "mysql", "redis", "dovecot", "postfix", "nginx", "php-fpm")
_PORTS = {
    "smtp": 25,
    "smtps": 465,
    "submission": 587,
    "imap": 143,
    "imaps": 993,
    "pop3": 110,
    "pop3s": 995,
    "sieve": 4190,
    "doveadm": 12345,
    "lmtp": 24,
    "auth": 10001,
}
_WEB, _TABLE = 9000, 9001
_STATE = "/state"
_PAIR = (Path("/ssl/cert.pem"), Path("/ssl/key.pem"))
_PROGRAMS = (
    *("/usr:/usr:ro", "/usr/bin:/bin:ro", "/usr/sbin:/sbin:ro", "/usr/lib:/lib:ro"),
    "/usr/lib64:/lib64:ro",
)
_TABLES = tuple(
    f"/etc/{one}:/etc/{one}:ro"
    for one in ("passwd", "group", "services", "protocols", "nsswitch.conf", "postfix")
)
_PATH = "/lab/bin:/usr/sbin:/usr/bin"
# MariaDB's first packet: length, number, protocol 10, version.
_GREETS = r"J\000\000\000\n5.5.5-10.11.6-MariaDB"

_DOVECOT = """mkdir -p /var/lib/dovecot/mail && chown nobody:nogroup /var/lib/dovecot/mail
exec dovecot -F -c /lab/dovecot.conf"""
_POSTFIX = """mkdir -p /var/spool/own/queue /var/spool/own/data /tmp
chown postfix:postfix /var/spool/own/data
cp -rT /lab/postfix /var/spool/conf && exec postfix -c /var/spool/conf start-fg"""
_NGINX = "mkdir -p /tmp /var/log/nginx /var/lib/nginx && exec nginx -c /lab/nginx.conf -g 'daemon off;'"
_WEB_SERVER = f"exec python3 /lab/mailcow_web.py {_STATE} {_WEB},{_TABLE}"
_DATABASE = (
    """f=/state/password; [ -e $$f ] || echo "$$MYSQL_PASSWORD" > $$f
[ "$$(cat $$f)" = "$$MYSQL_PASSWORD" ] || { echo "Access denied for user mailcow"; exit 1; }
exec busybox nc -ll -p 3306 -e busybox printf '%b' '"""
    + _GREETS
    + "'"
)
_REDIS = (
    """mkdir -p /tmp && exec redis-server --requirepass "$$REDISPASS" --save '' --dir /tmp --bind 0.0.0.0"""
)


def add(services: dict[str, dict[str, object]]) -> None:
    """Has the services of the stand-in speak."""
    state = ["mysql-vol-1:/state"]
    ssl = ["./data/assets/ssl:/ssl:ro"]
    passwords = {"MYSQL_PASSWORD": "${DBPASS}", "MYSQL_USER": "mailcow", "MYSQL_DATABASE": "mailcow"}
    _speak(services["mysql-mailcow"], _DATABASE, state, ["127.0.0.1:13306:3306"], passwords)
    _speak(services["redis-mailcow"], _REDIS, state, ["127.0.0.1:7654:6379"], {"REDISPASS": "${REDISPASS}"})
    imap = ["143:143", "993:993", "110:110", "995:995", "4190:4190", "127.0.0.1:19991:12345"]
    _speak(services["dovecot-mailcow"], _DOVECOT, [*state, *ssl], imap)
    _speak(services["postfix-mailcow"], _POSTFIX, ssl, ["${SMTP_PORT:-25}:25", "465:465", "587:587"])
    _speak(services["nginx-mailcow"], _NGINX, ssl, ["80:80", "443:443"])
    key = {one: f"${{{one}:-invalid}}" for one in ("API_KEY", "API_ALLOW_FROM")}
    _speak(services["php-fpm-mailcow"], _WEB_SERVER, state, [], key)


def _speak(
    service: dict[str, object],
    script: str,
    volumes: list[str],
    ports: list[str],
    environment: dict[str, str] | None = None,
) -> None:
    service["command"] = ["/usr/bin/sh", "-c", f"set -e; PATH={_PATH}; export PATH; {script}"]
    service["volumes"] = [*_PROGRAMS, *_TABLES, "./data/lab:/lab:ro", *volumes]
    service["ports"] = ports
    service["environment"] = {"PATH": _PATH, **(environment or {})}


def write(directory: Path) -> None:
    """What their programs read, in the repository."""
    (directory / "bin").mkdir(parents=True)
    (directory / "postfix").mkdir()
    shutil.copy(mailcow_web.__file__, directory / "mailcow_web.py")
    for name, task in (("mariadb", "sql"), ("redis-cli", "redis")):
        program = directory / "bin" / name
        program.write_text(f'#!/usr/bin/sh\nexec python3 /lab/mailcow_web.py {_STATE} {task} "$@"\n')
        program.chmod(0o755)
    users = f"driver=passwd-file\n args={_STATE}/users"
    dovecot = dovecot_conf(Path("/var/lib/dovecot"), _PORTS, _PAIR, users, "*")
    (directory / "dovecot.conf").write_text(dovecot)
    table = f"tcp:php-fpm-mailcow:{_TABLE}"
    kind = Kind(trusts="127.0.0.0/8", domains=table, mailboxes=table)
    main = main_cf(Path("/var/spool/own"), _PORTS, _PAIR, kind, "all", "dovecot-mailcow")
    (directory / "postfix/main.cf").write_text(main)
    (directory / "postfix/master.cf").write_text(master_cf(_PORTS, kind, "all"))
    (directory / "nginx.conf").write_text(
        "pid /tmp/pid; error_log /dev/stderr; events {} http { access_log off;\n"
        f"server {{ listen 80; return 301 https://{NAME}$request_uri; }}\n"
        "server { listen 443 ssl; ssl_certificate /ssl/cert.pem; ssl_certificate_key /ssl/key.pem;\n"
        f"location / {{ proxy_pass http://php-fpm-mailcow:{_WEB};\n"
        "proxy_set_header X-Real-IP $remote_addr; } } }\n"
    )
