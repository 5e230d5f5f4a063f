"""Variables that beat mailcow.conf: docker compose takes an exported one before what `.env` says (C19)."""

from __future__ import annotations

import re

from mailcow_wizard.facts.compose_files import COMPOSE_FILE, override_path
from mailcow_wizard.facts.config_values import nothing_to_read
from mailcow_wizard.facts.mailcow_conf import MailcowConf, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.redaction import is_secret
from mailcow_wizard.typed import NamedTuple

HERE = _("this shell's environment")
_OWN = "/proc/self/environ"
_ENVIRONMENT = "/etc/environment"
# What bash reads when root logs in or opens a shell, besides /etc/profile.d/*.sh.
_START_FILES = (
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/root/.bash_profile",
    "/root/.bash_login",
    "/root/.profile",
    "/root/.bashrc",
)
_MORE_START_FILES = "/etc/profile.d"
# Compose's own, which decide what it reads at all.
STEERING = ("COMPOSE_FILE", "COMPOSE_ENV_FILES", "COMPOSE_DISABLE_ENV_FILE", "COMPOSE_PROJECT_NAME")
_USED = r"(?<!\$)(?:\$\$)*\$(?:\{([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))"
_EXPORT = r"^\s*(?:export|declare\s+-\w*x\w*|typeset\s+-\w*x\w*)\s+(?!-)(.*)$"
_ASSIGNED = r"""([A-Za-z_][A-Za-z0-9_]*)(?:=("[^"]*"|'[^']*'|[^\s;&|#]*))?"""
# A compose file that asks for these means the shell's.
_THE_SHELLS_OWN = {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "USER"}
_MOST_BYTES = 1 << 18


class Leak(NamedTuple):
    """A variable that beats mailcow.conf, and where it is exported: `HERE`, or a file and its line."""

    name: str
    where: str


class Environment(NamedTuple):
    """The variables that beat mailcow.conf, and the files that could not be read. `skip` says why there is
    nothing to judge."""

    skip: str
    leaks: tuple[Leak, ...]
    unread: tuple[str, ...]


def environment(facts: Facts) -> Environment:
    """Looks for exported variables that docker compose would take before mailcow.conf's value."""
    skip = nothing_to_read(facts)
    if skip:
        return Environment(skip, (), ())
    conf = facts.get(mailcow_conf)
    wanted = {name: conf.values.get(name) for name in _used(facts, conf)}
    leaks = [Leak(name, HERE) for name in _exported_here(facts, wanted)]
    unread: list[str] = []
    for path in (_ENVIRONMENT, *_START_FILES, *_scripts(facts, unread)):
        try:
            text = facts.host.text(path, _MOST_BYTES)
        except Missing:
            continue
        except HostError:
            unread.append(path)
            continue
        for name, line, value in _exports(text, path == _ENVIRONMENT):
            if name in wanted and (is_secret(name) or value != wanted[name]):
                leaks.append(Leak(name, _("{path}, line {line}", path=path, line=line)))
    return Environment("", tuple(dict.fromkeys(leaks)), tuple(unread))


def _used(facts: Facts, conf: MailcowConf) -> set[str]:
    """The variables that the compose files ask for; if they cannot be read, those that mailcow.conf sets."""
    names: set[str] = set(STEERING)
    found = False
    for path in (facts.settings.within(COMPOSE_FILE), override_path(facts)):
        try:
            text = facts.host.text(path)
        except HostError:
            continue
        found = True
        names |= {braced or plain for braced, plain in re.findall(_USED, text)}
    return (names if found else names | set(conf.values)) - _THE_SHELLS_OWN


def _exported_here(facts: Facts, wanted: dict[str, str | None]) -> list[str]:
    """Those of this program's own environment. An empty one beats the file too."""
    environ = facts.host.read(_OWN, _MOST_BYTES).decode("utf-8", "replace")
    names = {entry.partition("=")[0] for entry in environ.split("\0")}
    # A password stands in nobody's environment for good, and a recorded machine has no values of them.
    return [
        name
        for name in sorted(names & set(wanted))
        if is_secret(name) or facts.host.variable(name) != wanted[name]
    ]


def _scripts(facts: Facts, unread: list[str]) -> list[str]:
    try:
        names = facts.host.names(_MORE_START_FILES)
    except Missing:
        return []
    except Denied:
        unread.append(_MORE_START_FILES)
        return []
    return [f"{_MORE_START_FILES}/{name}" for name in names if name.endswith(".sh")]


def _exports(text: str, plain: bool) -> list[tuple[str, int, str | None]]:
    """Name, line and value (None: not told here) of each variable that is exported; in a `plain` file, of
    each that is set."""
    found: list[tuple[str, int, str | None]] = []
    values: dict[str, str | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(_EXPORT, line)
        if match is None:
            alone = re.match(_ASSIGNED, line.strip())
            if alone and alone[2] is not None:
                values[alone[1]] = _value(alone[2])
                if plain:
                    found.append((alone[1], number, values[alone[1]]))
            continue
        for one in re.finditer(_ASSIGNED, match[1].partition(" #")[0]):
            value = values.get(one[1]) if one[2] is None else _value(one[2])
            found.append((one[1], number, value))
    return found


def _value(raw: str) -> str | None:
    """A value as the shell takes it; None where it is made from something else."""
    if raw[:1] == "'":
        return raw[1:-1]
    value = raw[1:-1] if raw[:1] == '"' else raw
    return None if "$" in value or "`" in value or "\\" in value else value
