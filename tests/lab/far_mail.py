"""Two mail servers in namespaces of their own, with a name server beside the far one. The near one signs what
is submitted, as mailcow does; the far one judges SPF, DKIM and DMARC with what real servers judge it with."""

import grp
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .inside import LabError, needs, wait_until
from .mail_server import DOMAIN, NAME, PASSWORD, Kind, Pair, dovecot_conf, main_cf, master_cf
from .netns import Namespace, link

NEAR, FAR = "192.88.99.10", "192.88.99.20"
FAR_NAME, FAR_DOMAIN = "mx.far.example", "far.example"
PORTS = {
    "smtp": 25, "smtps": 465, "submission": 587, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995,
    "sieve": 4190, "doveadm": 12346, "auth": 12345, "lmtp": 24,
}  # fmt: skip
_SIGN, _JUDGE, _DMARC = 8891, 8892, 8893
SPF, POLICY = f'"v=spf1 ip4:{NEAR} -all"', '"v=DMARC1; p=none"'
_TOOLS = ("ip", "postfix", "dovecot", "opendkim", "opendmarc", "policyd-spf", "unbound", "unbound-control")
_MILTERS = "milter_default_action=tempfail\nsmtpd_tls_received_header=yes\nsmtpd_milters="
_RECORDS = (
    (f"{DOMAIN}.", "MX", f"10 {NAME}."),
    (f"{NAME}.", "A", NEAR),
    (f"{FAR_DOMAIN}.", "MX", f"10 {FAR_NAME}."),
    (f"{FAR_NAME}.", "A", FAR),
    ("10.99.88.192.in-addr.arpa.", "PTR", f"{NAME}."),
    ("20.99.88.192.in-addr.arpa.", "PTR", f"{FAR_NAME}."),
)


class FarMail:
    """Both, running. `spf`, `dkim` and `dmarc` are the records of the near domain as they should be."""

    def __init__(self, near: Namespace, far: Namespace, place: Path) -> None:
        self.near, self.far, self.place = near, far, place
        self.log = place / "near/log"
        self.records = {
            f"{DOMAIN}.": SPF,
            f"_dmarc.{DOMAIN}.": POLICY,
            f"dkim._domainkey.{DOMAIN}.": f'"v=DKIM1; k=rsa; p={_public(place / "near/dkim.key")}"',
        }

    def publish(self, **changed: str) -> None:
        """Publishes the right records; `spf`, `dkim`, `dmarc` are others then (empty: there is none)."""
        names = dict(zip(("spf", "dmarc", "dkim"), self.records, strict=True))
        wanted = self.records | {names[key]: value for key, value in changed.items()}
        for name, value in wanted.items():
            _control(self.place, "local_data_remove", name)
            if value:
                # Nobody keeps it: opendkim remembers what it asked.
                _control(self.place, "local_data", name, "0", "TXT", value)

    @contextmanager
    def far_setting(self, line: str) -> Iterator[None]:
        """A setting that the far postfix has for a while."""
        with self._set("far", line):
            yield

    @contextmanager
    def near_setting(self, line: str) -> Iterator[None]:
        """A setting that the near postfix has for a while."""
        with self._set("near", line):
            yield

    @contextmanager
    def _set(self, side: str, line: str) -> Iterator[None]:
        place, key = self.near if side == "near" else self.far, line.partition("=")[0]
        conf = ("-c", f"{self.place}/{side}/postfix")

        def put(line: str) -> None:
            place.run(["postconf", *conf, "-e", line])
            place.run(["postfix", *conf, "reload"])

        before = place.run(["postconf", *conf, "-h", key]).stdout.strip()
        put(line)
        try:
            yield
        finally:
            put(f"{key}={before}")


@contextmanager
def far_mail(pair: Pair, far_pair: Pair) -> Iterator[FarMail]:
    """Starts it all; raises LabError where it cannot be."""
    needs(*_TOOLS)
    place = Path(tempfile.mkdtemp(prefix="mailcow-wizard-far-"))
    place.chmod(0o755)  # postfix and dovecot drop their rights
    with Namespace.create() as near, Namespace.create() as far:
        private = [Path("/etc/netns") / one.name for one in (near, far)]
        try:
            for one in private:
                one.mkdir(parents=True)
                (one / "resolv.conf").write_text(f"nameserver {FAR}\n")
                (one / "hosts").write_text("127.0.0.1 localhost\n")
            link(near, far, f"{NEAR}/24", f"{FAR}/24")
            _start_names(far, place)
            _start_near(near, place / "near", pair)
            _start_far(far, place / "far", far_pair)
            made = FarMail(near, far, place)
            made.publish()
            ends = ((near, NEAR, (25, 465, 993)), (far, FAR, (25, 993)))
            if not wait_until(lambda: all(_listens(*one) for one in ends), 60, pause=0.1):
                logs = (one.read_text(errors="replace")[-300:] for one in place.glob("*/log"))
                raise LabError(f"the mail servers did not start: {' '.join(logs)}")
            yield made
        finally:
            for side, one in ((near, "near"), (far, "far")):
                side.run(["postfix", "-c", f"{place}/{one}/postfix", "stop"], check=False)
            for one in private:
                shutil.rmtree(one, ignore_errors=True)
            shutil.rmtree(place, ignore_errors=True)


def _listens(namespace: Namespace, address: str, ports: tuple[int, ...]) -> bool:
    said = namespace.run(["ss", "-Hltn"]).stdout
    return all(f"{address}:{port} " in said for port in ports)


def _start_names(far: Namespace, place: Path) -> None:
    zones = {name.rstrip(".") for name in (f"{DOMAIN}.", f"{FAR_DOMAIN}.", "99.88.192.in-addr.arpa.")}
    lines = "".join(f'  local-zone: "{one}." static\n' for one in zones)
    lines += "".join(f"  local-data: '{name} 60 {kind} {value}'\n" for name, kind, value in _RECORDS)
    (place / "unbound.conf").write_text(
        f'server:\n  interface: {FAR}\n  directory: "{place}"\n  chroot: ""\n  username: ""\n'
        f'  pidfile: "{place}/unbound.pid"\n  use-syslog: no\n  access-control: 0.0.0.0/0 allow\n'
        f'  local-zone: "." static\n{lines}'
        f"remote-control:\n  control-enable: yes\n  control-interface: {place}/unbound.ctl\n"
    )
    far.start(["unbound", "-d", "-c", str(place / "unbound.conf")])
    if not wait_until((place / "unbound.ctl").exists, 20):
        raise LabError("the name server did not start")


def _control(place: Path, *words: str) -> None:
    _run("unbound-control", "-c", str(place / "unbound.conf"), *words)


def _run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, timeout=60, text=True).stdout


def _start_near(near: Namespace, place: Path, pair: Pair) -> None:
    place.mkdir()
    _key(place / "dkim.key")
    (place / "opendkim.conf").write_text(
        f"Mode s\nDomain {DOMAIN}\nSelector dkim\nKeyFile {place}/dkim.key\nRequireSafeKeys no\n"
        f"Socket inet:{_SIGN}@127.0.0.1\n"
    )
    near.start(["opendkim", "-f", "-x", str(place / "opendkim.conf")])
    more = f"{_MILTERS}inet:127.0.0.1:{_SIGN}\nsmtp_tls_security_level=may\n"
    _start_mail(near, place, pair, Kind(more=more), NEAR)


def _start_far(far: Namespace, place: Path, pair: Pair) -> None:
    place.mkdir()
    common = f"AuthservID {FAR_NAME}\n"
    (place / "opendkim.conf").write_text(
        f"Mode v\nAlwaysAddARHeader yes\nNameservers {FAR}\n{common}Socket inet:{_JUDGE}@127.0.0.1\n"
    )
    (place / "opendmarc.conf").write_text(
        f"{common}Socket inet:{_DMARC}@127.0.0.1\nRejectFailures true\nTrustedAuthservIDs {FAR_NAME}\n"
    )
    (place / "policyd-spf.conf").write_text(
        f"Header_Type = AR\nAuthserv_Id = {FAR_NAME}\nHELO_reject = False\nMail_From_reject = False\n"
    )
    far.start(["opendkim", "-f", "-x", str(place / "opendkim.conf")])
    far.start(["opendmarc", "-f", "-c", str(place / "opendmarc.conf")])
    more = (
        f"{_MILTERS}inet:127.0.0.1:{_JUDGE},inet:127.0.0.1:{_DMARC}\n"
        "smtpd_recipient_restrictions=check_policy_service unix:private/policy\n"
    )
    judge = (
        f"policy unix - n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf {place}/policyd-spf.conf\n"
    )
    _start_mail(far, place, pair, Kind(name=FAR_NAME, domains=FAR_DOMAIN, more=more), FAR, judge)


def _start_mail(namespace: Namespace, place: Path, pair: Pair, kind: Kind, here: str, rows: str = "") -> None:
    """postfix and dovecot; `rows` are further services of postfix's."""
    dovecot, postfix = place / "dovecot", place / "postfix"
    (dovecot / "mail").mkdir(parents=True)
    nobody, own = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    shutil.chown(dovecot / "mail", nobody.pw_uid, nobody.pw_gid)
    users = f"driver=static\n args=password={PASSWORD}"
    (dovecot / "dovecot.conf").write_text(dovecot_conf(dovecot, PORTS, pair, users, here))
    namespace.start(["dovecot", "-F", "-c", str(dovecot / "dovecot.conf")])
    for name in ("queue", "data"):
        (postfix / name).mkdir(parents=True)
    shutil.chown(postfix / "data", own.pw_uid, grp.getgrnam("postfix").gr_gid)
    main = main_cf(postfix, PORTS, pair, kind, here, here)
    log = f"maillog_file={place}/log\nmaillog_file_prefixes={place}"
    (postfix / "main.cf").write_text(main.replace("maillog_file=/dev/stdout", log))
    (postfix / "master.cf").write_text(master_cf(PORTS, kind, here) + rows)
    namespace.start(["postfix", "-c", str(postfix), "start-fg"])


def _key(path: Path) -> None:
    _run("openssl", "genrsa", "-traditional", "-out", str(path), "1024")


def _public(path: Path) -> str:
    said = _run("openssl", "rsa", "-in", str(path), "-pubout")
    return "".join(line for line in said.splitlines() if "-----" not in line)
