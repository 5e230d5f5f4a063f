"""daemon.json: the settings of Docker's daemon, and whether it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.facts import docker, docker_daemon, units
from mailcow_wizard.facts.docker_addresses import Addresses, addresses
from mailcow_wizard.facts.docker_network import NetworkOptions, defaults, network_options
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.routes import defaults_v6, own_v6
from mailcow_wizard.facts.storage import DAEMON_JSON
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal

    Shape = Literal["missing", "empty", "broken", "no settings", "settings"]

_VALIDATE_S = 5.0


class DaemonJson(NamedTuple):
    """The file. `trouble` says where it is broken; `refused` what the daemon itself has against it."""

    path: str
    shape: Shape
    data: bytes = b""
    settings: Mapping[str, Any] = MappingProxyType({})
    trouble: str = ""
    refused: str = ""


class Rules(NamedTuple):
    """How the daemon is set up, from the file and from its command line: whether it makes firewall rules for
    IPv4 and IPv6, whether published ports have a program that passes connections on (`proxy`), and the
    address that a new network's ports are published on where nothing else is said."""

    iptables: bool
    ip6tables: bool
    proxy: bool
    address: str


class DaemonSettings(NamedTuple):
    """daemon.json beside the engine that reads it. `wants_ipv6`: mailcow is to have IPv6 (None: nobody has
    said); `lacking` what Docker needs in the file for that; `hosts_twice` that the unit and the file both
    say where to listen, with which the daemon does not start; `backend` is the engine's firewall;
    `addresses` what the file says of those of Docker's networks; `network` the options of mailcow's;
    `unread` why the daemon's command line, which counts like the file, is not known."""

    file: DaemonJson
    engine: docker.Engine
    version: str
    rules: Rules
    wants_ipv6: bool | None
    lacking: tuple[tuple[str, Any], ...]
    hosts_twice: bool
    backend: str
    addresses: Addresses = Addresses()
    network: NetworkOptions = NetworkOptions()
    unread: str = ""
    stopping: tuple[tuple[str, Any], ...] = ()
    no_log_options: tuple[str, ...] = ()
    no_driver: str = ""

    @property
    def stops_docker(self) -> bool:
        """Whether Docker does not start with this file."""
        file, odd = self.file, self.addresses
        return bool(
            file.shape in ("broken", "no settings")
            or file.refused
            or self.hosts_twice
            or self.stopping
            or self.no_log_options
            or self.no_driver
            or (odd.odd or odd.nobodys or odd.narrow)
        )


def daemon_json(facts: Facts) -> DaemonJson:
    """Reads the file that the running daemon was told, else the usual one. Raises HostError, Denied."""
    import json

    path = docker_daemon.option(facts.get(docker_daemon.options), "config-file") or DAEMON_JSON
    try:
        data = facts.host.read(path)
    except Missing:
        return DaemonJson(path, "missing")
    except HostError as error:
        # Docker makes one where the file is lent to a container before it is there.
        if isinstance(error, Denied) or facts.host.info(path).kind != "directory":
            raise
        return DaemonJson(path, "broken", trouble=_("it is a directory"))
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        return DaemonJson(path, "empty", data)
    try:
        # The daemon takes a byte order mark, and `null` for no settings (tried with 28.5); so does jq.
        settings = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return DaemonJson(path, "broken", data, trouble=_("it is not UTF-8"))
    except RecursionError:
        return DaemonJson(path, "broken", data, trouble=_("it is nested too deeply"))
    except ValueError as error:
        return DaemonJson(path, "broken", data, trouble=_words(error))
    if settings is None:
        settings = {}
    if not isinstance(settings, dict):
        return DaemonJson(path, "no settings", data)
    return DaemonJson(path, "settings", data, MappingProxyType(settings), refused=_refused(facts, path))


def _words(error: ValueError) -> str:
    line, said = getattr(error, "lineno", 0), str(getattr(error, "msg", error))
    small = said[:1].lower() + said[1:]
    return _("line {line}: {said}", line=line, said=small) if line else said


def _refused(facts: Facts, path: str) -> str:
    """What the daemon has against the file; empty where nothing, or where it cannot be asked."""
    if docker.numbers(engine_version(facts)) < need.VALIDATES or not facts.get(docker.engine).server:
        return ""
    try:
        ran = facts.host.run(("dockerd", "--validate", "--config-file", path), _VALIDATE_S)
    except HostError:
        return ""
    said = ran.err.strip() or ran.out.strip()
    if not ran.code or path not in said:
        return ""
    return said.rpartition(f"{path}: ")[2] or said


def rules(facts: Facts) -> Rules:
    """What counts now: the command line goes with the file, for the daemon takes no setting from both."""
    words, settings = facts.get(docker_daemon.options), facts.get(daemon_json).settings
    major = docker.numbers(engine_version(facts))[0]

    def on(name: str, otherwise: bool) -> bool:
        said = docker_daemon.option(words, name)
        if said:
            return said.lower() in ("true", "1", "t")
        value = settings.get(name)
        return value if isinstance(value, bool) else otherwise

    iptables = on("iptables", True)
    by_itself = major >= need.IP6TABLES_BY_ITSELF
    ip6tables = on("ip6tables", by_itself) and (by_itself or on("experimental", False))
    address = defaults(words, settings).get("host_binding_ipv4", "")
    return Rules(iptables, ip6tables and iptables, on("userland-proxy", True), address)


def daemon_settings(facts: Facts) -> DaemonSettings:
    """The file, and what it means for mailcow here."""
    file, engine = facts.get(daemon_json), facts.get(docker.engine)
    version = engine_version(facts)
    wanted = facts.get(wants_ipv6)
    try:
        known = facts.get(docker.info)
    except HostError:
        known = None
    return DaemonSettings(
        file,
        engine,
        version,
        facts.get(rules),
        wanted,
        lacking_for_ipv6(file.settings, version) if wanted and version else (),
        "hosts" in file.settings and _unit_says_hosts(facts),
        known.firewall if known else "",
        addresses(facts, file.settings),
        network_options(facts, facts.get(docker_daemon.options), file.settings),
        facts.get(docker_daemon.options_unread),
        lacking_to_start(file.settings, version, facts.get(docker_daemon.options)) if version else (),
        _no_log_options(file.settings),
        _no_driver(file.settings, version),
    )


def engine_version(facts: Facts) -> str:
    """The version of the engine that runs, else of the one that is installed; empty: there is none."""
    return facts.get(docker.engine).version or facts.get(docker.programs).server


def wants_ipv6(facts: Facts) -> bool | None:
    """Whether mailcow is to have IPv6: what mailcow.conf says, and whether this machine has any."""
    try:
        said = facts.get(mailcow_conf).ipv6
    except HostError:
        return None
    addresses, routes = facts.get(own_v6), facts.get(defaults_v6)
    if said == "false" or not (addresses and routes):
        return False
    return True if said == "true" else None


def lacking_for_ipv6(settings: Mapping[str, Any], version: str) -> tuple[tuple[str, Any], ...]:
    """What daemon.json needs besides, for containers of this engine to have IPv6."""
    major = docker.numbers(version)[0]
    wanted: list[tuple[str, Any]] = [("ipv6", True)]
    if major < need.PREFIX_BY_ITSELF and not settings.get("fixed-cidr-v6"):
        wanted.append(("fixed-cidr-v6", need.PREFIX_V6))
    if major < need.IP6TABLES_BY_ITSELF:
        wanted += [("ip6tables", True), ("experimental", True)]
    return tuple((key, value) for key, value in wanted if settings.get(key) != value)


def lacking_to_start(
    settings: Mapping[str, Any], version: str, words: tuple[str, ...]
) -> tuple[tuple[str, Any], ...]:
    """What daemon.json needs besides, for this engine to start with it (tried with 26.1, where
    `dockerd --validate` takes the file)."""
    major = docker.numbers(version)[0]

    def lacks(name: str) -> bool:
        return not settings.get(name) and not docker_daemon.option(words, name)

    wanted: list[tuple[str, Any]] = []
    own = settings.get("ipv6") is True and settings.get("bridge") != "none"
    if own and major < need.PREFIX_BY_ITSELF and lacks("fixed-cidr-v6"):
        wanted.append(("fixed-cidr-v6", need.PREFIX_V6))
    if settings.get("ip6tables") is True and major < need.IP6TABLES_BY_ITSELF and lacks("experimental"):
        wanted.append(("experimental", True))
    return tuple(wanted)


def _no_log_options(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Options of log files that are left over where logs go elsewhere: `dockerd --validate` takes them."""
    given = settings.get("log-opts")
    if settings.get("log-driver") not in need.LOGS_ELSEWHERE or not isinstance(given, dict):
        return ()
    return tuple(one for one in need.LOG_FILE_OPTIONS if one in given)


def _no_driver(settings: Mapping[str, Any], version: str) -> str:
    named = str(settings.get("storage-driver"))
    first = need.DRIVERS_GONE.get(named)
    return named if first and docker.numbers(version)[0] >= first else ""


def _unit_says_hosts(facts: Facts) -> bool:
    """Whether systemd's unit starts the daemon with -H, as Docker's own packages do."""
    if not units.is_running(facts):
        return False
    try:
        said = facts.host.run(("systemctl", "show", "-p", "ExecStart", "--", docker_daemon.SERVICE)).out
    except HostError:
        return False
    return " -H" in said or " --host" in said
