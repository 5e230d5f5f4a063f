"""What a value may be, key by key. What is not set, or empty, is judged only where it matters."""

import re
from collections.abc import Iterator

from mailcow_wizard.conf.layout import HIDDEN_CHOICES, HIDDEN_SWITCHES, KEYS, PASS_SCHEMES
from mailcow_wizard.conf.rule import File, LintFinding, Rule
from mailcow_wizard.language import _
from mailcow_wizard.names import NotAName, host_name
from mailcow_wizard.requirements import PORTS, PORTS_RESERVED_IN_NGINX

_YES = ("y", "yes", "true", "1", "on")
_NO = ("n", "no", "false", "0", "off")
_PASSWORDS = ("DBPASS", "DBROOT", "REDISPASS")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
ADDRESS = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_NETWORK = rf"({_OCTET}\.{_OCTET}\.{_OCTET})(?:\.0(?:/24)?|\.)?"
_EMAIL = r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+"
_SOGO_DEFAULT = "SOGoSuperSecret0"


def _hostname(file: File) -> Iterator[LintFinding]:
    key = "MAILCOW_HOSTNAME"
    value = file.values.get(key, "")
    if file.lacks(key):
        yield file.finding(
            key, "hostname-missing", "error", _("{key} is not set: mailcow does not start", key=key)
        )
    if not value:
        return
    small = value.lower().rstrip(".")
    if value.endswith("."):
        yield file.finding(
            key, "hostname-final-dot", "error", _("{key} ends with a dot", key=key), {key: small}
        )
    elif value != value.lower():
        words = _(
            "{key} has capital letters; certificates and greetings are compared with small ones", key=key
        )
        yield file.finding(key, "hostname-capitals", "warning", words, {key: small})
    try:
        name = host_name(small)
    except NotAName as error:
        yield file.finding(
            key,
            "hostname-malformed",
            "error",
            _("{shown} cannot be a name: {error}", shown=file.shown(key), error=error),
        )
        return
    if name != small:
        words = _("{key} must be written as DNS has it", key=key)
        yield file.finding(key, "hostname-malformed", "error", words, {key: name})
    elif "." not in name:
        words = _(
            "{shown} is no full name, such as mail.example.org: mailcow's scripts refuse it",
            shown=file.shown(key),
        )
        yield file.finding(key, "hostname-not-full", "error", words)
    elif name in file.about.domains:
        words = _(
            "{shown} is a mail domain itself; the server needs a name of its own", shown=file.shown(key)
        )
        yield file.finding(key, "hostname-is-domain", "error", words)
    elif name.count(".") == 1:
        words = _(
            "{shown} has one dot only: mailcow is hardly tested that way; better is mail.{name}",
            shown=file.shown(key),
            name=name,
        )
        yield file.finding(key, "hostname-one-dot", "warning", words)


def _timezone(file: File) -> Iterator[LintFinding]:
    value = file.values.get("TZ", "")
    right = {"TZ": file.about.timezone} if file.about.timezone else None
    if file.lacks("TZ"):
        words = _("TZ is not set: the containers take UTC")
        yield file.finding("TZ", "timezone-empty", "warning", words, right)
    elif value and file.about.is_zone is not None and file.about.is_zone(value) is False:
        yield file.finding(
            "TZ", "timezone-unknown", "error", _("TZ={value} is no timezone of this machine", value=value)
        )


def _ports(file: File) -> Iterator[LintFinding]:
    for key, layout in KEYS.items():
        value = file.values.get(key, "")
        if layout.kind != "port" or not value:
            continue
        match = re.fullmatch(rf"(?:({ADDRESS}):)?([0-9]{{1,5}})", value)
        if match and 0 < int(match[2]) < 65536:
            continue
        if re.search(r"::|\[", value):
            words = _(
                "{shown}: an IPv6 address belongs into docker-compose.override.yml", shown=file.shown(key)
            )
            yield file.finding(key, "ipv6-address-in-port", "error", words)
            continue
        words = _(
            "{shown} is neither a port nor an IPv4 address and a port, such as 192.0.2.1:25",
            shown=file.shown(key),
        )
        yield file.finding(key, "port-malformed", "error", words)


def _web_ports(file: File) -> Iterator[LintFinding]:
    for key, layout in KEYS.items():
        value = file.values.get(key, "")
        if layout.kind != "web-port" or not value:
            continue
        bind = key.replace("_PORT", "_BIND")
        match = re.fullmatch(rf"({ADDRESS}):([0-9]{{1,5}})", value)
        if match:
            words = _(
                "{shown}: the address belongs into {bind}, this key takes a port alone",
                shown=file.shown(key),
                bind=bind,
            )
            free = file.values.get(bind, "") in ("", match[1])
            changes = {key: match[2], bind: match[1]} if free else None
            yield file.finding(key, "address-in-http-port", "error", words, changes)
        elif not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65536:
            yield file.finding(
                key, "port-malformed", "error", _("{shown} is not a port", shown=file.shown(key))
            )
        elif int(value) in PORTS_RESERVED_IN_NGINX:
            words = _("{shown} is used inside mailcow's own web server", shown=file.shown(key))
            yield file.finding(key, "reserved-http-port", "error", words)


def _binds(file: File) -> Iterator[LintFinding]:
    for port in PORTS:
        value = file.values.get(port.bind_key, "") if port.bind_key else ""
        if not value or re.fullmatch(ADDRESS, value):
            continue
        if ":" in value and not re.search(r"\.", value):
            words = _(
                "{shown}: an IPv6 address belongs into docker-compose.override.yml",
                shown=file.shown(port.bind_key),
            )
            yield file.finding(port.bind_key, "ipv6-address-in-bind", "error", words)
        else:
            words = _("{shown} is not an IPv4 address", shown=file.shown(port.bind_key))
            yield file.finding(port.bind_key, "bind-malformed", "error", words)


def _switches(file: File) -> Iterator[LintFinding]:
    names = (*(key for key, layout in KEYS.items() if layout.kind == "switch"), *HIDDEN_SWITCHES)
    for key in names:
        value = file.values.get(key)
        if value is None or value in ("y", "n"):
            continue
        meant = "y" if value.lower() in _YES else "n" if value.lower() in _NO else ""
        if value:
            words = _("{shown}: mailcow knows y and n only, in lower case", shown=file.shown(key))
            yield file.finding(key, "switch-value", "error", words, {key: meant} if meant else None)
        else:
            yield file.finding(
                key, "switch-empty", "warning", _("{key} is empty; it should be y or n", key=key)
            )
    key, value = "ENABLE_IPV6", file.values.get("ENABLE_IPV6")
    if value == "":
        words = _("{key} is empty: mailcow takes it for true", key=key)
        yield file.finding(key, "ipv6-empty", "warning", words, {key: "true"})
    elif value is not None and value not in ("true", "false"):
        meant = "true" if value.lower() in _YES else "false" if value.lower() in _NO else ""
        words = _("{shown}: mailcow knows true and false only, in lower case", shown=file.shown(key))
        yield file.finding(key, "ipv6-value", "error", words, {key: meant} if meant else None)


def _choices(file: File) -> Iterator[LintFinding]:
    key = "DOCKER_COMPOSE_VERSION"
    value, installed = file.values.get(key, ""), file.about.compose
    right = {key: installed[0]} if installed else None
    if file.lacks(key):
        words = _("{key} is empty: mailcow's backup and helper scripts stop there", key=key)
        yield file.finding(key, "compose-version-empty", "warning", words, right)
    elif not value:
        pass
    elif value not in KEYS[key].choices:
        words = _("{shown}: mailcow knows native and standalone", shown=file.shown(key))
        yield file.finding(key, "compose-version-value", "error", words, right)
    elif installed and value not in installed:
        words = _(
            "{shown}, and what is installed is {installed}", shown=file.shown(key), installed=installed[0]
        )
        yield file.finding(key, "compose-version-differs", "error", words, right)
    value = file.values.get("ACL_ANYONE", "")
    if value and value not in KEYS["ACL_ANYONE"].choices:
        words = _("{shown}: mailcow knows allow and disallow", shown=file.shown("ACL_ANYONE"))
        yield file.finding("ACL_ANYONE", "acl-anyone-value", "error", words)
    key = "MAILCOW_PASS_SCHEME"
    value = file.values.get(key, "")
    if value and value.upper() not in PASS_SCHEMES:
        words = _(
            "{shown}: mailcow makes {schemes}, and {default} in place of any other",
            shown=file.shown(key),
            schemes=", ".join(PASS_SCHEMES),
            default=PASS_SCHEMES[0],
        )
        yield file.finding(key, "pass-scheme-unknown", "warning", words, {key: PASS_SCHEMES[0]})
    for key, choices in HIDDEN_CHOICES.items():
        if file.values.get(key, "") not in choices:
            words = _("{shown}: mailcow knows {choices} only", shown=file.shown(key), choices=choices[-1])
            yield file.finding(key, "cluster-mode-value", "error", words)


def _numbers(file: File) -> Iterator[LintFinding]:
    for key, layout in KEYS.items():
        value = file.values.get(key, "")
        if layout.kind == "number" and value and not re.fullmatch(r"[0-9]{1,9}", value):
            yield file.finding(
                key, "number-malformed", "error", _("{shown} is not a number", shown=file.shown(key))
            )


def _networks(file: File) -> Iterator[LintFinding]:
    key = "IPV4_NETWORK"
    value = file.values.get(key, "")
    match = re.fullmatch(_NETWORK, value)
    if value and not match:
        words = _(
            "{shown} is not the first three numbers of a network, such as 172.22.1", shown=file.shown(key)
        )
        yield file.finding(key, "subnet-malformed", "error", words)
    elif match:
        if match[1] != value:
            words = _("{shown}: mailcow appends .0/24 itself", shown=file.shown(key))
            yield file.finding(key, "subnet-malformed", "error", words, {key: match[1]})
        if not _private(match[1]):
            words = _("{shown} is not private: use 10.…, 172.16 to 172.31 or 192.168", shown=file.shown(key))
            yield file.finding(key, "subnet-not-private", "error", words)
    yield from _network6(file)


def _private(network: str) -> bool:
    """RFC 1918."""
    first, second, _unused = (int(part) for part in network.split("."))
    return first == 10 or (first == 172 and 16 <= second < 32) or (first == 192 and second == 168)


def _network6(file: File) -> Iterator[LintFinding]:
    key = "IPV6_NETWORK"
    value = file.values.get(key, "")
    if not value:
        return
    import ipaddress

    try:
        network = ipaddress.IPv6Network(value)
    except ValueError:
        words = _("{shown} is not an IPv6 network, such as fd4d:6169:6c63:6f77::/64", shown=file.shown(key))
        yield file.finding(key, "subnet6-malformed", "error", words)
        return
    if "/" not in value or network.prefixlen > 120:
        words = _("{shown} has no room for mailcow's containers; a /64 is usual", shown=file.shown(key))
        yield file.finding(key, "subnet6-malformed", "error", words)
    elif not network.subnet_of(ipaddress.IPv6Network("fc00::/7")):
        words = _("{shown} is not private: use one in fc00::/7", shown=file.shown(key))
        yield file.finding(key, "subnet6-not-private", "error", words)


def _lists(file: File) -> Iterator[LintFinding]:
    for key, layout in KEYS.items():
        value = file.values.get(key, "")
        if layout.kind not in ("list", "addresses", "emails", "email") or not value:
            continue
        if re.search(r"[\s;]", value):
            meant = ",".join(filter(None, re.split(r"[\s,;]+", value)))
            words = _("{key}: entries stand side by side with a comma, without spaces", key=key)
            yield file.finding(key, "space-in-list", "error", words, {key: meant})
            continue
        entries = value.split(",")
        if "" in entries:
            words = _("{key}: there is a comma too many", key=key)
            meant = ",".join(filter(None, entries))
            yield file.finding(key, "empty-list-entry", "warning", words, {key: meant})
        wrong = next((one for one in entries if one and not _fits(layout.kind, one)), "")
        if wrong:
            rule, what = _ENTRIES[layout.kind]
            yield file.finding(
                key, rule, "error", _("{key}: {wrong} is no {what}", key=key, wrong=wrong, what=what)
            )


_ENTRIES = {
    "list": ("name-malformed", _("host name")),
    "addresses": ("address-malformed", _("address or network")),
    "emails": ("email-malformed", _("mail address")),
    "email": ("email-malformed", _("mail address")),
}


def _fits(kind: str, entry: str) -> bool:
    if kind == "list":
        name = entry.removesuffix(".*").removeprefix("*.")
        try:
            return host_name(name) == name.lower()
        except NotAName:
            return False
    if kind == "addresses":
        import ipaddress

        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
        return True
    return bool(re.fullmatch(_EMAIL, entry))


def _passwords(file: File) -> Iterator[LintFinding]:
    for key in _PASSWORDS:
        value = file.values.get(key)
        if not value:
            # Files from before 2024 have no password for Redis; mailcow's updater adds it.
            if file.lacks(key) and (value is not None or key != "REDISPASS"):
                yield file.finding(key, "password-missing", "error", _("{key} is not set", key=key))
        elif not re.fullmatch(r"[A-Za-z0-9]+", value):
            words = _(
                "{key} has other characters than letters and digits: parts of mailcow stumble over them",
                key=key,
            )
            yield file.finding(key, "password-characters", "error", words)
    for key in ("DBNAME", "DBUSER"):
        value = file.values.get(key, "")
        if file.lacks(key):
            yield file.finding(key, "database-name-missing", "error", _("{key} is not set", key=key))
        elif value and not re.fullmatch(r"[A-Za-z0-9_]+", value):
            words = _("{shown} has other characters than letters, digits and _", shown=file.shown(key))
            yield file.finding(key, "database-name-characters", "error", words)


def _keys(file: File) -> Iterator[LintFinding]:
    key = "SOGO_URL_ENCRYPTION_KEY"
    value = file.values.get(key)
    if value is not None and value in ("", _SOGO_DEFAULT):
        words = _("{key} is the one that everybody knows; take 16 random letters and digits", key=key)
        yield file.finding(key, "sogo-key-public", "warning", words)
    elif value is not None and not re.fullmatch(r"[A-Za-z0-9]{16}", value):
        yield file.finding(
            key, "sogo-key-malformed", "error", _("{key} is not exactly 16 letters and digits", key=key)
        )
    for key in ("API_KEY", "API_KEY_READ_ONLY"):
        if not re.fullmatch(r"[A-Za-z0-9-]*", file.values.get(key, "")):
            words = _("{key} has other characters than letters, digits and -", key=key)
            yield file.finding(key, "api-key-characters", "error", words)
    for key in ("DOVECOT_MASTER_USER", "DOVECOT_MASTER_PASS"):
        if not re.fullmatch(r"[A-Za-z0-9]*", file.values.get(key, "")):
            words = _("{key} has other characters than letters and digits", key=key)
            yield file.finding(key, "master-user-characters", "error", words)


def _project(file: File) -> Iterator[LintFinding]:
    key = "COMPOSE_PROJECT_NAME"
    value = file.values.get(key, "")
    if file.lacks(key):
        words = _("{key} is not set: containers and volumes are then named after the directory", key=key)
        yield file.finding(key, "project-name-missing", "warning", words)
    elif value and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        words = _("{shown} has other characters than small letters, digits, _ and -", shown=file.shown(key))
        yield file.finding(key, "project-name-characters", "error", words)


def _snat(file: File) -> Iterator[LintFinding]:
    value = file.values.get("SNAT_TO_SOURCE", "")
    if value and value != "n" and not re.fullmatch(ADDRESS, value):
        words = _("{shown} is not an IPv4 address", shown=file.shown("SNAT_TO_SOURCE"))
        yield file.finding("SNAT_TO_SOURCE", "snat-malformed", "error", words)
    value = file.values.get("SNAT6_TO_SOURCE", "")
    if value and value != "n":
        import ipaddress

        try:
            ipaddress.IPv6Address(value)
        except ValueError:
            words = _("{shown} is not an IPv6 address", shown=file.shown("SNAT6_TO_SOURCE"))
            yield file.finding("SNAT6_TO_SOURCE", "snat-malformed", "error", words)


RULES: tuple[Rule, ...] = (
    _hostname,
    _timezone,
    _ports,
    _web_ports,
    _binds,
    _switches,
    _choices,
    _numbers,
    _networks,
    _lists,
    _passwords,
    _keys,
    _project,
    _snat,
)
