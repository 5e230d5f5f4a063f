"""A small stand-in for mailcow's repository: the same files, variables and start conditions, five services.

It holds no line of mailcow's; with a certificate its services are real (speaking.py). Its database keeps the
password that it was first started with and refuses any other, so that a run that makes new ones is found out.
"""

import json
import shutil
import subprocess
from pathlib import Path

from . import resolver, speaking
from .registry import HOST

IMAGES = tuple(f"mailcow/{name}:1" for name in ("unbound", "mysql", "dovecot", "postfix", "nginx"))
SPEAKING_IMAGES = tuple(f"mailcow/{name}:1" for name in speaking.SERVICES)
SERVICES = 5
_BUSYBOX = "/bin/busybox"
_HEALTHY_IF = "test ! -e /data/broken || { echo 'no pong came back'; exit 1; }"

_SCRIPT = """#!/usr/bin/env bash
[ "$(readlink .env)" = mailcow.conf ] || { echo "no link .env"; exit 1; }
[ -e refuse ] && { echo "This machine is refused."; exit 1; }
if [ -f mailcow.conf ]; then
  read -r -p "mailcow.conf exists. Overwrite it? [y/N] " answer
  [[ $answer =~ ^[yY] ]] || exit 1
  mv mailcow.conf mailcow.conf_backup
fi
while [ -z "$MAILCOW_HOSTNAME" ]; do read -r -p "Hostname: " MAILCOW_HOSTNAME || exit 1; done
while [ -z "$MAILCOW_TZ" ]; do read -r -p "Timezone: " MAILCOW_TZ || exit 1; done
while [ -z "$MAILCOW_BRANCH" ]; do read -r -p "Branch: " MAILCOW_BRANCH || exit 1; done
git fetch --quiet --all; git checkout --quiet -f "$MAILCOW_BRANCH"
random() { LC_ALL=C tr -dc A-Za-z0-9 < /dev/urandom | head -c "$1"; }
echo "MAILCOW_HOSTNAME=$MAILCOW_HOSTNAME
DBNAME=mailcow
DBUSER=mailcow
DBPASS=${MAILCOW_DBPASS:-$(random 28)}
DBROOT=${MAILCOW_DBROOT:-$(random 28)}
REDISPASS=${MAILCOW_REDISPASS:-$(random 28)}" > mailcow.conf
sleep "$(cat pause 2>/dev/null || echo 0)"
echo "TZ=$MAILCOW_TZ
COMPOSE_PROJECT_NAME=mailcowdockerized
DOCKER_COMPOSE_VERSION=
SMTP_PORT=25
IPV4_NETWORK=172.22.1
IPV6_NETWORK=fd4d:6169:6c63:6f77::/64
SKIP_CLAMD=$SKIP_CLAMD
SOGO_URL_ENCRYPTION_KEY=$(random 16)
ENABLE_IPV6=false" >> mailcow.conf
chmod 600 mailcow.conf
mkdir -p data/assets/ssl data/web/inc
if [ -d data/lab/ssl ]; then cp data/lab/ssl/*.pem data/assets/ssl
else openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \\
  -subj "/CN=$MAILCOW_HOSTNAME" \\
  -keyout data/assets/ssl/key.pem -out data/assets/ssl/cert.pem 2>/dev/null
fi
echo '<?php' > data/web/inc/app_info.inc.php
"""

_DATABASE = """f=/var/lib/mysql/password; [ -e $$f ] || echo "$$DBPASS" > $$f
[ "$$(/bin/busybox cat $$f)" = "$$DBPASS" ] || { echo "Access denied for user mailcow"; exit 1; }
exec /bin/busybox sleep 86400"""


_RESET = """#!/usr/bin/env bash
. ./mailcow.conf
read -r -p "Reset the administrator? [y/N] " answer
[ "$answer" = y ] || exit 1
new=$(head -c 200 /dev/urandom | LC_ALL=C tr -dc A-Za-z0-9 | head -c 16)
box() { docker ps -qf "name=$1-mailcow"; }
hash=$(docker exec -it "$(box dovecot)" doveadm pw -s SSHA256 -p "$new" | tr -d '\\r')
docker exec -it "$(box mysql)" mariadb -e "UPDATE admin SET password = '$hash' WHERE username = 'admin'"
echo "Username: admin
Password: $new"
"""


def _compose(registry: str, speaks: bool, resolves: bool) -> dict[str, dict[str, object]]:
    network = {"mailcow-network": {}}
    healthy = {"unbound-mailcow": {"condition": "service_healthy"}}

    def service(name: str, **more: object) -> dict[str, object]:
        # What runs there does not listen to being asked to stop.
        common = {"restart": "always", "networks": network, "stop_signal": "SIGKILL"}
        return {"image": f"{registry}/mailcow/{name}:1", **common, **more}

    test = ["CMD", _BUSYBOX, "sh", "-c", _HEALTHY_IF]
    health = {"test": test, "interval": "1s", "timeout": "2s", "retries": 3, "start_period": "1s"}
    services = {
        "unbound-mailcow": service("unbound", healthcheck=health, volumes=["./data:/data:ro"]),
        "mysql-mailcow": service(
            "mysql",
            command=[_BUSYBOX, "sh", "-c", _DATABASE],
            environment={
                "DBPASS": "${DBPASS}",
                "MYSQL_DATABASE": "${DBNAME}",
                "MYSQL_USER": "${DBUSER}",
                "MYSQL_PASSWORD": "${DBPASS}",
                "MYSQL_ROOT_PASSWORD": "${DBROOT}",
            },
            volumes=["mysql-vol-1:/var/lib/mysql"],
            depends_on=healthy,
        ),
        "dovecot-mailcow": service(
            "dovecot",
            ulimits={"nofile": {"soft": 20000, "hard": 40000}},
            depends_on={"mysql-mailcow": {"condition": "service_started"}},
        ),
        "postfix-mailcow": service("postfix", ports=["${SMTP_PORT:-25}:25"], depends_on=healthy),
        "nginx-mailcow": service("nginx", depends_on=healthy),
    }
    if resolves:
        services["unbound-mailcow"] |= resolver.service()
    if speaks:
        services |= {f"{name}-mailcow": service(name, depends_on=healthy) for name in ("redis", "php-fpm")}
        speaking.add(services)
    return {
        "services": services,
        "networks": {"mailcow-network": {"driver": "bridge", **(_SUBNET if speaks or resolves else {})}},
        "volumes": {"mysql-vol-1": None},
    }


def _yaml(made: dict[str, dict[str, object]]) -> str:
    """One name below the other, as mailcow's file has them; what each is stands behind it."""
    rows = (
        (f"{part}:", *(f"  {name}: {json.dumps(one)}" for name, one in each.items()))
        for part, each in made.items()
    )
    return "\n".join(line for lines in rows for line in lines) + "\n"


_SUBNET = {
    "driver_opts": {"com.docker.network.bridge.name": "br-mailcow"},
    "ipam": {"config": [{"subnet": "${IPV4_NETWORK:-172.22.1}.0/24"}]},
}


def make(
    directory: Path,
    registry: str = HOST,
    certificate: tuple[Path, Path] | None = None,
    anchor: str = "",
) -> str:
    """Makes the repository, whose images come from this registry; its address. With a certificate the
    services are real, and use it. With the DS record of a root unbound is (resolver.py). Its network and
    theirs is mailcow's."""
    directory.mkdir()
    if certificate:
        speaking.write(directory / "data/lab")
        (directory / "data/lab/ssl").mkdir()
        for path, name in zip(certificate, ("cert.pem", "key.pem"), strict=True):
            shutil.copy(path, directory / "data/lab/ssl" / name)
        (directory / "helper-scripts").mkdir()
        (directory / "helper-scripts/mailcow-reset-admin.sh").write_text(_RESET)
    if anchor:
        resolver.write(directory, anchor)
    (directory / ".env").symlink_to("mailcow.conf")
    made = _compose(registry, certificate is not None, bool(anchor))
    (directory / "docker-compose.yml").write_text(_yaml(made))
    (directory / "generate_config.sh").write_text(_SCRIPT)
    (directory / "generate_config.sh").chmod(0o755)
    (directory / "data").mkdir(exist_ok=True)
    (directory / "data/readme").write_text("data\n")
    ignored = ("mailcow.conf*", "data/assets/", "data/web/", "docker-compose.override.yml", "refuse", "pause")
    (directory / ".gitignore").write_text("\n".join((*ignored, "data/broken", "")))
    for words in (
        ("init", "--quiet", "--initial-branch=master"),
        ("add", "--all"),
        ("-c", "user.name=lab", "-c", "user.email=lab@example.org", "commit", "--quiet", "-m", "stand-in"),
    ):
        subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True, timeout=30)
    return f"file://{directory}"
