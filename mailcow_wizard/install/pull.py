"""The stage of images: fetched by docker compose, again and again where the line is bad."""

from __future__ import annotations

import time

from mailcow_wizard.facts import data_places, docker
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.compose import Compose
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.pulling import Pulling, size
from mailcow_wizard.install.troubles import Trouble, disk_remedies, of_end
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_PULL_S = 12 * 3600.0
_TRIES = 6
_PAUSES_S = (5.0, 15.0, 30.0, 60.0, 60.0)
_ENGINE_S = 90.0


def run(job: Job) -> str:
    """Fetches what is not here. Raises Failed."""
    compose = Compose(job)
    services = compose.services()
    images = {str(one.get("image")) for one in services.values() if one.get("image")}
    argv = compose.with_progress("pull")
    for number in range(1, _TRIES + 1):
        pulling = Pulling(len(images))
        code = _pulled(job, compose, argv, pulling)
        if not code:
            return _("{number} images, {size} fetched now", number=len(images), size=size(pulling.bytes_done))
        trouble = _named(of_end(code, pulling.errors), pulling, services)
        if not trouble.again or number == _TRIES:
            raise Failed(
                _("the images could not be fetched: {words}", words=trouble.words), _remedies(job, trouble)
            )
        job.tell(
            _(
                "{words}; tries again ({number} of {tries}), what is here stays",
                words=trouble.words,
                number=number + 1,
                tries=_TRIES,
            )
        )
        job.wait(_PAUSES_S[number - 1])
        await_engine(job)
    return ""


def _named(trouble: Trouble, pulling: Pulling, services: dict[str, dict[str, Any]]) -> Trouble:
    """Compose names the service; what is missing is its image."""
    failed = sorted(str(services[one].get("image")) for one in pulling.failed if one in services)
    if trouble.kind != "image" or trouble.what or not failed:
        return trouble
    return trouble._replace(words=_("the registry has no image {name}", name=", ".join(failed)))


def _pulled(job: Job, compose: Compose, argv: tuple[str, ...], pulling: Pulling) -> int:
    def listen(line: str) -> None:
        said = pulling.hear(line, time.monotonic())
        if said:
            job.tell(f"  {said}")
        job.progress(pulling.words(), len(pulling.pulled), pulling.images)

    # Compose says nothing until the first registry has answered.
    job.progress(pulling.words(), 0, pulling.images, now=True)
    code = compose.run(argv, _PULL_S, listen)
    job.progress(pulling.words(), len(pulling.pulled), pulling.images, now=True)
    return code


def _remedies(job: Job, trouble: Trouble) -> tuple[str, ...]:
    if trouble.kind != "disk":
        return trouble.remedies
    try:
        known = data_places.disk(job.facts())
    except HostError:
        return disk_remedies("/var/lib/docker")
    place, space = known.root.path, known.space
    if known.images:
        place, space = known.images.path, known.images.space
    if space is None:
        return disk_remedies(place)
    free = size(space.free)
    return (
        _("{size} are free in {root}, and mailcow's images take some 10 GB.", size=free, root=place),
        *disk_remedies(place),
    )


def await_engine(job: Job) -> None:
    """An engine that ended comes back, where systemd looks after it. Raises Failed where it does not."""
    end = time.monotonic() + _ENGINE_S
    while True:
        seen = job.facts().get(docker.engine)
        if seen.state == "answers":
            return
        if time.monotonic() > end:
            raise Failed(
                _("Docker does not answer any more: {trouble}", trouble=seen.trouble),
                (
                    _(
                        "See why (journalctl -u docker -n 50), start it (systemctl start docker), run "
                        "this again."
                    ),
                ),
            )
        job.progress(_("waits for Docker, which does not answer"))
        job.wait(1.0)
