"""What goes together in a mailcow.conf, and what the machine says to it."""

import re
from collections.abc import Iterator

from mailcow_wizard.conf.layout import GONE, GONE_IPV6, KEYS
from mailcow_wizard.conf.rule import File, LintFinding, Rule
from mailcow_wizard.conf.rules_values import ADDRESS
from mailcow_wizard.language import _
from mailcow_wizard.requirements import PORTS

_ANY = ("", "0.0.0.0")
_ENV = {
    "missing": _("there is no .env: docker compose does not read this file"),
    "file": _(".env is a file of its own, and docker compose reads that one instead"),
    "directory": _(".env is a directory: docker compose does not read this file"),
    "elsewhere": _(".env leads elsewhere, and docker compose does not read this file"),
}


def _places(file: File) -> dict[str, tuple[str, int, str]]:
    """Where each port is bound: address, number, and the key that says the address."""
    found = {}
    for port in PORTS:
        value = file.values.get(port.key, "")
        match = re.fullmatch(rf"(?:({ADDRESS}):)?([0-9]{{1,5}})", value)
        if value and not match:
            continue
        address = (match[1] or "") if match else port.address
        key = port.key
        if port.bind_key and file.values.get(port.bind_key):
            address, key = file.values[port.bind_key], port.bind_key
        found[port.key] = (address, int(match[2]) if match else port.number, key)
    return found


def _same_place(file: File) -> Iterator[LintFinding]:
    places = list(_places(file).items())
    for number, (key, (address, port, _unused)) in enumerate(places):
        for other, (its_address, its_port, _unused) in places[:number]:
            meets = address == its_address or address in _ANY or its_address in _ANY
            if port == its_port and meets and (file.line(key) or file.line(other)):
                where = key if file.line(key) else other
                words = _("{key} and {other} both name port {port}", key=key, other=other, port=port)
                yield file.finding(where, "port-twice", "error", words)


def _addresses(file: File) -> Iterator[LintFinding]:
    """Addresses that this machine does not have."""
    own = file.about.addresses
    for _unused, (address, _number, key) in _places(file).items():
        local = address in _ANY or address.startswith("127.")
        if own is None or local or address in own or not re.fullmatch(ADDRESS, address):
            continue
        words = _(
            "{shown}: this machine does not have the address {address}",
            shown=file.shown(key),
            address=address,
        )
        yield file.finding(key, "address-not-here", "error", words)
    source = file.values.get("SNAT_TO_SOURCE", "")
    if own is not None and re.fullmatch(ADDRESS, source) and source not in own:
        words = _("{shown}: this machine does not have this address", shown=file.shown("SNAT_TO_SOURCE"))
        yield file.finding("SNAT_TO_SOURCE", "address-not-here", "error", words)
    source = _ipv6(file.values.get("SNAT6_TO_SOURCE", ""))
    if file.about.addresses_v6 is not None and source and source not in file.about.addresses_v6:
        words = _("{shown}: this machine does not have this address", shown=file.shown("SNAT6_TO_SOURCE"))
        yield file.finding("SNAT6_TO_SOURCE", "address-not-here", "error", words)


def _ipv6(text: str) -> str:
    """The address in its usual form; empty where it is none."""
    if ":" not in text:
        return ""
    import ipaddress

    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return ""


def _reach(file: File) -> Iterator[LintFinding]:
    """SMTP where nobody delivers, and services that are for mailcow alone where everybody can knock."""
    places = _places(file)
    address, port, _unused = places.get("SMTP_PORT", ("", 25, ""))
    if port != 25:
        words = _("{shown}: other mail servers deliver to port 25 only", shown=file.shown("SMTP_PORT"))
        yield file.finding("SMTP_PORT", "smtp-not-on-25", "warning", words)
    elif address.startswith("127."):
        words = _("{shown}: no other machine can deliver there", shown=file.shown("SMTP_PORT"))
        yield file.finding("SMTP_PORT", "smtp-on-loopback", "warning", words)
    for port_of in PORTS:
        address = places.get(port_of.key, ("127.0.0.1", 0, ""))[0]
        if port_of.address and not address.startswith("127."):
            words = _(
                "{shown}: {service} can be reached from outside",
                shown=file.shown(port_of.key),
                service=port_of.service,
            )
            yield file.finding(port_of.key, "internal-port-open", "warning", words)


def _proxy(file: File) -> Iterator[LintFinding]:
    http, https = file.values.get("HTTP_BIND", ""), file.values.get("HTTPS_BIND", "")
    behind = http.startswith("127.")
    if behind != https.startswith("127."):
        key = "HTTPS_BIND" if behind else "HTTP_BIND"
        words = _("only one of HTTP_BIND and HTTPS_BIND is on loopback; a reverse proxy needs both there")
        yield file.finding(key, "proxy-binds-differ", "warning", words)
    if behind and file.yes("HTTP_REDIRECT"):
        words = _("HTTP_REDIRECT=y behind a reverse proxy sends visitors round in circles")
        yield file.finding("HTTP_REDIRECT", "redirect-behind-proxy", "error", words, {"HTTP_REDIRECT": "n"})


def _pairs(file: File) -> Iterator[LintFinding]:
    user, password = (bool(file.values.get(f"DOVECOT_MASTER_{one}")) for one in ("USER", "PASS"))
    if user != password:
        key = "DOVECOT_MASTER_USER" if user else "DOVECOT_MASTER_PASS"
        words = _("DOVECOT_MASTER_USER and DOVECOT_MASTER_PASS go together: set both or neither")
        yield file.finding(key, "master-user-alone", "error", words)
    for key in ("API_KEY", "API_KEY_READ_ONLY"):
        if file.values.get(key) and not file.values.get("API_ALLOW_FROM"):
            words = _("{key} needs API_ALLOW_FROM: without it nobody may use the API", key=key)
            yield file.finding(key, "api-without-addresses", "error", words)


def _redis(file: File) -> Iterator[LintFinding]:
    """Files from before 2025 have no password for Redis: right beside the docker-compose.yml of then, while a
    newer one makes a configuration with it that Redis refuses."""
    key, takes = "REDISPASS", file.about.takes
    if key in file.values or file.seen(key) or not takes or not takes(key):
        return
    words = _(
        "{key} is not set, and docker-compose.yml here asks for it: mailcow.conf is older than these "
        "files, and Redis does not start",
        key=key,
    )
    remedy = _("set {key} to 28 random letters and digits, as mailcow's update.sh does", key=key)
    yield file.finding(key, "redis-password-missing", "error", words)._replace(remedy=remedy)


def _names(file: File) -> Iterator[LintFinding]:
    """Keys that nothing reads any more, and those that look like a slip of the pen."""
    for key, value in file.values.items():
        if value in GONE_IPV6.get(key, ()) and file.values.get("ENABLE_IPV6") != "false":
            words = _("{shown} is no longer read: mailcow uses IPv6", shown=file.shown(key))
            yield file.finding(key, "ipv6-switch-gone", "warning", words, {"ENABLE_IPV6": "false"})
        elif key in GONE:
            instead = _("; {key} has taken its place", key=GONE[key]) if GONE[key] else ""
            yield file.finding(
                key,
                "key-without-use",
                "advice",
                _("{key} is no longer read{instead}", key=key, instead=instead),
            )
        elif key not in KEYS:
            meant = similar(key)
            if meant and meant not in file.values:
                yield file.finding(
                    key,
                    "key-misspelt",
                    "advice",
                    _("{key} is unknown; is {meant} meant?", key=key, meant=meant),
                )


def similar(key: str) -> str:
    """The key of mailcow that differs by one character left out, put in, taken for another or exchanged."""
    for name in KEYS:
        if abs(len(name) - len(key)) > 1 or name[0] != key[0]:
            continue
        short, long = sorted((name, key), key=len)
        start = next(
            (n for n, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short)
        )
        if len(short) < len(long):
            if short[start:] == long[start + 1 :]:
                return name
        elif short[start + 1 :] == long[start + 1 :] or (
            short[start : start + 2] == long[start : start + 2][::-1]
            and short[start + 2 :] == long[start + 2 :]
        ):
            return name
    return ""


def _machine(file: File) -> Iterator[LintFinding]:
    """What the machine knows: other variables, another database, a link that is none."""
    for key in sorted((file.about.exported or frozenset()) & set(file.values)):
        words = _("{key} is an exported variable too, which docker compose takes before this line", key=key)
        yield file.finding(key, "exported-variable", "error", words)
    projects, name = file.about.projects, file.values.get("COMPOSE_PROJECT_NAME", "")
    if projects and name and name not in projects:
        words = _(
            "{shown}, but this machine's database is of {projects}: mailcow would start empty",
            shown=file.shown("COMPOSE_PROJECT_NAME"),
            projects=", ".join(projects),
        )
        right = {"COMPOSE_PROJECT_NAME": projects[0]} if len(projects) == 1 else None
        yield file.finding("COMPOSE_PROJECT_NAME", "project-name-changed", "error", words, right)
    if file.about.env not in (None, "right"):
        words = _ENV.get(file.about.env, _(".env is no file, and docker compose does not read this one"))
        yield LintFinding(None, "", "env-not-a-link", "error", words)


RULES: tuple[Rule, ...] = (
    _same_place,
    _addresses,
    _reach,
    _proxy,
    _pairs,
    _redis,
    _names,
    _machine,
)
