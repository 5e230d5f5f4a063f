"""The ports that a service takes when it starts, by its configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.recording.scrub_statements import recorded_in_part
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

_MOST_FILES = 200
_MOST_LETTERS = 1 << 20
_UNTOLD = 0
"""In the place of a port that a word does not tell, as it does where it is a variable."""
BY_NAME = {
    "smtp": 25, "smtps": 465, "submissions": 465, "urd": 465, "submission": 587, "http": 80, "https": 443,
    "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190,
}  # fmt: skip
"""Of mailcow's ports, those that /etc/services has names for."""
_OF_PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "imap": ("imap", "imaps"),
    "pop3": ("pop3", "pop3s"),
    "sieve": ("sieve",),
    "submission": ("submission", "submissions"),
}
"""The listeners that dovecot has for each of its protocols; its sieve's is called sieve, too."""


class _Layout(NamedTuple):
    """Where a service's configuration begins, how its ports are read, how its lines name further files, and
    the directory that those are named from (empty: that of the file itself)."""

    file: str
    ports: Callable[[str], frozenset[int]]
    includes: str = ""
    root: str = ""


def configured(facts: Facts, name: str, usual: tuple[int, ...]) -> frozenset[int]:
    """The ports of a service (`nginx`); its `usual` ones where its configuration does not tell."""
    layout = _LAYOUTS.get(name)
    if not layout:
        return frozenset(usual)
    try:
        text = _whole(facts, layout)
    except HostError:
        return frozenset(usual)
    found = layout.ports(text)
    return found | set(usual) if _UNTOLD in found else found


def _whole(facts: Facts, layout: _Layout) -> str:
    """A configuration with all that it includes, one behind the other, without comments. Raises HostError
    where a part of it cannot be read, or could not be recorded without the secrets that it may hold."""
    texts: dict[str, str] = {}
    left, size = [layout.file], 0
    while left:
        path = left.pop()
        if path in texts:
            continue
        if len(texts) >= _MOST_FILES or size > _MOST_LETTERS or not recorded_in_part(path):
            raise HostError(path)
        texts[path] = re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", facts.host.text(path))
        size += len(texts[path])
        root = layout.root or path.rpartition("/")[0]
        for named in re.findall(layout.includes, texts[path]) if layout.includes else ():
            place = named.strip("\"'")
            left += _matching(facts, place if place.startswith("/") else f"{root}/{place}")
    return "\n".join(texts.values())


def _matching(facts: Facts, place: str) -> list[str]:
    """The files that a place names, which may have wildcards in its last part."""
    directory, _slash, last = place.rpartition("/")
    if not re.search(r"[*?\[]", place):
        return [place] if facts.host.exists(place) else []
    if re.search(r"[*?\[]", directory):
        raise HostError(place)
    try:
        names = facts.host.names(directory)
    except Missing:
        return []
    return [f"{directory}/{one}" for one in names if fnmatchcase(one, last) and one[:1] != "."]


def _port(word: str) -> int:
    """`80`, `*:80`, `[::]:80`, `smtp`."""
    port = word.rpartition(":")[2]
    return whole(port) if is_number(port) else BY_NAME.get(port, _UNTOLD)


def nginx_ports(text: str) -> frozenset[int]:
    """`listen 443 ssl;`, `listen 10.0.0.1;` (port 80), and servers that say nothing of it."""
    found = set()
    for word in re.findall(r"(?<![\w-])listen\s+([^\s;]+)", text):
        if not word.startswith("unix:"):
            found.add(_port(word) if is_number(word) or re.search(r":\d+$", word) else 80)
    servers = re.split(r"(?<![\w-])server\s*\{", text)[1:]
    return frozenset(found | {80 for one in servers if not re.search(r"(?<![\w-])listen\s", one)})


def apache_ports(text: str) -> frozenset[int]:
    """`Listen 80`, `Listen 10.0.0.1:443 https`; not what is meant for a module that is not loaded."""
    loaded = frozenset(re.findall(r"(?mi)^[ \t]*LoadModule[ \t]+(\w+?)_module\b", text))
    found, skipped = set(), 0  # so many blocks deep
    for line in text.splitlines():
        words = line.split()
        word = words[0].lower() if words else ""
        if word.startswith("</if"):
            skipped = max(0, skipped - 1)
        elif word.startswith("<if"):
            skipped += skipped > 0 or (word == "<ifmodule" and _lacks(words[-1].rstrip(">"), loaded))
        elif word == "listen" and len(words) > 1 and not skipped:
            found.add(_port(words[1]))
    return frozenset(found)


def _lacks(module: str, loaded: frozenset[str]) -> bool:
    """Whether a module by one of its names (`ssl_module`, `mod_ssl.c`) is none of these."""
    name = re.sub(r"^mod_|\.c$|_module$", "", module)
    return name.isidentifier() and name not in loaded


def dovecot_ports(text: str) -> frozenset[int]:
    """The listeners of its protocols, and what their blocks say of their ports (0: none)."""
    said = re.findall(r"(?m)^[ \t]*protocols[ \t]*(?:=([^\n]*)|\{([^}]{0,2000})\})", text)
    words = set(re.findall(r"\w+", " ".join(" ".join(one) for one in said))) or {"imap", "pop3"}
    ports = {one: BY_NAME[one] for word, some in _OF_PROTOCOLS.items() if word in words for one in some}
    for name, block in re.findall(r"(?m)^[ \t]*inet_listener[ \t]+([\w-]+)[ \t]*\{([^}]{0,2000})\}", text):
        port = re.search(r"(?m)^[ \t]*port[ \t]*=[ \t]*(\d{1,5})\b", block)
        if port and (name in ports or name not in BY_NAME):
            ports[name] = whole(port[1])
    return frozenset(ports.values()) - {0}


def postfix_ports(text: str) -> frozenset[int]:
    """The services of master.cf that listen to the network."""
    return frozenset(_port(one) for one in re.findall(r"(?m)^(\S+)[ \t]+inet[ \t]", text)) - {_UNTOLD}


def lighttpd_ports(text: str) -> frozenset[int]:
    """`server.port = 8080` (80 without), and sockets: `$SERVER["socket"] == ":443" {`."""
    main = re.search(r"(?m)^[ \t]*server\.port[ \t]*:?=[ \t]*(\d{1,5})\b", text)
    sockets = re.findall(r'\$SERVER\["socket"\][ \t]*==[ \t]*"([^"\n]*)"', text)
    return frozenset((whole(main[1]) if main else 80, *map(_port, sockets)))


def haproxy_ports(text: str) -> frozenset[int]:
    """`bind *:80`, `bind :::443 v4v6`, `bind 10.0.0.1:80,10.0.0.1:443`."""
    words = (word for line in re.findall(r"(?m)^[ \t]*bind[ \t]+(\S+)", text) for word in line.split(","))
    return frozenset(_port(word) for word in words if not word.startswith("/"))


_APACHE = r"(?mi)^[ \t]*Include(?:Optional)?[ \t]+(\S+)"
_DOVECOT = r"(?m)^[ \t]*!include(?:_try)?[ \t]+(\S+)"
_LIGHTTPD = r'(?m)^[ \t]*include[ \t]+"([^"\n]+)"'
_NGINX = r"(?<![\w-])include\s+([^\s;]+)\s*;"
_LAYOUTS: dict[str, _Layout] = {
    "nginx": _Layout("/etc/nginx/nginx.conf", nginx_ports, _NGINX, "/etc/nginx"),
    "apache2": _Layout("/etc/apache2/apache2.conf", apache_ports, _APACHE, "/etc/apache2"),
    "httpd": _Layout("/etc/httpd/conf/httpd.conf", apache_ports, _APACHE, "/etc/httpd"),
    "dovecot": _Layout("/etc/dovecot/dovecot.conf", dovecot_ports, _DOVECOT),
    "postfix": _Layout("/etc/postfix/master.cf", postfix_ports),
    "lighttpd": _Layout("/etc/lighttpd/lighttpd.conf", lighttpd_ports, _LIGHTTPD, "/etc/lighttpd"),
    "haproxy": _Layout("/etc/haproxy/haproxy.cfg", haproxy_ports),
}
