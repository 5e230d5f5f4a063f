"""Docker's own package repository: its key, held to the known fingerprint, and the file that names it."""

from __future__ import annotations

import base64
import binascii
import re

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.facts.named_proxy import named_proxy
from mailcow_wizard.facts.package_sources import REPOSITORIES, switched_on, texts
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.system import os_release
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

KEYRING = "/etc/apt/keyrings/docker.asc"
SOURCES = "/etc/apt/sources.list.d/docker.sources"
RPM_KEY = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker"
RPM_REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
_FETCH_S = 8.0
_PRIMARY, _NEW_FORMAT = 6, 0x40
# Each distribution's path there; what is made from one of them takes its packages.
_PLACES = {"debian": "debian", "raspbian": "debian", "ubuntu": "ubuntu", "fedora": "fedora", "rhel": "rhel"}
_EL = ("almalinux", "rocky", "centos")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def is_configured(facts: Facts) -> bool:
    """Whether a package manager knows Docker's repository already, and reads it."""
    return any(
        need.REPOSITORY in line
        for packager in ("apt", "dnf")
        for text in texts(facts.host, REPOSITORIES[packager], all=False)
        for lines in switched_on(packager, text)
        for line in lines
    )


def steps(facts: Facts, packager: str) -> tuple[PlanStep, ...]:
    """The files that make it known. Raises NoPlan where the key is not to be had or not the right one."""
    release = facts.get(os_release)
    if packager == "apt":
        place = _PLACES.get(release.id)
        machine = _ARCHITECTURES.get(facts.host.uname().machine, "")
        if not place or not machine or not re.fullmatch(r"[a-z]+", release.codename):
            raise NoPlan(_("Docker has no packages for this system: see {page}", page=need.DOC_DOCKER))
        lines = (
            "Types: deb",
            f"URIs: https://{need.REPOSITORY}/linux/{place}",
            f"Suites: {release.codename}",
            "Components: stable",
            f"Architectures: {machine}",
            f"Signed-By: {KEYRING}",
        )
        key = _key(facts, f"/linux/{place}/gpg", need.KEY_DEB)
        return _edit(facts, KEYRING, key), _edit(facts, SOURCES, "\n".join(lines).encode() + b"\n")
    place = "centos" if release.id in _EL else _PLACES.get(release.id)
    if packager != "dnf" or not place:
        raise NoPlan(_("Docker has no packages for this system: see {page}", page=need.DOC_DOCKER))
    lines = (
        "[docker-ce-stable]",
        "name=Docker CE Stable - $basearch",
        f"baseurl=https://{need.REPOSITORY}/linux/{place}/$releasever/$basearch/stable",
        "enabled=1",
        "gpgcheck=1",
        f"gpgkey=file://{RPM_KEY}",
    )
    key = _key(facts, f"/linux/{place}/gpg", need.KEY_RPM)
    return _edit(facts, RPM_KEY, key), _edit(facts, RPM_REPOSITORY, "\n".join(lines).encode() + b"\n")


def _edit(facts: Facts, path: str, after: bytes) -> Edit:
    return Edit(path, read_if_there(facts.host, path), after)


def _key(facts: Facts, path: str, fingerprint: str) -> bytes:
    """The repository's key, fetched now and shown in the plan."""
    if facts.settings.offline:
        raise NoPlan(_("Docker's key has to be fetched first, and --offline was given."))
    try:
        reply = _fetched(facts, path)
    except HostError as error:
        raise NoPlan(_("Docker's package repository cannot be reached: {error}", error=error)) from None
    if reply.status != 200:
        raise NoPlan(
            _("Docker's package repository answers {status} when asked for its key.", status=reply.status)
        )
    found = fingerprints(reply.body)
    if found != (fingerprint,):
        shown = ", ".join(found) or _("none that can be read")
        raise NoPlan(
            _(
                "What {repository} gives as its key is another one ({shown}): nothing is installed.",
                repository=need.REPOSITORY,
                shown=shown,
            )
        )
    return reply.body if reply.body.endswith(b"\n") else reply.body + b"\n"


def _fetched(facts: Facts, path: str) -> HttpReply:
    """Directly, else through the proxy that the administrator names. Raises HostError."""
    try:
        return facts.host.fetch(need.REPOSITORY, path, 0, _FETCH_S, True)
    except HostError:
        known = facts.get(named_proxy)
        if not known.address:
            raise
        return facts.host.fetch(need.REPOSITORY, path, 0, _FETCH_S, True, known.url)


def fingerprints(armored: bytes) -> tuple[str, ...]:
    """The fingerprints of the primary keys in an OpenPGP public key block (RFC 4880, 12.2, version 4)."""
    import hashlib  # loads OpenSSL: 2 to 10 ms, which a check that only offers this should not wait for

    found = re.search(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END", armored, re.DOTALL)
    if not found or armored.count(b"-----BEGIN ") != 1:
        return ()
    _unused, blank, body = found[1].replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = [line for line in body.split(b"\n") if blank and not line.startswith(b"=")]
    try:
        data = base64.b64decode(b"".join(lines), validate=True)
        return tuple(
            hashlib.sha1(b"\x99" + len(part).to_bytes(2, "big") + part).hexdigest().upper()  # noqa: S324
            for tag, part in _packets(data)
            if tag == _PRIMARY
        )
    except (binascii.Error, ValueError, IndexError, OverflowError):
        return ()


def _packets(data: bytes) -> list[tuple[int, bytes]]:
    """Each packet's tag and body (RFC 4880, 4.2). Raises ValueError, IndexError."""
    found, place = [], 0
    while place < len(data):
        head, place = data[place], place + 1
        if not head & 0x80:
            raise ValueError("no packet begins here")
        if head & _NEW_FORMAT:
            tag, first = head & 0x3F, data[place]
            if first < 192:
                length, place = first, place + 1
            elif first < 224:
                length, place = ((first - 192) << 8) + data[place + 1] + 192, place + 2
            elif first == 255:
                length, place = int.from_bytes(data[place + 1 : place + 5], "big"), place + 5
            else:
                raise ValueError("a key has no partial lengths")
        else:
            tag, size = (head >> 2) & 0x0F, 1 << (head & 3)
            if size > 4:
                raise ValueError("a key has no indeterminate length")
            length, place = int.from_bytes(data[place : place + size], "big"), place + size
        if place + length > len(data):
            raise ValueError("the last packet is cut short")
        found.append((tag, data[place : place + length]))
        place += length
    return found
