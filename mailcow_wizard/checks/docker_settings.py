"""Judges of daemon.json and of the storage driver."""

from __future__ import annotations

import contextlib
import json

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks import docker_network
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import data_places, docker
from mailcow_wizard.facts.docker_json import DaemonSettings, daemon_json, daemon_settings
from mailcow_wizard.facts.storage import DAEMON_JSON
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.typed import NamedTuple

_NO_OVERLAY = (
    *("nfs", "nfs4", "cifs", "smb3", "fuse", "fuseblk", "overlay", "aufs", "ecryptfs", "squashfs", "vfat"),
    *("exfat", "ntfs", "ntfs3", "9p"),
)
WITH_IPTABLES = _(
    'Take "iptables": false out of daemon.json, or --iptables=false from what starts dockerd (`systemctl cat '
    "docker`), and restart Docker."
)
"""What has Docker make its firewall rules again."""
USUAL_BACKEND = _(
    'Take "firewall-backend" out of daemon.json, or --firewall-backend from what starts dockerd (`systemctl '
    "cat docker`), and restart Docker: iptables is then used."
)


def judge_daemon_json(seen: DaemonSettings) -> Judgement:
    """The file must be one that Docker takes; without one Docker's defaults hold, which are good."""
    file = seen.file
    evidence = (Evidence(f"dockerd --validate --config-file {word(file.path)}", _said(seen)),)
    troubles = [*_shape(seen), *_settings(seen)]
    if troubles:
        # What is wrong with the file as a whole is among the troubles.
        whole = file.shape in ("missing", "settings") and not file.refused
        return judged(troubles, evidence, _said(seen) if whole else "")
    if seen.unread:
        words = _("the options that Docker was started with are not known: {why}", why=seen.unread)
        remedy = _("Look at them (`pgrep -a dockerd`): `--iptables=false` must not be among them.")
        return Judgement("unknown", words, _said(seen), evidence, (remedy,), certainty="untested")
    if file.shape == "missing":
        words = _("there is no {path}: Docker's defaults hold", path=file.path)
    else:
        words = _("{path} is in order", path=file.path)
    if seen.wants_ipv6 and seen.version:
        words = _("{summary}, and IPv6 is set up", summary=words)
    return Judgement("pass", words, _said(seen), evidence)


def _said(seen: DaemonSettings) -> str:
    file = seen.file
    if file.shape == "broken":
        return file.trouble
    if file.shape != "settings":
        return {"missing": _("not there"), "empty": _("empty"), "no settings": _("no JSON object")}[
            file.shape
        ]
    keys = ", ".join(sorted(map(str, file.settings)))
    return file.refused or _("sets {keys}", keys=keys or _("nothing"))


def _shape(seen: DaemonSettings) -> list[Trouble]:
    file = seen.file
    if file.shape == "empty":
        words = _("{path} is empty: mailcow's scripts stop there", path=file.path)
        remedy = _(
            "Write an empty object into it (`echo '{{}}' > {path}`), or remove it.", path=word(file.path)
        )
        return [Trouble("fail", words, (remedy,), doc=need.DOC_ISSUE.format(6721))]
    if file.shape in ("broken", "no settings"):
        why = file.trouble or _("it holds no JSON object")
        words = _("{path} is not valid: {why}", path=file.path, why=why)
        remedy = _(
            "Look at it (`jq . {path}`) and correct that place: Docker does not start with it.",
            path=word(file.path),
        )
        return [Trouble("fail", words, (remedy,), "blocks", doc=need.DOC_ISSUE.format(6721))]
    if file.refused:
        words = _("Docker does not take {path}: {refused}", path=file.path, refused=file.refused)
        return [Trouble("fail", words, (_("Take out or correct what it names."),), "blocks")]
    return []


def _settings(seen: DaemonSettings) -> list[Trouble]:
    file, troubles = seen.file, list[Trouble]()
    if seen.no_log_options:
        words = ngettext(
            "{options} in {path} is nothing that the log driver {driver} takes: {again}",
            "{options} in {path} are nothing that the log driver {driver} takes: {again}",
            len(seen.no_log_options),
            options=", ".join(f'"{one}"' for one in seen.no_log_options),
            path=file.path,
            driver=str(file.settings["log-driver"]),
            again=_("Docker does not start with it"),
        )
        remedy = _('Take it out of "log-opts": it belongs to logs in files.')
        troubles.append(Trouble("fail", words, (remedy,), "blocks"))
    if seen.no_driver:
        words = _(
            '"storage-driver" in {path} is {driver}, which Docker {version} no longer has: {again}',
            path=file.path,
            driver=seen.no_driver,
            version=seen.version,
            again=_("Docker does not start with it"),
        )
        remedy = _(
            "Take it out: Docker then takes overlay2, and starts empty: images are fetched again, "
            "volumes stay."
        )
        troubles.append(Trouble("fail", words, (remedy,), "blocks"))
    if seen.hosts_twice:
        words = _(
            '"hosts" is in {path} and -H in docker.service: Docker does not start with both', path=file.path
        )
        remedy = _('Take "hosts" out, or override ExecStart: systemctl edit docker.service')
        troubles.append(Trouble("fail", words, (remedy,), "blocks"))
    if file.settings.get("userns-remap"):
        words = _('"userns-remap" is set in {path}, which mailcow does not support', path=file.path)
        remedy = _(
            "Take it out and restart Docker, which then has its data in another directory: what its "
            "containers hold now stays where it is, unseen."
        )
        why = _(
            "The users of containers are then others on this machine, and may not touch the files that "
            "mailcow gives them."
        )
        troubles.append(Trouble("fail", words, (remedy,), "blocks", why, need.DOC_ISSUE.format(656)))
    troubles += _addresses(seen)
    troubles += docker_network.troubles(seen.network)
    if not seen.rules.iptables:
        words = _("Docker makes no firewall rules (iptables: false): containers have no way out")
        why = _(
            "Nothing masquerades for the containers, and whoever connects looks like a neighbour to postfix, "
            "which relays for neighbours."
        )
        doc = need.DOC_ISSUE.format(2104)
        troubles.append(Trouble("fail", words, (WITH_IPTABLES,), "breaks", why, doc))
    if seen.backend.startswith("nftables") or file.settings.get("firewall-backend") == "nftables":
        words = _("Docker uses its nftables backend, which mailcow's netfilter does not know yet")
        troubles.append(Trouble("warn", words, (USUAL_BACKEND,), doc=need.DOC_ISSUE.format(6904)))
    if seen.stopping:
        keys = _listed(seen.stopping)
        words = _(
            "Docker {version} does not start with {path} as it is: it needs {keys} there",
            version=seen.version,
            path=file.path,
            keys=keys,
        )
        troubles.append(Trouble("fail", words, (_("Add it: {keys}.", keys=keys),), "blocks"))
    elif seen.lacking and file.shape in ("missing", "settings"):
        keys = _listed(seen.lacking)
        words = _(
            "for IPv6 of containers, Docker {version} needs {keys} in {path}",
            version=seen.version,
            keys=keys,
            path=file.path,
        )
        remedy = _(
            "Add it and restart Docker: {keys}. mailcow's own script would do so otherwise, and restart "
            "Docker when it does.",
            keys=keys,
        )
        troubles.append(Trouble("warn", words, (remedy,), why=_("mailcow has ENABLE_IPV6=true.")))
    return troubles


def _listed(settings: tuple[tuple[str, object], ...]) -> str:
    return ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in settings)


def _addresses(seen: DaemonSettings) -> list[Trouble]:
    """Docker takes the file with these, and does not start, or starts without mailcow's network."""
    path, said = seen.file.path, seen.addresses
    again = _("Docker does not start with it")
    correct = (_("Take out or correct what it names."),)
    troubles = []
    for one in said.odd:
        words = _(
            '"{key}" in {path} is {value}, which is no address with its network (172.26.0.1/16): {again}',
            key=one.key,
            path=path,
            value=one.value,
            again=again,
        )
        troubles.append(Trouble("fail", words, correct, "blocks"))
    for one in said.nobodys:
        words = _(
            '"{key}" in {path} is {value}, an address that no machine in that network can have: {again}',
            key=one.key,
            path=path,
            value=one.value,
            again=again,
        )
        remedy = _("Docker's own address in it belongs there, such as 172.26.0.1/16.")
        troubles.append(Trouble("fail", words, (remedy,), "blocks"))
    for base, size in said.narrow:
        words = _(
            '"default-address-pools" in {path}: {base} holds no network of /{size}: {again}',
            path=path,
            base=base,
            size=size,
            again=again,
        )
        troubles.append(Trouble("fail", words, correct, "blocks"))
    for one, own in said.shared:
        words = _(
            '"{key}" in {path} is {value}, which takes addresses of mailcow\'s network ({own}): Docker '
            "refuses to have both",
            key=one.key,
            path=path,
            value=one.value,
            own=own,
        )
        remedy = _('Give "{key}" another private network, or take it out, and restart Docker.', key=one.key)
        why = _("Where mailcow's network is there already, Docker does not start; else mailcow does not.")
        troubles.append(Trouble("fail", words, (remedy,), "blocks", why))
    return troubles


_CHANGE = _(
    "Set another one (overlay2) in daemon.json. Docker then starts empty: images are fetched again, "
    "volumes stay."
)


class Storage(NamedTuple):
    """The engine's word on its storage (None: it does not answer), whether it is installed, and the kind of
    file system that holds or will hold its data, empty where that is not known. `named` is the driver that
    daemon.json sets, empty where it sets none or cannot be read."""

    info: docker.Info | None
    installed: bool
    root: str
    kind: str
    named: str = ""


def storage_facts(facts: Facts) -> Storage:
    """Asks the engine, and looks at the file system below."""
    docker.must_be_allowed(facts)
    known = facts.get(docker.info)
    try:
        held = facts.get(data_places.root_mount)
        kind = held.mount.kind if held.mount else ""
        root = held.root.path
    except HostError:
        kind, root = "", ""
    named = ""
    with contextlib.suppress(HostError):
        named = str(facts.get(daemon_json).settings.get("storage-driver") or "")
    return Storage(known, facts.get(docker.engine).installed, known.root if known else root, kind, named)


def judge_storage(seen: Storage) -> Judgement:
    """Which driver keeps the layers of images."""
    if seen.info is None:
        return _set(seen) if seen.named and seen.named not in need.DRIVERS_GOOD else _foreseen(seen)
    if seen.info.rootless:
        return skipped(_("a rootless Docker answers in place of the system's: see docker.engine"))
    driver, status = seen.info.driver, dict(seen.info.status)
    below = status.get("Backing Filesystem") or seen.kind
    evidence = (
        Evidence(
            "docker info --format '{{.Driver}} {{.DriverStatus}}'",
            _("{driver} on {below}", driver=driver, below=below),
        ),
    )
    found = _("{driver} on {below}, in {root}", driver=driver, below=below, root=seen.root)
    if driver == need.DRIVER_COPIES:
        words = _("Docker's storage driver is vfs: it copies every layer of every image as a whole")
        remedies = (
            _CHANGE,
            _(
                "See why Docker chose it: the file system of its data root cannot carry overlay2 "
                "(findmnt -T {root}).",
                root=word(seen.root),
            ),
        )
        return Judgement("fail", words, found, evidence, remedies, severity="breaks")
    if status.get("Supports d_type") == "false":
        words = _(
            "{root} lies on {below} without d_type (ftype=0): files vanish from containers",
            root=seen.root,
            below=below,
        )
        remedy = _(
            "Make the file system anew with ftype=1 (mkfs.xfs -n ftype=1), or move Docker's data to another."
        )
        return Judgement("fail", words, found, evidence, (remedy,), severity="breaks")
    if driver in need.DRIVERS_GONE:
        words = _("Docker's storage driver is {driver}, which newer Docker no longer has", driver=driver)
        return Judgement("warn", words, found, evidence, (_CHANGE,))
    if driver not in need.DRIVERS_GOOD:
        words = _(
            "Docker's storage driver is {driver}, with which mailcow was not tested",
            driver=driver or _("not named"),
        )
        return Judgement("warn", words, found, evidence, (_CHANGE,))
    return Judgement("pass", _("Docker's storage driver is {found}", found=found), found, evidence)


def _set(seen: Storage) -> Judgement:
    """A driver that daemon.json names, and that no engine runs with at this moment."""
    driver, copies = seen.named, seen.named == need.DRIVER_COPIES
    if copies:
        words = _("daemon.json sets the storage driver vfs: it copies every layer of every image as a whole")
    elif driver in need.DRIVERS_GONE:
        words = _(
            "daemon.json sets the storage driver {driver}, which newer Docker no longer has", driver=driver
        )
    else:
        words = _(
            "daemon.json sets the storage driver {driver}, with which mailcow was not tested", driver=driver
        )
    return Judgement(
        "fail" if copies else "warn",
        words,
        driver,
        (Evidence(f"jq '.[\"storage-driver\"]' {DAEMON_JSON}", driver),),
        (_CHANGE,),
        severity="breaks" if copies else None,
        certainty="inferred",
    )


def _foreseen(seen: Storage) -> Judgement:
    if not seen.kind:
        words = _("which storage driver Docker would use is not known: its data root could not be looked at")
        return Judgement("unknown", words, certainty="untested")
    evidence = (Evidence(f"findmnt -T {word(seen.root)}", seen.kind),)
    if seen.kind in _NO_OVERLAY or seen.kind.startswith("fuse."):
        words = _(
            "{root} lies on {kind}, on which Docker's overlay2 does not work", root=seen.root, kind=seen.kind
        )
        remedy = _("Put Docker's data on ext4, xfs or btrfs of this machine.")
        return Judgement(
            "warn", words, seen.kind, evidence, (remedy,), severity="breaks", certainty="inferred"
        )
    if seen.installed:
        words = (
            _("Docker does not answer; daemon.json sets the storage driver {driver}", driver=seen.named)
            if seen.named
            else _(
                "Docker does not answer; on {kind} it will use overlay2, if nothing else is set",
                kind=seen.kind,
            )
        )
        return Judgement("unknown", words, seen.kind, evidence, certainty="untested")
    words = _("Docker is not installed yet; on {kind} it will use overlay2", kind=seen.kind)
    return skipped(words)._replace(evidence=evidence)


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.daemon-json",
        title=_("Docker's settings"),
        needed=_("daemon.json is not there, or valid, and takes nothing away that mailcow needs"),
        why=_("Docker does not start with a broken file, and mailcow's scripts stop at an empty one."),
        doc=need.DOC_DAEMON,
        severity="degrades",
        source=daemon_settings,
        judge=judge_daemon_json,
    ),
    Check(
        id="docker.storage",
        title=_("Storage driver"),
        needed=_("overlay2, or another driver that shares layers (overlayfs, btrfs, zfs)"),
        why=_(
            "vfs keeps a whole copy of an image for each of its layers: mailcow then takes tens "
            "of gigabytes, and starts slowly."
        ),
        doc=need.DOC_STORAGE,
        severity="degrades",
        source=storage_facts,
        judge=judge_storage,
    ),
)
