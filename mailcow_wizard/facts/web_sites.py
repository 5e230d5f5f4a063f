"""Which web sites a server serves, read from its configuration: what would be lost if it were stopped."""

import re
from collections.abc import Callable

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_PLACEHOLDERS = ("_", "", "localhost", "default", "default_server")
_DEFAULT_ROOTS = (
    "/var/www/html", "/usr/share/nginx/html", "/var/www", "/usr/share/caddy", "/var/www/localhost/htdocs",
    "/usr/share/httpd/noindex", "/srv/www/htdocs", "/usr/share/nginx/www",
)  # fmt: skip
_MOST_FILES = 200


class Sites(NamedTuple):
    """Names of the sites that a server serves besides its default page.

    `names` has a word such as `10.0.0.2:80` for a site without a name. `known` is False where the
    configuration could not be read.
    """

    names: tuple[str, ...]
    known: bool = True


class Layout(NamedTuple):
    """Where a server's configuration lies: its own file, directories of sites, how to read the sites."""

    files: tuple[str, ...]
    directories: tuple[str, ...]
    names: Callable[[str], tuple[str, ...]]


def sites(facts: Facts, role: str) -> Sites:
    """The sites of a server by its role (facts.blockers)."""
    layout = _LAYOUTS.get(role)
    if not layout:
        return Sites((), known=False)
    texts = []
    for path in (*layout.files, *_below(facts, layout.directories)):
        try:
            texts.append(facts.host.text(path))
        except HostError:
            continue
    names = tuple(dict.fromkeys(name for text in texts for name in layout.names(text)))
    return Sites(names, known=bool(texts))


def _below(facts: Facts, directories: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for directory in directories:
        try:
            names = facts.host.names(directory)
        except HostError:
            continue
        found += [f"{directory}/{name}" for name in names if name and name[0] != "." and name[-1] != "~"]
    return found[:_MOST_FILES]


def nginx_sites(text: str) -> tuple[str, ...]:
    """Names in `server { … }` of nginx; a server that only shows the default page is none."""
    found: list[str] = []
    for block in _blocks(_without_comments(text), r"(?<![\w-])server\s*\{"):
        names = [
            word for line in re.findall(r"(?<![\w-])server_name\s+([^;]*);", block) for word in line.split()
        ]
        named = [word for word in names if word not in _PLACEHOLDERS]
        listens = re.findall(r"(?<![\w-])listen\s+([^\s;]+)", block)
        if named:
            found += named
        elif not _only_default_page(block, r"(?<![\w-])root\s+([^;]+);", r"(?<![\w-])(?:\w+_pass|return)\s"):
            found.append(_("a site on {listens}", listens=listens[0] if listens else "80"))
    return tuple(found)


def apache_sites(text: str) -> tuple[str, ...]:
    """Names in `<VirtualHost>` of Apache; one without a name that only shows the default page is none."""
    found: list[str] = []
    for where, block in re.findall(
        r"(?is)<VirtualHost\s+([^>]*)>(.*?)</VirtualHost>", _without_comments(text)
    ):
        names = re.findall(r"(?im)^\s*Server(?:Name|Alias)\s+(.+?)\s*$", block)
        named = [word.strip('"') for line in names for word in line.split()]
        named = [word.partition("//")[2] or word for word in named if word not in _PLACEHOLDERS]
        if named:
            found += named
        elif not _only_default_page(block, r"(?im)^\s*DocumentRoot\s+(.+?)\s*$", r"(?im)^\s*ProxyPass"):
            found.append(_("a site on {where}", where=where.strip()))
    return tuple(found)


def caddy_sites(text: str) -> tuple[str, ...]:
    """Addresses of Caddy's site blocks; the one that only shows the default page is none."""
    found: list[str] = []
    depth = 0
    for line in _without_comments(text).splitlines():
        words = line.strip()
        if depth == 0 and words and not words.startswith(("(", "import ", "{")):
            heads = [word.strip(",") for word in words.removesuffix("{").split()]
            found += [word for word in heads if not re.fullmatch(r"(?:https?://)?:\d+|localhost", word)]
        depth += words.count("{") - words.count("}")
    body = re.search(r"(?m)^\s*root\s+(?:\*\s+)?(\S+)", text)
    if not found and re.search(r"(?m)^\s*(?:reverse_proxy|php_fastcgi)\b", _without_comments(text)):
        return (_("a site on :80"),)
    if not found and body and body[1].rstrip("/") not in _DEFAULT_ROOTS:
        return (_("a site on :80"),)
    return tuple(found)


def proxied(text: str) -> tuple[str, ...]:
    """HAProxy: its backends; whatever is there is served by something else, and wanted."""
    return tuple(re.findall(r"(?m)^(?:backend|listen)\s+(\S+)", text))


def _only_default_page(block: str, root: str, passed_on: str) -> bool:
    roots = re.findall(root, block)
    default = all(one.strip().strip('"').rstrip("/") in _DEFAULT_ROOTS for one in roots)
    return default and not re.search(passed_on, block)


def _blocks(text: str, head: str) -> list[str]:
    """What stands between the braces after each head."""
    found = []
    for match in re.finditer(head, text):
        depth, end = 1, match.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        found.append(text[match.end() : end])
    return found


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text)


_LAYOUTS: dict[str, Layout] = {
    "nginx": Layout(
        ("/etc/nginx/nginx.conf",),
        ("/etc/nginx/conf.d", "/etc/nginx/sites-enabled", "/etc/nginx/http.d", "/etc/nginx/vhosts.d"),
        nginx_sites,
    ),
    "apache": Layout(
        ("/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"),
        ("/etc/apache2/sites-enabled", "/etc/httpd/conf.d", "/etc/apache2/vhosts.d", "/etc/apache2/conf.d"),
        apache_sites,
    ),
    "caddy": Layout(
        ("/etc/caddy/Caddyfile",), ("/etc/caddy/sites-enabled", "/etc/caddy/conf.d"), caddy_sites
    ),
    "haproxy": Layout(("/etc/haproxy/haproxy.cfg",), ("/etc/haproxy/conf.d",), proxied),
}
