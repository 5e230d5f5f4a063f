"""Settings of other programs as a recording holds them: without secrets, and read as before."""

import json
import time

import pytest

from mailcow_wizard.conf.compose_override import option
from mailcow_wizard.host.recording.scrub import scrub

SECRET = "Geheim4711"
OVERRIDE = "/opt/mailcow-dockerized/docker-compose.override.yml"
MTU = ("networks", "mailcow-network", "driver_opts", "com.docker.network.driver.mtu")


def recorded(path: str, text: str) -> str:
    """The file as a recording holds it."""
    return scrub("read", (path,), text.encode()).decode()


COMPOSE = {
    "mapping": f"TOKEN: {SECRET}",
    "list": f"- RELAY_PASSWORD={SECRET} {SECRET}",
    "quotes": f'- "MY_SECRET=a}}b,{SECRET}"',
    "quotes inside": f'- "MY_SECRET=a\\"{SECRET}"',
    "single quotes": f"- 'MY_SECRET=it''s {SECRET}'",
    "braces": f"environment: {{TOKEN: {SECRET}, TZ: UTC, API_KEY: 'a, {SECRET}'}}",
    "braces, a quote within": f'environment: {{TOKEN: a"{SECRET}, TZ: UTC}}',
    "brackets": f'environment: ["TZ=UTC", "TOKEN=a,{SECRET}"]',
    "left open": f'environment: {{TOKEN: "{SECRET}',
    "block": f"TOKEN: |\n        a\n\n        {SECRET}",
    "goes on": f'TOKEN: "a\n        {SECRET}"',
    "in the next line": f"TOKEN:\n        {SECRET}",
    "default": f"TOKEN: ${{DBPASS:-{SECRET}}}",
    "behind a reference": f"TOKEN: ${{DBPASS}}{SECRET}",
    "label": f"- traefik.http.middlewares.x.basicauth.users=anna:{SECRET}",
    "label with dots": f"mine.api.token: {SECRET}",
    "option": f"command: redis-server --requirepass {SECRET} --port 1",
    "options": f'command: ["redis-server", "--requirepass","{SECRET}"]',
    "URL": f"PROXY: http://anna:{SECRET}@proxy",
}


@pytest.mark.parametrize("name", COMPOSE)
def test_no_secret_of_a_compose_file_is_recorded(name: str) -> None:
    text = f"services:\n  x:\n      {COMPOSE[name]}\n    image: y\n"
    text += 'networks:\n  mailcow-network:\n    driver_opts:\n      com.docker.network.driver.mtu: "1400"\n'
    shown = recorded(OVERRIDE, text)
    assert SECRET not in shown
    assert "removed]" in shown or "${DBPASS}" in shown
    assert shown.count("\n") == text.count("\n")
    assert option(shown, MTU) == "1400"


def test_what_compose_takes_from_mailcow_conf_stays() -> None:
    text = """services:
  mysql-mailcow:
    environment: {TZ: "${TZ}", MYSQL_ROOT_PASSWORD: "${DBROOT}", MYSQL_PASSWORD: "${DBPASS}"}
    ports: ["${SQL_PORT:-127.0.0.1:13306}:3306"]
  redis-mailcow:
    environment:
      - REDISPASS=${REDISPASS}
      - REDISMASTERPASS=$REDISMASTERPASS
    secrets:
      - db_password
    volumes:
      - ./data/conf/dovecot/auth/passwd-verify.lua:/etc/dovecot/auth/passwd-verify.lua:ro,z
      - ./data/keys:/keys
secrets:
  db_password:
    file: ./x
"""
    assert recorded(OVERRIDE, text) == text


def test_what_was_removed_from_a_compose_file_leaves_its_form() -> None:
    text = f"environment: {{TOKEN: {SECRET}, TZ: UTC}}\nDBROOT: ${{DBROOT:-{SECRET}}}\n- 'PIN=1'\n"
    shown = "environment: {TOKEN: [removed], TZ: UTC}\nDBROOT: ${DBROOT}\n- 'PIN=[removed]'\n"
    assert recorded("/x/compose.override.yaml", text) == shown


def test_of_docker_settings_only_secrets_are_missing() -> None:
    settings = {
        "log-opts": {"splunk-token": f'a"{SECRET}', "splunk-url": "https://x/"},
        "tlskey": "/etc/docker/key.pem",
        "labels": [f"token={SECRET}", "place=here"],
        "ipv6": True,
    }
    expected = {**settings, "labels": ["token=[removed]", "place=here"]}
    expected["log-opts"] = {"splunk-token": "[removed]", "splunk-url": "https://x/"}
    assert json.loads(recorded("/etc/docker/daemon.json", json.dumps(settings))) == expected
    broken = '{"ipv6": true,\n "fixed-cidr-v6": "fd00::/80",}'
    assert recorded("/etc/docker/daemon.json", broken) == broken


def test_of_mounts_and_containerd_only_secrets_are_missing() -> None:
    local = "UUID=1 / ext4 defaults,noexec 0 1\n//nas/y /y cifs credentials=/root/nas 0 0\n"
    drive = f"//nas/x /x cifs username=a,password={SECRET},uid=3 0 0\n"
    assert recorded("/etc/fstab", local) == local
    assert recorded("/etc/fstab", drive) == "//nas/x /x cifs username=a,password=[removed],uid=3 0 0\n"
    auth = f'root = "/srv/c"\n[plugins.x.auth]\n  password = "{SECRET}"\n  auth = "{SECRET}"\n'
    assert SECRET not in recorded("/etc/containerd/config.toml", auth)
    assert recorded("/etc/containerd/config.toml", auth).startswith('root = "/srv/c"\n[')


@pytest.mark.parametrize("text", ["TOKEN", '{"', '"TOKEN=\\', "a --pass-", "TOKEN: {"])
def test_long_lines_take_no_time(text: str) -> None:
    begin = time.process_time()
    for lines in (text * 20000, f"{(text * 1000)[:1990]}\n" * 50):
        for path in (OVERRIDE, "/etc/docker/daemon.json", "/etc/fstab"):
            recorded(path, lines)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("place", ["before", "behind", "alone", "left open"])
def test_of_a_certificate_s_file_the_certificates_are_kept(place: str) -> None:
    """People put the key into it, too."""
    certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    key = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
    texts = {
        "before": key + certificate * 2,
        "behind": certificate * 2 + key,
        "alone": key,
        "left open": certificate * 2 + key[:50],
    }
    said = recorded("/opt/mailcow-dockerized/data/assets/ssl/cert.pem", f"# {SECRET}\n{texts[place]}")
    assert said == ("" if place == "alone" else certificate * 2)
