"""What a command that failed has said, in words: what it was, what helps, whether trying again may. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailcow_wizard.checks import docker_words
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple


class Trouble(NamedTuple):
    """`kind` names it, `words` say it in a sentence's part, `again`: it may pass by itself. `what` is the
    port, image or container that was named."""

    kind: str
    words: str
    remedies: tuple[str, ...] = ()
    again: bool = False
    what: str = ""


_MOST, _LONGEST = 400, 4096
KILLED = "killed"
_OF_KILL = (-9, 137)  # by the kernel's own signal, told by the parent or by a shell
_OF_DOCKER = 255
# Bounded: a hostile line would take its square in time.
_PORT = pattern(
    r":(\d{1,5})\b[^\n]{0,400}?(?:address already in use|port is already allocated)"
    r"|[Bb]ind for \S{0,80}:(\d{1,5}) failed"
)
_HOST = pattern(r"https?://([\w.-]{1,253})")
_MOST_HOSTS = 3
_FAR = ("network", "certificate", "stranger", "login", "proxy")
"""Troubles with a far side, which the output may name."""
_UNHEALTHY = pattern(r"container (\S+) is unhealthy")
_IMAGE = pattern(
    r"manifest for (\S+) not found|failed to resolve reference \"?([^\s\"]+)\"?: \S+: not found"
    r"|(?<!\S)(?=\S{0,200}/\S{0,200}:)(\S{1,400}): not found"
    r"|pull access denied for ([^\s,]+)|repository (\S+) not found"
    r"|manifest unknown|no such image: (\S+)|no matching manifest for (\S+)",
    re.IGNORECASE,
)


def of_output(lines: Sequence[str]) -> Trouble:
    """The trouble that a command's output tells of, its last words where nothing is known about them."""
    lines = tuple(one[:_LONGEST] for one in lines[-_MOST:])
    text = "\n".join(lines)
    port = _PORT.search(text)
    if port:
        number = next(one for one in port.groups() if one)
        return Trouble("port", _("port {number} is taken by something else", number=number), what=number)
    if re.search(r"(?i)no space left on device|disk quota exceeded", text):
        return Trouble("disk", _("the disk is full"))
    unhealthy = _UNHEALTHY.search(text)
    if unhealthy:
        return Trouble(
            "unhealthy",
            _("{name} does not become healthy", name=unhealthy[1]),
            again=True,
            what=unhealthy[1],
        )
    image = _IMAGE.search(text)
    if image:
        name = next((one for one in image.groups() if one), "")
        if name and name == image.groups()[-1]:
            words = _("an image is not made for this processor ({name})", name=name)
            return Trouble("processor", words, (_("See ./wizard check system.cpu-arch"),), what=name)
        words = (
            _("the registry has no image {name}", name=name)
            if name
            else _("the registry lacks one of the images")
        )
        return Trouble("image", words, (_LATER,), what=name)
    known = next((trouble for pattern, trouble in _KNOWN if re.search(pattern, text, re.IGNORECASE)), None)
    if known is None:
        return Trouble("other", _last_words(lines), again=True)
    hosts = tuple(dict.fromkeys(_HOST.findall(text)))[:_MOST_HOSTS] if known.kind in _FAR else ()
    if not hosts:
        return known
    return known._replace(words=_("{words} ({hosts})", words=known.words, hosts=", ".join(hosts)))


def of_end(code: int, lines: Sequence[str]) -> Trouble:
    """The trouble of a command that ended with this exit code; that it was killed is one of its own."""
    trouble = of_output(lines)
    # With 255, and without a word, docker ends whose compose was killed.
    silent = code == _OF_DOCKER and not any(map(str.strip, lines))
    if trouble.kind != "other" or not (code in _OF_KILL or silent):
        return trouble
    return Trouble(KILLED, _("the command was killed, as happens where memory runs out"), _memory(), True)


def _memory() -> tuple[str, ...]:
    return (
        _("See whether memory ran out: journalctl -k | grep -i 'out of memory'"),
        _("A swap file helps there: ./wizard fix system.swap swapfile"),
    )


def _last_words(lines: Sequence[str]) -> str:
    """The line that says most: the last one that speaks of an error, else the last."""
    said = [one.strip() for one in lines if one.strip()]
    errors = [one for one in said if re.search(r"(?i)error|fatal|failed|denied|cannot", one)]
    return (errors or said or [_("it does not say why")])[-1][:300]


def disk_remedies(path: str) -> tuple[str, ...]:
    """What helps where a disk is full."""
    return (_("See what fills it (df -h {path}), and make room.", path=path),)


_LATER = _("It may be published at this moment: try again later.")
_KNOWN: tuple[tuple[str, Trouble], ...] = (
    (
        r"cannot connect to the docker daemon|is the docker daemon running|error during connect"
        r"|docker\.sock: (?:connect|read|write)|unexpected EOF$",
        Trouble("daemon", _("Docker does not answer any more"), ("systemctl status docker",), True),
    ),
    (
        # What GitHub's registry and Docker Hub's gate allow in a minute, not what Docker Hub gives in hours.
        r"toomanyrequests: retry-after|\(HAP429\)|parsing HTTP 429 response"
        r"|https?://(?!\S{0,80}docker\.io/)\S{1,400}: 429",
        Trouble(
            "busy",
            _("the registry is asked too often at this moment"),
            (_("Wait for some minutes, then run this again."),),
            True,
        ),
    ),
    (
        r"toomanyrequests|429 too many requests|pull rate limit",
        Trouble(
            "rate",
            _("Docker Hub gives this address no more images for now (its pull rate limit)"),
            (_("Wait for some hours, or log in there first (docker login), then run this again."),),
        ),
    ),
    (
        r"unauthorized|incorrect username or password|\bdenied: (?:denied|requested access)"
        r"|from registry: denied",
        Trouble(
            "login",
            _("the registry refuses this: the login that Docker keeps for it may be out of date"),
            (_("Log out there and run this again: docker logout ghcr.io; docker logout"),),
        ),
    ),
    (
        r"proxyconnect",
        Trouble(
            "proxy",
            _("the proxy that Docker goes through does not answer"),
            (_("See which one that is: docker info --format '{{.HTTPSProxy}}'"),),
            True,
        ),
    ),
    (
        r"gave HTTP response to HTTPS client",
        Trouble(
            "stranger",
            _("something else answers in the registry's place, without TLS"),
            (_("See who stands in between: ./wizard check docker.registry"),),
        ),
    ),
    (
        # What is no registry's answer; one of 5xx Docker names itself.
        r"error parsing HTTP 4\d\d response body|error unmarshalling content"
        r"|invalid character .{1,9} looking for beginning of value",
        Trouble(
            "stranger",
            _("what answers in the registry's place is no registry, or does not let this machine in"),
            (_("See who stands in between: ./wizard check docker.registry"),),
            True,
        ),
    ),
    (
        r"layer verification failed|failed size validation|unexpected commit digest",
        Trouble(
            "damaged",
            _("what comes is not what the registry promised: it is damaged on the way, or cut off"),
            (_("See who stands in between: ./wizard check docker.registry"),),
            True,
        ),
    ),
    (
        r"failed to read \S{1,400}/\.env\b",
        Trouble(
            "conf",
            _("docker compose cannot read mailcow.conf"),
            (_("See which line: ./wizard conf lint"),),
        ),
    ),
    (
        r"yaml: (?:line \d|unmarshal|control char|mapping|invalid)",
        Trouble(
            "files",
            _("docker compose cannot read one of its files"),
            (
                _(
                    "See what it says of docker-compose.override.yml: docker compose config, in mailcow's "
                    "directory."
                ),
            ),
        ),
    ),
    (
        r"read-only file system",
        Trouble(
            "readonly",
            _("Docker cannot write its data: the file system is read-only"),
            (_("See why: dmesg | tail, and mount | grep ' ro,'. A disk may be failing."),),
        ),
    ),
    (
        r"setting rlimit",
        Trouble(
            "limit",
            _("a container wants more open files than this machine allows"),
            (_("Raise the limit outside (nofile), or let docker-compose.override.yml ask for less."),),
        ),
    ),
    (
        r"pool overlaps|invalid pool request|overlaps with existing",
        Trouble(
            "subnet",
            _("the containers' network overlaps with another one"),
            (_("Choose another: ./wizard fix network.subnet choose-subnet"),),
        ),
    ),
    *((one.pattern, Trouble(one.kind, one.words, (one.remedy,))) for one in docker_words.MESSAGES),
    (
        r"could not resolve|no such host|failure in name resolution|server misbehaving"
        r"|: lookup \S{1,253}(?: on \S{1,80})?: [^\n]{0,200}(?:timeout|refused|unreachable|no route)",
        Trouble("network", _("its name cannot be looked up"), (_("See ./wizard check network"),), True),
    ),
    (
        r"x509|certificate (?:problem|verif)|unknown authority",
        Trouble(
            "certificate",
            _("the other side shows a certificate that is not trusted"),
            (
                _("See who stands in between: ./wizard check docker.registry"),
                _("Is the clock right? ./wizard check time"),
            ),
        ),
    ),
    (
        r"remote branch \S+ not found|couldn't find remote ref",
        Trouble("branch", _("there is no such branch"), (_("Leave --branch away: master is the default."),)),
    ),
    (
        r"repository .*not found|does not appear to be a git repository|repository .*does not exist",
        Trouble("repository", _("there is no such repository"), (_("See what --repository names."),)),
    ),
    (
        r"time[d-]* ?out|deadline exceeded|no route to host|connection refused|unreachable|connection reset"
        r"|unexpected eof|early eof|remote end hung up|operation too slow|status(?: code)?:? 5\d\d"
        r"|request to \S{1,400}: 5\d\d"
        r"|failed to connect|returned error: 5",
        Trouble(
            "network",
            _("the other side does not answer as it should"),
            (_("See whether this machine reaches it: ./wizard check network.outbound-hosts"),),
            True,
        ),
    ),
)
