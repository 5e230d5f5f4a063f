"""The bones of a server's configuration: what may be recorded of files in which people keep passwords.

Of web servers' files the names of sites and where they listen are kept, of Postfix's master.cf the services
that listen; every other statement is left out, whatever it says.
"""

import re

_WEB = ("/etc/nginx/", "/etc/apache2/", "/etc/httpd/", "/etc/caddy/", "/etc/haproxy/")
_MASTER = "/etc/postfix/master.cf"
# Words that begin a statement, and may be followed by what is no secret.
_KEPT = (
    "server_name", "listen", "root", "include", "import", "server", "http", "servername", "serveralias",
    "documentroot", "<virtualhost", "</virtualhost>", "backend", "frontend", "bind",
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
_ADDRESSES = r"[\w.:,*/\[\]\s-]+"


def has_bones(path: str) -> bool:
    """Whether only a part of this file may be recorded."""
    return path.startswith(_WEB) or path == _MASTER


def bones(path: str, text: str) -> str:
    """That part; the lines stay where they are."""
    if path == _MASTER:
        return "\n".join(line if re.match(r"\S+\s+inet\s", line) else "" for line in text.split("\n"))
    text = re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text)
    pieces = re.split(r"([;{}\n])", text)
    kept = []
    for statement, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        kept.append(_kept(statement, end) + end)
    return "".join(kept)


def _kept(statement: str, end: str) -> str:
    words = statement.split()
    if not words:
        return statement
    first = words[0].lower()
    if first in _KEPT:
        return statement
    if first in _KEPT_ALONE:
        return f"{words[0]} -"
    # Caddy's sites are addresses before a brace; inside of them such a word could be a user's name.
    address = end == "{" and "." in words[0] and re.fullmatch(_ADDRESSES, statement)
    return statement if address else ""
