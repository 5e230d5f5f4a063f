"""What of an answer may be written to a recorded machine: never a secret."""

import json
import re
from typing import Any, TypeVar, cast

from mailcow_wizard.host.network.conversation import Spoken
from mailcow_wizard.host.recording import scrub_settings
from mailcow_wizard.host.recording.scrub_statements import part, part_of_output, recorded_in_part
from mailcow_wizard.host.replies import HttpReply, Process, Ran
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import (
    REMOVED,
    configuration,
    is_secret,
    of_compose,
    redacted,
    without_credentials,
    without_secret_values,
)

Answer = TypeVar("Answer")

# Copies of mailcow.conf too (mailcow.conf_backup), the shell's start files, where people keep tokens, and
# those of package tools and containerd.
_CONFIGURATION = "mailcow.conf"
_ASSIGNMENTS = ("profile", "bashrc", ".bash_login", "/environment", ".sh", ".repo", "/dnf.conf", ".toml")
_COMPOSE = (".yml", ".yaml")
# A word that stands alone is another mistake than one in brackets: a recording keeps which it is.
_LONE_WORD = "removed"
# cloud-init's data hold what the owner gave to the machine: scripts, keys, networks.
_CLOUD_DATA = "/instance-data.json"
_KEPT_OF_CLOUD = ("cloud_name", "cloud-name")
# What people write beside their settings may be anything.
_REMARK = pattern(r"(?m)^(\s*#)(?!\s*[A-Z][A-Z0-9_]*=)[^\n]*\w[^\n]*$")
_REMARK_BEHIND = pattern(r"(?m)^([^#'\"\n]*\s#)[^\n]*\w[^\n]*$")
# Of a process's environment the names are kept (none at all would mean that it could not be read), and the
# one value that tells the kind of container.
_KEPT_VARIABLE = b"container"
_KEPT_OF_CONTAINER = ("Id", "Names", "Image", "Ports", "State")
_KEPT_OF_VOLUME = ("Name", "Driver", "CreatedAt")
_KEPT_OF_NETWORK = ("Name", "Id", "Driver", "Scope", "EnableIPv6", "Internal")
_KEPT_OF_POOL = ("Subnet", "Gateway", "IPRange")
_KEPT_OPTIONS = "com.docker.network."
_KEPT_OF_ENGINE = (
    *("ServerVersion", "DefaultAddressPools", "OSType", "Driver", "DriverStatus", "DockerRootDir"),
    *("SecurityOptions", "LiveRestoreEnabled", "FirewallBackend", "ContainersRunning", "Containerd"),
)
_KEPT_OF_VERSION = ("Version", "ApiVersion", "MinAPIVersion")
_KEPT_LABELS = ("com.docker.compose.", "com.docker.swarm.service.name")
_KEPT_OF_HOST = ("RestartPolicy", "AutoRemove")
_KEPT_OF_STATE = (
    *("Status", "Running", "StartedAt", "FinishedAt", "ExitCode", "OOMKilled", "Error", "Pid", "Health"),
)
# Whoever has it is logged in: where the first password still works, as administrator.
_SESSION = pattern(r"(?im)^(set-cookie:[^=;\n]*=)[^;\n]*")
# What else people put into such a file is its key.
_CERTIFICATE = pattern(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?")
# Docker's log is sent in frames: stream, three zeros, length, text.
_FRAME = pattern(rb"(?s)[\x00-\x02]\x00\x00\x00....")


def scrub(call: str, arguments: tuple[object, ...], answer: Answer) -> Answer:
    """The answer without passwords, keys, tokens and other people's environment."""
    return cast("Answer", _scrubbed(call, arguments, answer))


def _scrubbed(call: str, arguments: tuple[object, ...], answer: Any) -> Any:
    if call == "read":
        return _file(str(arguments[0]), answer)
    if call == "http":
        return _log(answer) if "/logs?" in str(arguments[1]) else _docker(answer)
    if call == "run" and isinstance(answer, Ran):
        argv = cast("tuple[str, ...]", arguments[0])
        return _deep(_output(argv, answer))
    if call == "converse" and isinstance(answer, Spoken):
        answer = answer._replace(replies=tuple(_SESSION.sub(rf"\1{REMOVED}", one) for one in answer.replies))
    if call == "variable":
        return REMOVED if answer and is_secret(str(arguments[0])) else without_credentials(answer)
    return _deep(answer)


def _output(argv: tuple[str, ...], ran: Ran) -> Ran:
    if argv[:2] == ("docker", "compose") or argv[:1] == ("docker-compose",):
        return ran._replace(out=of_compose(ran.out), err=of_compose(ran.err))
    if argv[:2] == ("systemctl", "show"):
        return ran._replace(out="\n".join(map(_started, ran.out.split("\n"))))
    return ran._replace(out=part_of_output(argv, ran.out))


def _started(line: str) -> str:
    """A unit's property; where it is a command line, without secrets."""
    return " ".join(redacted(line.split(" "))) if line.startswith("Exec") else line


def _file(path: str, data: bytes) -> bytes:
    if path.endswith("/environ"):
        return b"\0".join(_variable(one) for one in data.split(b"\0"))
    # Any byte has a letter in Latin-1: a file that is not UTF-8 holds secrets like any other.
    encoding = "utf-8" if _is_utf8(data) else "latin-1"
    text = data.decode(encoding)
    if path.endswith(_CLOUD_DATA):
        text = _cloud(text)
    if recorded_in_part(path):
        text = part(path, text)
    if _CONFIGURATION in path.rpartition("/")[2] or path.endswith("/.env"):
        text = _without_remarks(configuration(text, _LONE_WORD), odd=encoding != "utf-8")
    elif path.endswith(_ASSIGNMENTS):
        text = without_secret_values(text)
    elif path.endswith(_COMPOSE):
        text = scrub_settings.compose(text)
    elif path.endswith(".json"):
        text = scrub_settings.json(text)
    elif path.endswith(".pem"):
        text = "".join(_CERTIFICATE.findall(text))
    elif path == "/etc/fstab":
        text = scrub_settings.mounts(text)
    return without_credentials(text).encode(encoding)


def _cloud(text: str) -> str:
    """Of cloud-init's data the cloud's name alone."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    v1 = said.get("v1") if isinstance(said, dict) else None
    kept = {name: v1[name] for name in _KEPT_OF_CLOUD if name in v1} if isinstance(v1, dict) else {}
    return json.dumps({"v1": kept})


def _without_remarks(text: str, odd: bool) -> str:
    """mailcow.conf without what its comments say; commented settings stay.

    Where the file is `odd`, not UTF-8, a comment that has such a letter keeps one: that is a finding.
    """

    def removed(match: re.Match[str]) -> str:
        letter = next((one for one in match[0] if odd and not one.isascii()), "")
        return f"{match[1]} {REMOVED}{letter}"

    return _REMARK_BEHIND.sub(removed, _REMARK.sub(removed, text))


def _variable(assignment: bytes) -> bytes:
    name, equals, value = assignment.partition(b"=")
    return name + equals + (value if name == _KEPT_VARIABLE else b"")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _docker(reply: HttpReply) -> HttpReply:
    """Docker's answers hold commands and labels with whatever people put there; few fields are needed."""
    try:
        listed = json.loads(reply.body)
    except (ValueError, RecursionError):
        return reply._replace(body=b"")
    if isinstance(listed, dict) and isinstance(listed.get("Volumes"), list):
        listed = {
            "Volumes": [_kept(one, _KEPT_OF_VOLUME) for one in listed["Volumes"] if isinstance(one, dict)]
        }
    elif isinstance(listed, list) and any(isinstance(one, dict) and "IPAM" in one for one in listed):
        listed = [_network(one) for one in listed if isinstance(one, dict)]
    elif isinstance(listed, dict) and "ServerVersion" in listed:
        listed = _engine(listed)
    elif isinstance(listed, dict) and "ApiVersion" in listed:
        parts = listed.get("Components")
        named = [{"Name": str(one.get("Name"))} for one in parts or () if isinstance(one, dict)]
        listed = {**{name: listed[name] for name in _KEPT_OF_VERSION if name in listed}, "Components": named}
    elif isinstance(listed, list):
        listed = [_kept(one, _KEPT_OF_CONTAINER) for one in listed if isinstance(one, dict)]
    elif isinstance(listed, dict) and isinstance(listed.get("HostConfig"), dict):
        host, config = listed["HostConfig"], listed.get("Config")
        state = listed.get("State")
        listed = {
            "HostConfig": {name: host[name] for name in _KEPT_OF_HOST if name in host},
            "Config": _kept(config if isinstance(config, dict) else {}, ()),
            **{name: listed[name] for name in ("RestartCount",) if name in listed},
            **({"State": _state(state)} if isinstance(state, dict) else {}),
        }
    else:
        listed = {}
    return reply._replace(body=json.dumps(listed).encode())


def _engine(listed: dict[str, Any]) -> dict[str, Any]:
    kept = {name: listed[name] for name in _KEPT_OF_ENGINE if name in listed}
    registries = listed.get("RegistryConfig")
    mirrors = registries.get("Mirrors") if isinstance(registries, dict) else None
    if mirrors:
        kept["RegistryConfig"] = {"Mirrors": [without_credentials(str(one)) for one in mirrors]}
    if listed.get("HttpsProxy"):
        kept["HttpsProxy"] = without_credentials(str(listed["HttpsProxy"]))
    return kept


def _log(reply: HttpReply) -> HttpReply:
    """The lines of a container's log, as text alone."""
    text = _FRAME.sub(b"", reply.body).decode("utf-8", "replace")
    return reply._replace(body=without_credentials(without_secret_values(text)).encode())


def _state(state: dict[str, Any]) -> dict[str, Any]:
    kept = {name: state[name] for name in _KEPT_OF_STATE if name in state}
    return cast("dict[str, Any]", json.loads(without_credentials(json.dumps(kept))))


def _network(listed: dict[str, Any]) -> dict[str, Any]:
    ipam, options = listed.get("IPAM"), listed.get("Options")
    pools = ipam.get("Config") if isinstance(ipam, dict) else None
    return {
        **_kept(listed, _KEPT_OF_NETWORK),
        "IPAM": {
            "Config": [
                {name: one[name] for name in _KEPT_OF_POOL if name in one}
                for one in (pools if isinstance(pools, list) else ())
                if isinstance(one, dict)
            ]
        },
        "Options": {
            name: value
            for name, value in (options.items() if isinstance(options, dict) else ())
            if name.startswith(_KEPT_OPTIONS)
        },
    }


def _kept(listed: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    labels = listed.get("Labels")
    kept = {name: listed[name] for name in names if name in listed}
    kept["Labels"] = {
        name: value
        for name, value in (labels.items() if isinstance(labels, dict) else ())
        if name.startswith(_KEPT_LABELS)
    }
    return kept


def _deep(value: Any) -> Any:
    """Command lines and texts inside an answer, however deep."""
    if isinstance(value, Process):
        return value._replace(command=redacted(value.command))
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, tuple):
        parts = [_deep(one) for one in value]
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value
