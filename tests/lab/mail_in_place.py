"""Real postfix, dovecot and nginx on mailcow's own ports of a namespace, for every address there."""

import grp
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .inside import LabError, needs, wait_until
from .mail_server import NAME, PASSWORD, Kind, Pair, dovecot_conf, main_cf, master_cf
from .netns import Namespace

_PORTS = {
    "smtp": 25,
    "smtps": 465,
    "submission": 587,
    "imap": 143,
    "imaps": 993,
    "pop3": 110,
    "pop3s": 995,
    "sieve": 4190,
    "http": 80,
    "https": 443,
    "doveadm": 19991,
    "auth": 19992,
    "lmtp": 19993,
}
_POSTSCREEN = (
    "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\ntlsproxy unix - - n - 0 tlsproxy\n"
    "dnsblog unix - - n - 0 dnsblog\n"
)


@contextmanager
def mail_in(place: Namespace, pair: Pair, name: str = NAME, postscreen: bool = False) -> Iterator[None]:
    """The servers, running there; with `postscreen` port 25 lets strangers wait as mailcow's does."""
    needs("postfix", "dovecot", "nginx")
    with tempfile.TemporaryDirectory(prefix="mailcow-wizard-mail-") as scratch:
        files = Path(scratch)
        files.chmod(0o755)  # postfix and dovecot drop their rights
        dovecot, postfix, nginx = _written(files, pair, name, postscreen)
        started = [place.start(argv) for argv in (dovecot, postfix, nginx)]
        try:
            ports = [_PORTS[one] for one in _PORTS if one not in ("auth", "lmtp", "doveadm")]
            if not wait_until(lambda: all(_listens(place, one) for one in ports), 60, pause=0.1):
                raise LabError(f"did not start: {(files / 'postfix/log').read_text()[-300:]}")
            yield
        finally:
            place.run(["postfix", "-c", str(files / "postfix/conf"), "stop"], check=False)
            for one in started:
                with suppress(ProcessLookupError):
                    one.terminate()
                one.wait(20)


def _listens(place: Namespace, port: int) -> bool:
    return "LISTEN" in place.run(["ss", "-Hltn", f"sport = :{port}"]).stdout


def _written(files: Path, pair: Pair, name: str, postscreen: bool) -> tuple[list[str], list[str], list[str]]:
    """Their configuration, and how each is started."""
    nobody = pwd.getpwnam("nobody")
    kind = Kind(name=name, more=f"maillog_file_prefixes={files}\nmaillog_file={files}/postfix/log\n")
    for one in ("dovecot/mail", "postfix/conf", "postfix/queue", "postfix/data", "nginx"):
        (files / one).mkdir(parents=True)
    shutil.chown(files / "dovecot/mail", nobody.pw_uid, nobody.pw_gid)
    shutil.chown(files / "postfix/data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
    users = f"driver=static\n args=password={PASSWORD}"
    (files / "dovecot/dovecot.conf").write_text(dovecot_conf(files / "dovecot", _PORTS, pair, users, "* ::"))
    (files / "postfix/conf/main.cf").write_text(main_cf(files / "postfix", _PORTS, pair, kind, "all"))
    rows = master_cf(_PORTS, kind, "all")
    rows = rows.partition("\n")[2] + _POSTSCREEN if postscreen else rows
    (files / "postfix/conf/master.cf").write_text(rows)
    place = files / "nginx"
    temporary = "".join(
        f"{one}_temp_path {place}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (place / "nginx.conf").write_text(
        f"pid {place}/pid; error_log {place}/log; events {{}} http {{ access_log off;\n{temporary}"
        f"server {{ listen 80; listen [::]:80; return 301 https://{name}$request_uri; }}\n"
        f"server {{ listen 443 ssl; listen [::]:443 ssl; ssl_certificate {pair[0]};\n"
        f"ssl_certificate_key {pair[1]}; return 200 'mailcow UI'; }} }}\n"
    )
    return (
        ["dovecot", "-F", "-c", str(files / "dovecot/dovecot.conf")],
        ["postfix", "-c", str(files / "postfix/conf"), "start-fg"],
        ["nginx", "-c", str(place / "nginx.conf"), "-p", str(place), "-g", "daemon off;"],
    )
