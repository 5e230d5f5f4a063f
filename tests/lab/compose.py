"""A real docker compose, as Debian packages it: fetched once, never installed. It needs no engine to read."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .cache import cache, made_once, unpack
from .inside import needs

# Debian 13 has compose 2.26, its successor 2.40: between them the reading of .env was changed several times.
SUITES = ("trixie", "forky")
_PACKAGES = {"resolute": "docker-compose-v2"}
_PROGRAM = "usr/libexec/docker/cli-plugins/docker-compose"


def program(suite: str) -> Path:
    """Compose of a suite, fetched with apt the first time (about 5 s)."""
    place = cache() / f"compose-{suite}-1"
    with made_once(place) as part:
        if part:
            needs("apt-get", "dpkg-deb")
            unpack(suite, (_PACKAGES.get(suite, "docker-compose"),), part)
    return place / _PROGRAM


class Refused(Exception):
    """Compose does not take the file; the text is what it said."""


def reads(
    compose: Path, data: bytes, keys: Sequence[str], place: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """The values that compose takes for these keys from a file `.env` with this content. Raises Refused."""
    place.mkdir(exist_ok=True)
    (place / ".env").write_bytes(data)
    service = {"image": "none", "environment": dict.fromkeys(keys)}
    (place / "compose.json").write_text(json.dumps({"name": "lab", "services": {"one": service}}))
    argv = [str(compose), "-f", "compose.json", "config", "--format", "json", "--no-path-resolution"]
    ran = subprocess.run(argv, cwd=place, env=dict(environment), capture_output=True, timeout=60, check=False)
    if ran.returncode != 0:
        raise Refused(ran.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
    shown = json.loads(ran.stdout)["services"]["one"].get("environment") or {}
    return {key: value.replace("$$", "$") for key, value in shown.items() if value is not None}
