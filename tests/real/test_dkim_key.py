"""The DKIM key that mailcow signs with, read from a real Redis in a container, as mailcow starts it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import engine
from lab.inside import CHECKOUT, LabError, needs, wait_until
from lab.skip import or_skip

pytestmark = pytest.mark.real
PASSWORD = 'it\'s a "secret" $HOME'  # of a Redis that lives for a second
PUBLIC = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 12 + "QIDAQAB"
# Its programs are this machine's own, looked at through mounts.
_MOUNTS = tuple(
    f"--volume={one}:{one}:ro" for one in ("/usr", "/lib", "/lib64", "/bin") if Path(one).exists()
)
_LABELS = tuple(
    f"--label=com.docker.compose.{key}={value}"
    for key, value in (("project", "mailcowdockerized"), ("service", "redis-mailcow"))
)
_ASK = """
import json, sys
from mailcow_wizard.facts.dns.signing import signing_keys
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.recording.recorded import RecordingHost
from mailcow_wizard.model import Settings
host = RecordingHost(RealHost())
domains = ("example.org", "other.example")
settings = Settings(hostname="mail.example.org", domains=domains, addresses=("192.0.2.1",))
keys = Facts(host, settings).get(signing_keys)
print(json.dumps({"keys": keys, "recording": repr(vars(host))}))
"""


@contextmanager
def redis(docker: engine.Engine, password: str) -> Iterator[str]:
    """A Redis with a key for one domain, started with the password as mailcow's is."""
    needs("redis-server", "redis-cli")
    start = 'exec redis-server --save "" --dir /tmp ${REDISPASS:+--requirepass "$REDISPASS"}'
    options = (*_MOUNTS, *_LABELS, "--tmpfs=/tmp", f"--env=REDISPASS={password}")
    identifier = docker.docker("run", "-d", "--name", "redis", *options, engine.IMAGE, "sh", "-c", start)
    fill = (
        'export REDISCLI_AUTH="$REDISPASS"; redis-cli HSET DKIM_PUB_KEYS example.org "$1" 2>&1; '
        "redis-cli HSET DKIM_SELECTORS example.org s2026 2>&1"
    )

    def filled() -> bool:
        done = docker.run(["docker", "exec", identifier, "sh", "-c", fill, "sh", PUBLIC])
        return done.stdout.split()[-1:] in (["1"], ["0"])

    try:
        if not wait_until(filled, 30, pause=0.1):
            raise LabError(docker.run(["docker", "logs", identifier]).stdout[-500:])
        yield identifier
    finally:
        docker.run(["docker", "rm", "-f", "redis"])


def ask(docker: engine.Engine) -> dict[str, Any]:
    done = docker.run([sys.executable, "-c", _ASK], env={"PYTHONPATH": str(CHECKOUT)})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("password", [PASSWORD, ""], ids=["password", "no password"])
def test_the_key_of_a_running_mailcow(docker: engine.Engine, password: str) -> None:
    """With a password, and without one as before 2025; a domain that mailcow does not have has no key."""
    with or_skip(), redis(docker, password):
        found = ask(docker)
    selector, public, runs, trouble = found["keys"]["example.org"]
    assert (selector, public, runs, trouble) == ("s2026", PUBLIC, True, "")
    assert found["keys"]["other.example"] == ["dkim", "", True, ""]
    assert "secret" not in found["recording"]


def test_a_stopped_redis_is_no_key(docker: engine.Engine) -> None:
    with or_skip(), redis(docker, PASSWORD) as identifier:
        docker.docker("pause", identifier)
        found = ask(docker)
        docker.docker("unpause", identifier)
    _, public, runs, trouble = found["keys"]["example.org"]
    assert (public, runs) == ("", False)
    assert trouble
