"""The demo machine's checkout of mailcow and its mailcow.conf: cloned and configured, not started yet."""

from mailcow_wizard.facts.checkout import git_command
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Ran

DIRECTORY = "/opt/mailcow-dockerized"

CONF = """\
# The server's full name
MAILCOW_HOSTNAME=mail.example.org

DBNAME=mailcow
DBUSER=mailcow
DBPASS=ExampleDbPassword00000000001
DBROOT=ExampleRootPassword000000002
REDISPASS=ExampleRedisPassword00000003

HTTP_PORT=80
HTTP_BIND=
HTTPS_PORT=443
HTTPS_BIND=
HTTP_REDIRECT=y

SMTP_PORT=25
SMTPS_PORT=465
SUBMISSION_PORT=587
IMAP_PORT=143
IMAPS_PORT=993
POP_PORT=110
POPS_PORT=995
SIEVE_PORT=4190
DOVEADM_PORT=127.0.0.1:19991
SQL_PORT=127.0.0.1:13306
REDIS_PORT=127.0.0.1:7654

TZ=Europe/Berlin
COMPOSE_PROJECT_NAME=mailcowdockerized
DOCKER_COMPOSE_VERSION=

ADDITIONAL_SAN=imap.*, smtp.*
SKIP_CLAMD=n
LOG_LINES=9999
IPV4_NETWORK=172.22.1
IPV6_NETWORK=fd4d:6169:6c63:6f77::/64
ENABLE_IPV6=true

DOVECOT_MASTER_USER=backup
DOVECOT_MASTER_PASS=
"""
COMPOSE = """\
services:
    unbound-mailcow:
      image: ghcr.io/mailcow/unbound:1.24
      environment:
        - TZ=${TZ}
    postfix-mailcow:
      image: ghcr.io/mailcow/postfix:1.81
      environment:
        - LOG_LINES=${LOG_LINES:-9999}
        - TZ=${TZ}
      ports:
        - "${SMTP_PORT:-25}:25"
"""
# What a umask of 027 left behind.
CLOSED = ("data/conf/nginx/dynmaps.conf", "data/conf/unbound/unbound.conf")
TRACKED = ("docker-compose.yml", "generate_config.sh", "update.sh")

FILES: dict[str, str] = {
    **{f"{DIRECTORY}/{name}": "" for name in (*TRACKED, *CLOSED)},
    f"{DIRECTORY}/docker-compose.yml": COMPOSE,
    f"{DIRECTORY}/mailcow.conf": CONF,
    f"{DIRECTORY}/.git/HEAD": "ref: refs/heads/master\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "/etc/group": "root:x:0:\n",
    "/etc/hostname": "mail\n",
    "/etc/environment": "",
    "/root/.profile": "export LOG_LINES=500\n",
    "/proc/self/environ": "HOME=/root\0LANG=C.UTF-8\0",
}
LINKS = {f"{DIRECTORY}/.env": f"{DIRECTORY}/mailcow.conf"}
MODES = {f"{DIRECTORY}/mailcow.conf": 0o644, **{f"{DIRECTORY}/{name}": 0o640 for name in CLOSED}}

_STATUS = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules")
_FIND = (
    f"find {DIRECTORY} -xdev -mindepth 1 -name .git -prune -o "
    "( -type f ! -perm -004 -o -type d ! -perm -005 ) -print0"
)
COMMANDS: dict[str, Ran | str | HostError] = {
    f"readlink {DIRECTORY}/.env": "mailcow.conf\n",
    "docker compose version --short": "2.40.3\n",
    " ".join(git_command(DIRECTORY, *_STATUS)): "",
    " ".join(
        git_command(
            DIRECTORY,
            "diff",
            "--name-only",
            "--no-ext-diff",
            "origin/master...HEAD",
            "--",
            "docker-compose.yml",
        )
    ): "",
    " ".join(git_command(DIRECTORY, "ls-files", "-z", "--", *CLOSED)): "".join(f"{one}\0" for one in CLOSED),
    _FIND: "".join(f"{DIRECTORY}/{one}\0" for one in CLOSED),
}
