"""Real postfix, dovecot and nginx on loopback, at ports of their own: together a mail server. What comes
in is delivered, who logs in may send, and the certificate is the test's."""

import grp
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from .inside import LabError, needs, running, wait_until

Pair = tuple[Path, Path]
HERE = "127.0.0.1"
NAME, DOMAIN, PASSWORD = "mail.example.org", "example.org", "test-password"
_TOOLS = ("postfix", "dovecot", "nginx")
_SERVICES = (
    "smtp",
    "smtps",
    "submission",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "sieve",
    "http",
    "https",
    "doveadm",
)


class Kind(NamedTuple):
    """What is right and wrong with the server: whom it trusts to relay, whom it lets submit without logging
    in, what its web server answers to who logs in, how it is called, which domains and mailboxes are its own;
    `more` are further lines for postfix; `proxied` that the web server hears proxies alone."""

    trusts: str = "192.0.2.0/24"
    submission: str = "permit_sasl_authenticated,reject"
    login: str = "return 200 '<input name=\"pass_user\">';"
    name: str = NAME
    domains: str = DOMAIN
    mailboxes: str = "static:yes"
    more: str = ""
    proxied: bool = False


class MailServer(NamedTuple):
    """The ports by service, and the directory that holds all."""

    ports: dict[str, int]
    place: Path


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment."""
    sockets = [socket.create_server((HERE, 0)) for _ in range(count)]
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


@contextmanager
def mail_server(certificate: Path, key: Path, kind: Kind = Kind()) -> Iterator[MailServer]:  # noqa: B008
    """The server, running."""
    needs(*_TOOLS)
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-mail-") as scratch:
        place = Path(scratch)
        place.chmod(0o755)  # postfix and dovecot drop their rights
        with _started(place, certificate, key, kind) as server:
            yield server


@contextmanager
def _started(place: Path, certificate: Path, key: Path, kind: Kind) -> Iterator[MailServer]:
    numbers = free_ports(len(_SERVICES) + 2)
    ports = dict(zip((*_SERVICES, "auth", "lmtp"), numbers, strict=True))
    server = MailServer(ports, place)
    with ExitStack() as stack:
        stack.enter_context(_dovecot(server, certificate, key))
        stack.enter_context(_postfix(server, certificate, key, kind))
        stack.enter_context(_nginx(server, certificate, key, kind))
        if not wait_until(lambda: all(_takes(one) for one in ports.values()), 60, pause=0.1):
            silent = [name for name, port in ports.items() if not _takes(port)]
            log = (place / "postfix/log").read_text(errors="replace").strip()[-300:]
            raise LabError(f"did not start: {', '.join(silent)}: {log}")
        yield server


def _takes(port: int) -> bool:
    try:
        socket.create_connection((HERE, port), 1).close()
    except OSError:
        return False
    return True


def dovecot_conf(place: Path, ports: Mapping[str, int], pair: Pair, users: str, here: str = HERE) -> str:
    """dovecot's configuration: its files are in `place`, `users` is a database of passwords in its words."""

    def listener(service: str, *ends: tuple[str, str, bool]) -> str:
        rows = "".join(
            f"inet_listener {name} {{\n address={here}\n port={ports[port]}\n{' ssl=yes' * tls}\n}}\n"
            for name, port, tls in ends
        )
        return f"service {service} {{\n{rows}}}\n"

    return (
        f"base_dir={place}/run\nstate_dir={place}/state\nlog_path={place}/log\n"
        "protocols=imap pop3 lmtp sieve\n"
        f"ssl=yes\nssl_cert=<{pair[0]}\nssl_key=<{pair[1]}\nfirst_valid_uid=1\nlisten={here}\n"
        f"mail_location=maildir:{place}/mail/%u\ndefault_internal_user=nobody\ndefault_login_user=nobody\n"
        "default_internal_group=nogroup\n"
        f"passdb {{\n {users}\n}}\n"
        "userdb {\n driver=static\n args=uid=nobody gid=nogroup allow_all_users=yes "
        f"home={place}/mail/%u\n}}\n"
        "doveadm_password=test\nauth_mechanisms=plain login\n"
        + listener("imap-login", ("imap", "imap", False), ("imaps", "imaps", True))
        + listener("pop3-login", ("pop3", "pop3", False), ("pop3s", "pop3s", True))
        + listener("managesieve-login", ("sieve", "sieve", False))
        + listener("doveadm", ("doveadm", "doveadm", False))
        + listener("lmtp", ("lmtp", "lmtp", False))
        + listener("auth", ("auth", "auth", False))
    )


@contextmanager
def _dovecot(server: MailServer, certificate: Path, key: Path) -> Iterator[None]:
    place = server.place / "dovecot"
    (place / "mail").mkdir(parents=True)
    nobody = pwd.getpwnam("nobody")
    shutil.chown(place / "mail", nobody.pw_uid, nobody.pw_gid)
    conf = place / "dovecot.conf"
    users = f"driver=static\n args=password={PASSWORD}"
    conf.write_text(dovecot_conf(place, server.ports, (certificate, key), users))
    with running(subprocess.Popen(["dovecot", "-F", "-c", str(conf)], stderr=subprocess.DEVNULL)):
        yield


def main_cf(
    place: Path, ports: Mapping[str, int], pair: Pair, kind: Kind, here: str = HERE, peer: str = HERE
) -> str:
    """postfix's main.cf: its files are in `place`; dovecot is at `peer`. It asks nobody who a client is:
    where no name server answers that takes eight seconds."""
    return (
        f"compatibility_level=3.6\nqueue_directory={place}/queue\ndata_directory={place}/data\n"
        f"myhostname={kind.name}\nmydestination=\nmynetworks={kind.trusts}\ninet_interfaces={here}\n"
        "smtpd_peername_lookup=no\n"
        f"smtpd_tls_cert_file={pair[0]}\nsmtpd_tls_key_file={pair[1]}\nsmtpd_tls_security_level=may\n"
        "smtpd_tls_auth_only=yes\nsmtpd_sasl_auth_enable=yes\nsmtpd_sasl_type=dovecot\n"
        f"smtpd_sasl_path=inet:{peer}:{ports['auth']}\nvirtual_mailbox_domains={kind.domains}\n"
        f"virtual_mailbox_maps={kind.mailboxes}\nvirtual_transport=lmtp:inet:{peer}:{ports['lmtp']}\n"
        "smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination\n"
        f"alias_maps=\nalias_database=\nlocal_recipient_maps=\nmaillog_file=/dev/stdout\n{kind.more}"
    )


def master_cf(ports: Mapping[str, int], kind: Kind, here: str = HERE) -> str:
    """postfix's master.cf."""
    tls = "-o smtpd_tls_security_level=encrypt"
    wrapped = "-o smtpd_tls_wrappermode=yes"
    restricted = f"-o smtpd_client_restrictions={kind.submission}"
    at = f"{here}:" if here == HERE else ""
    rows = [
        f"{at}{ports['smtp']} inet n - n - - smtpd -o smtpd_sasl_auth_enable=no",
        f"{at}{ports['smtps']} inet n - n - - smtpd {wrapped} {restricted}",
        f"{at}{ports['submission']} inet n - n - - smtpd {tls} {restricted}",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "proxymap unix - - n - - proxymap",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "smtp unix - - n - - smtp",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        # What goes there is taken first, and then comes back; what goes to `error` smtpd refuses already.
        "returning unix - n n - - pipe user=nobody argv=/bin/sh -c {echo 5.2.2 full; exit 69}",
        "lmtp unix - - n - - lmtp",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ]
    return "\n".join(rows) + "\n"


@contextmanager
def _postfix(server: MailServer, certificate: Path, key: Path, kind: Kind) -> Iterator[None]:
    place, ports = server.place / "postfix", server.ports
    for name in ("conf", "queue", "data"):
        (place / name).mkdir(parents=True)
    shutil.chown(place / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
    (place / "conf/main.cf").write_text(main_cf(place, ports, (certificate, key), kind))
    (place / "conf/master.cf").write_text(master_cf(ports, kind))
    argv = ["postfix", "-c", str(place / "conf"), "start-fg"]
    log = (place / "log").open("wb")
    with log, running(subprocess.Popen(argv, stdout=log, stderr=log)):
        yield
    subprocess.run(["postfix", "-c", str(place / "conf"), "stop"], capture_output=True, check=False)


@contextmanager
def _nginx(server: MailServer, certificate: Path, key: Path, kind: Kind) -> Iterator[None]:
    place, ports = server.place / "nginx", server.ports
    proxied = " proxy_protocol" * kind.proxied
    place.mkdir()
    (place / "nginx.conf").write_text(
        f"pid {place}/pid; error_log {place}/log; events {{}} http {{ access_log off;\n"
        + "".join(
            f"{kind_}_temp_path {place}/{kind_};\n"
            for kind_ in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen {HERE}:{ports['http']}{proxied}; return 301 https://{NAME}$request_uri; }}\n"
        f"server {{ listen {HERE}:{ports['https']} ssl{proxied};\n"
        f"ssl_certificate {certificate}; ssl_certificate_key {key};\n"
        f"default_type text/html; location /admin/ {{ add_header Set-Cookie a=b always; {kind.login} }}\n"
        "location / { return 200 '<title>mailcow UI</title>'; } } }\n"
    )
    argv = ["nginx", "-c", str(place / "nginx.conf"), "-p", str(place), "-g", "daemon off;"]
    with running(subprocess.Popen(argv, stderr=subprocess.DEVNULL)):
        yield
