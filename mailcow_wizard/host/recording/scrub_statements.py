"""What may be recorded of files in which people keep passwords: statements of known kinds, and no other.

Of web servers' files the names of sites and where they listen are kept, of Dovecot's its listeners, of
Postfix's files the services that listen and its own name, of units what wants them and what they want; every
other statement is left out, whatever it says. Of queued mail only the number is kept: it is other people's.
"""

import re

WEB_SERVERS = ("/etc/nginx/", "/etc/apache2/", "/etc/httpd/", "/etc/caddy/", "/etc/haproxy/")
"""Where the configurations of web servers are."""
_SHARED = ("/usr/share/nginx/", "/etc/letsencrypt/")
"""What such configurations include besides."""
_LIGHTTPD = "/etc/lighttpd/"
_KEPT_OF_LIGHTTPD = (
    r"^\s*server\.port\s*:?=\s*\d+|^\s*include\s+\"[^\"]*\"|\$SERVER\[\"socket\"\]\s*==\s*\"[\w.:*\[\]/-]*\""
)
_DOVECOT = ("/etc/dovecot/", "/usr/share/dovecot/")
_KEPT_OF_DOVECOT = (
    r"^\s*(?:protocols\s*(?:=[\w\s$:-]*|\{[^=]*$)|!include(?:_try)?\s+\S+|inet_listener\s+[\w-]+\s*\{[\w\s=:.]*\}?"
    r"|port\s*=\s*\d+|\w+\s*=\s*(?:yes|no)\s*$|\}\s*$)"
)
_MASTER = "/etc/postfix/master.cf"
_MAIN = "/etc/postfix/main.cf"
_KEPT_OF_MAIN = r"(?:inet_interfaces|relayhost|myhostname)\s*="
_SOCKET = r"\.socket(?:\.d/[^/]*)?$"
_KEPT_OF_SOCKETS = r"\s*(?:\[|ListenStream\s*=)"
_KEPT_OF_UNITS = (
    r"# /|\[|(?:Also|WantedBy|RequiredBy|UpheldBy)=|"
    r"(?:Requires|Requisite|Wants|BindsTo|Upholds|PartOf)\s*=[\w@.\\:%\s-]*$"
)
# Words that begin a statement, and may be followed by what is no secret.
_KEPT = (
    "server_name", "listen", "root", "include", "import", "server", "http", "servername", "serveralias",
    "documentroot", "<virtualhost", "</virtualhost>", "backend", "frontend", "bind",
    "includeoptional", "loadmodule", "<ifmodule",
)  # fmt: skip
# Of these it only counts that they are there.
_KEPT_ALONE = (
    "return",
    "proxypass",
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "reverse_proxy",
    "php_fastcgi",
)
_CONDITION = r"</?if\w*>?"
_ADDRESSES = r"[\w.:,*/\[\]\s-]+"


def recorded_in_part(path: str) -> bool:
    """Whether only a part of this file may be recorded."""
    places = (*WEB_SERVERS, *_SHARED, *_DOVECOT, _LIGHTTPD)
    return path.startswith(places) or path in (_MASTER, _MAIN) or _unit_of_socket(path)


def _unit_of_socket(path: str) -> bool:
    return path.startswith("/etc/systemd/system/") and bool(re.search(_SOCKET, path))


def part(path: str, text: str) -> str:
    """That part; the lines stay where they are."""
    if path == _MASTER:
        return _lines(text, r"\S+\s+inet\s")
    if path == _MAIN:
        return _lines(text, _KEPT_OF_MAIN)
    if _unit_of_socket(path):
        return _lines(text, _KEPT_OF_SOCKETS)
    if path.startswith(_DOVECOT):
        return _parts(text, _KEPT_OF_DOVECOT)
    if path.startswith(_LIGHTTPD):
        return _parts(text, _KEPT_OF_LIGHTTPD)
    text = re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text)
    pieces = re.split(r"([;{}\n])", text)
    kept = []
    for statement, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        kept.append(_kept(statement, end) + end)
    return "".join(kept)


def part_of_output(argv: tuple[str, ...], text: str) -> str:
    """What may be recorded of a command's output; all of it where it is known to hold no secret."""
    if argv[:2] == ("systemctl", "cat"):
        return _lines(text, _KEPT_OF_UNITS)
    if argv[:1] == ("mailq",):
        return _lines(text, r"Total requests:|\s*Total requests:")
    if argv[:1] in (("postqueue",), ("smtpctl",)):
        return "{}\n" * text.count("\n")
    return text


def _lines(text: str, pattern: str) -> str:
    return "\n".join(line if re.match(pattern, line) else "" for line in text.split("\n"))


def _parts(text: str, pattern: str) -> str:
    """Of each line what the pattern takes."""
    without = re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text)
    return "\n".join(" ".join(re.findall(pattern, line)) for line in without.split("\n"))


def _kept(statement: str, end: str) -> str:
    words = statement.split()
    if not words:
        return statement
    first = words[0].lower()
    if first in _KEPT:
        return statement
    if first in _KEPT_ALONE:
        return f"{words[0]} -"
    if re.fullmatch(_CONDITION, first):
        return words[0] if first.endswith(">") else f"{words[0]} ->"
    # Caddy's sites are addresses before a brace; inside of them such a word could be a user's name.
    address = end == "{" and "." in words[0] and re.fullmatch(_ADDRESSES, statement)
    return statement if address else ""
