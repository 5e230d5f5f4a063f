"""How each kind of web server is given a site for mailcow: which files, its own test, its reload."""

from __future__ import annotations

import re
from collections.abc import Callable

from mailcow_wizard.facts.blockers import UNIT
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.port_units import read_again
from mailcow_wizard.fixes.proxy_sites import Site, apache, caddy, haproxy, nginx, traefik
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    from mailcow_wizard.model import PlanStep

    Around: TypeAlias = tuple[tuple[PlanStep, ...], tuple[PlanStep, ...]]

_NGINX = "/etc/nginx"
_APACHE = "/etc/apache2"
_HTTPD = "/etc/httpd"
_CADDYFILE = "/etc/caddy/Caddyfile"
_HAPROXY = "/etc/haproxy/haproxy.cfg"
# What the site needs, each after what it needs itself: a2dismod refuses another order.
_FOR_HTTPS = ("socache_shmcb", "ssl")
_MODULES = ("proxy", "proxy_http", "headers", "rewrite", "socache_shmcb", "ssl")


def _steps_of_nginx(conflict: Conflict, site: Site) -> Around:
    if _elsewhere(conflict, f"{_NGINX}/nginx.conf"):
        return (), (_copy(conflict, nginx(site), "nginx -t"), *_certificate(conflict, site))
    text = conflict.facts.host.text(f"{_NGINX}/nginx.conf")
    test = ("nginx", "-t")
    reload = _service(conflict, "reload")
    available = f"{_NGINX}/sites-available"
    if re.search(r"(?m)^\s*include\s+\S*sites-enabled/\*", text) and conflict.facts.host.exists(available):
        path, link = f"{available}/mailcow.conf", f"{_NGINX}/sites-enabled/mailcow.conf"
        _must_be_new(conflict, link)
        enabled: tuple[PlanStep, ...] = (Command(("ln", "-s", path, link), (("rm", link),)),)
    else:
        directory = next((one for one in ("conf.d", "http.d") if f"{one}/*.conf" in text), "")
        if not directory:
            raise NoPlan(
                _("{nginx}/nginx.conf includes no directory of sites that is known here", nginx=_NGINX)
            )
        path, enabled = f"{_NGINX}/{directory}/mailcow.conf", ()
    _must_be_new(conflict, path)
    after = (Edit(path, None, nginx(site).encode()), *enabled, Command(test), Command(reload))
    return _before(test, reload), (*after, *_certificate(conflict, site))


def _steps_of_apache(conflict: Conflict, site: Site) -> Around:
    nameless = _global_name(conflict) in ("", site.server.lower())
    text = apache(site._replace(plain=_hosts(site.plain), secure=_hosts(site.secure), nameless=nameless))
    if _elsewhere(conflict, f"{_APACHE}/apache2.conf") and _elsewhere(conflict, f"{_HTTPD}/conf/httpd.conf"):
        return (), (_copy(conflict, text, "apachectl configtest"), *_certificate(conflict, site))
    if not conflict.facts.host.exists(f"{_APACHE}/sites-available"):
        return _steps_of_httpd(conflict, site, text)
    path = f"{_APACHE}/sites-available/mailcow.conf"
    _must_be_new(conflict, path)
    there = conflict.facts.host.names(f"{_APACHE}/mods-enabled")
    # Without a virtual host for HTTPS the open port 443 would speak plain HTTP.
    wanted = _MODULES if site.ready else tuple(one for one in _MODULES if one not in _FOR_HTTPS)
    missing = tuple(one for one in wanted if f"{one}.load" not in there)
    later = tuple(one for one in _FOR_HTTPS if not site.ready and f"{one}.load" not in there)
    test = ("apache2ctl", "configtest")
    # Modules that are new are loaded for sure by a restart.
    again = _service(conflict, "restart" if missing else "reload")
    off = ("a2dismod", "-q", *_without_traces(conflict, "module", missing), *reversed(missing))
    modules = (Command(("a2enmod", "-q", *missing), (off,)),) if missing else ()
    disable = ("a2dissite", "-q", *_without_traces(conflict, "site", ("mailcow",)), "mailcow")
    enable = Command(("a2ensite", "-q", "mailcow"), (disable,))
    after = (Edit(path, None, text.encode()), *modules, enable, Command(test), Command(again))
    return _before(test, again), (*after, *_certificate(conflict, site, later))


def _without_traces(conflict: Conflict, kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Debian notes who switched a module or site on or off; the option that forgets it, where none of these
    was noted before."""
    noted = (
        f"/var/lib/apache2/{kind}/{state}_by_{whom}/{name}"
        for state in ("enabled", "disabled")
        for whom in ("admin", "maint")
        for name in names
    )
    return () if any(map(conflict.facts.host.exists, noted)) else ("-p",)


def _steps_of_httpd(conflict: Conflict, site: Site, text: str) -> Around:
    """Apache as Red Hat, Fedora and SUSE lay it out: its modules are loaded, mod_ssl is a package."""
    path = f"{_HTTPD}/conf.d/mailcow.conf"
    _must_be_new(conflict, path)
    if not conflict.facts.host.exists(f"{_HTTPD}/conf.d/ssl.conf"):
        raise NoPlan(_("Apache's part for HTTPS is not installed: dnf install mod_ssl, then try again"))
    test, reload = ("apachectl", "configtest"), _service(conflict, "reload")
    after = (Edit(path, None, text.encode()), Command(test), Command(reload))
    return _before(test, reload), (*after, *_certificate(conflict, site))


def _global_name(conflict: Conflict) -> str:
    """The ServerName outside all virtual hosts, in lower case; empty where there is none."""
    host = conflict.facts.host
    paths = [f"{_APACHE}/apache2.conf", f"{_HTTPD}/conf/httpd.conf"]
    for directory in (f"{_APACHE}/conf-enabled", f"{_APACHE}/sites-enabled", f"{_HTTPD}/conf.d"):
        try:
            paths += [f"{directory}/{name}" for name in host.names(directory) if name.endswith(".conf")]
        except HostError:
            continue
    found = ""
    for path in paths:
        try:
            text = re.sub(r"(?is)<VirtualHost\s.*?</VirtualHost>", "", host.text(path))
        except HostError:
            continue
        for name in re.findall(r"(?im)^\s*ServerName\s+(\S+)", text):
            found = name.partition("//")[2] or name
    return found.partition(":")[0].lower()


def _hosts(where: tuple[str, ...]) -> tuple[str, ...]:
    """Where a virtual host listens, in Apache's words: `*:80` stands for every address."""
    every = [one for one in where if one.isdigit() or one.startswith("[::]:")]
    return (f"*:{every[0].rpartition(':')[2]}",) if every else where


def _steps_of_caddy(conflict: Conflict, site: Site) -> Around:
    text = caddy(site)
    if _elsewhere(conflict, _CADDYFILE):
        return (), (_copy(conflict, text, "caddy validate"), *_certificate(conflict, site))
    before = conflict.facts.host.read(_CADDYFILE)
    path = "/etc/caddy/mailcow.caddy"
    _must_be_new(conflict, path)
    line = b"import mailcow.caddy\n"
    after = before + (b"" if before.endswith(b"\n") or not before else b"\n") + line
    test = ("caddy", "validate", "--config", _CADDYFILE, "--adapter", "caddyfile")
    reload = _service(conflict, "reload")
    steps = (
        Edit(path, None, text.encode()),
        Edit(_CADDYFILE, before, after),
        Command(test),
        Command(reload),
    )
    return _before(test, reload), (*steps, *_certificate(conflict, site))


def _steps_of_haproxy(conflict: Conflict, site: Site) -> Around:
    test = f"haproxy -c -f {_HAPROXY}"
    words = (_copy(conflict, haproxy(site), test), *_certificate(conflict, site))
    return (() if _elsewhere(conflict, _HAPROXY) else (Command(tuple(test.split())),)), words


def _steps_of_traefik(conflict: Conflict, site: Site) -> Around:
    return (), (_copy(conflict, traefik(site), ""), *_certificate(conflict, site))


STEPS_OF: dict[str, Callable[[Conflict, Site], Around]] = {
    "nginx": _steps_of_nginx,
    "apache": _steps_of_apache,
    "caddy": _steps_of_caddy,
    "haproxy": _steps_of_haproxy,
    "traefik": _steps_of_traefik,
}
"""For each role: the steps before mailcow.conf is edited, whose undo comes last, and those after it."""


def _elsewhere(conflict: Conflict, path: str) -> bool:
    """Whether the server's configuration lies elsewhere: it runs in a container, or has no such file."""
    return conflict.blockers[0].container is not None or not conflict.facts.host.exists(path)


def _must_be_new(conflict: Conflict, path: str) -> None:
    try:
        conflict.facts.host.info(path, follow=False)
    except HostError:
        return
    raise NoPlan(_("{path} is there already: put mailcow into it by hand, or move it away first", path=path))


def _service(conflict: Conflict, action: str) -> tuple[str, ...]:
    blocker = conflict.blockers[0]
    if blocker.kind == UNIT:
        return (
            "systemctl",
            action,
            next((one for one in blocker.names if one.endswith(".service")), blocker.names[0]),
        )
    return (f"/etc/init.d/{conflict.around.script}", action)


def _before(test: tuple[str, ...], again: tuple[str, ...]) -> tuple[PlanStep, ...]:
    """The server's own test; then, taken back last of all, what has the server read its files again: not
    where the test failed, for nothing was done then, and not where the server was stopped since."""
    if again[0] != "systemctl":
        return (Command(test, (again,)),)
    gently = "try-restart" if again[1] == "restart" else "try-reload-or-restart"
    undo = read_again(gently, again[2])
    return (Command(test), Command(("systemctl", "is-active", "--quiet", again[2]), undo))


def _copy(conflict: Conflict, text: str, test: str) -> Manual:
    name = conflict.blockers[0].name
    first = _(", test it ({test})", test=test) if test else ""
    return Manual(
        _(
            "Put this into the configuration of {name}{first}, then reload it:\n\n{text}",
            name=name,
            first=first,
            text=text,
        )
    )


def _certificate(conflict: Conflict, site: Site, modules: tuple[str, ...] = ()) -> tuple[Manual, ...]:
    """What mailcow's acme can do behind this server, and what it cannot. `modules` are those of Apache that
    the part for HTTPS needs first."""
    blocker = conflict.blockers[0]
    proof = _(
        "mailcow goes on getting its certificate from Let's Encrypt by itself: the proof on port "
        "80 is passed on to it. It cannot for names that do not lead to this server."
    )
    if conflict.port.conf.yes("SKIP_LETS_ENCRYPT"):
        proof = _(
            "mailcow gets no certificate by itself (SKIP_LETS_ENCRYPT=y): {certificate} and {key} "
            "are yours to renew.",
            certificate=site.certificate,
            key=site.key,
        )
    name = capitalized(blocker.name)
    if blocker.role == "haproxy":
        words = [
            _(
                "{proof} HAProxy wants certificate and key in one file, made anew after each renewal: "
                "{certificate} and {key}, one after the other.",
                proof=proof,
                certificate=site.certificate,
                key=site.key,
            )
        ]
    elif blocker.role in ("nginx", "apache"):
        again = (
            _service(conflict, "reload") if not blocker.container else ("docker", "restart", blocker.names[0])
        )
        words = [
            _(
                "{proof} {name} shows a renewed one after a reload: let cron run `{again}` daily.",
                proof=proof,
                name=name,
                again=" ".join(again),
            )
        ]
        if not site.ready:
            # ssl brings its cache along.
            do = _("then: a2enmod ssl, and a restart of Apache") if modules else _("reload")
            words.append(
                _(
                    "{certificate} is not there yet (generate_config.sh makes the first one): the "
                    "part for HTTPS is written as a comment. Take its # away as soon as the "
                    "certificate is there, and {do}.",
                    certificate=site.certificate,
                    do=do,
                )
            )
    else:
        words = [
            _(
                "{name} gets a certificate of its own for the web; mail programs see mailcow's. {proof}",
                name=name,
                proof=proof,
            )
        ]
    return tuple(map(Manual, words))
