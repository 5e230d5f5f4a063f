"""A program of its own: adds to an installed mailcow, and removes from it, through mailcow's own HTTP API.

  python mailcow_api.py add-domain DOMAIN WHERE        python mailcow_api.py remove-domain DOMAIN WHERE
  python mailcow_api.py add-dkim DOMAIN WHERE          python mailcow_api.py remove-dkim DOMAIN MAILBOX WHERE
  python mailcow_api.py add-mailbox MAILBOX FILE WHERE  python mailcow_api.py remove-mailbox MAILBOX WHERE

WHERE is four words: address:port of the web server, its name, the database's container, and the addresses
that may use the key, with commas between them.

The API's key is made as mailcow's web interface makes one, lives as long as this program, and is no word of
any command. A new mailbox's password is made up here; it goes to mailcow and into FILE, which its owner alone
may read, and nowhere else. What is there already is left as it is: run twice it does nothing more.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import contextlib
import http.client
import ipaddress
import json
import secrets
import socket
import string
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from mailcow_wizard.harmless import shown
from mailcow_wizard.host.network.tls import indifferent
from mailcow_wizard.patterns import pattern

SELECTOR, BITS = "dkim", "2048"
_OK, _NOT_DONE, _USAGE = 0, 1, 64
_PATIENCE_S = 90.0
_DATABASE_S = 20.0
_KEY_BEGINS = "MAILCOW-WIZARD-"
OWN = f"api_key LIKE '{_KEY_BEGINS}%'"
_SHOWN = 200
_REFUSALS = ("danger", "error")
DENIED_FOR = pattern(r"denied for ip ([0-9a-fA-F.:]+)")
# With the password that the container was given itself; what it is asked comes by its standard input.
_CLIENT = (
    'MYSQL_PWD="$MYSQL_PASSWORD" exec "$(command -v mariadb || command -v mysql)" -N -B '
    '-u"$MYSQL_USER" "$MYSQL_DATABASE"'
)
# What mailcow's own documentation of its API names as an example, in MiB and numbers.
_OF_DOMAIN = {
    "active": "1",
    "aliases": "400",
    "backupmx": "0",
    "defquota": "3072",
    "mailboxes": "10",
    "maxquota": "10240",
    "quota": "10240",
    "relay_all_recipients": "0",
    "key_size": BITS,
    "dkim_selector": SELECTOR,
}


class NotDone(Exception):
    """mailcow did not do it; the text says why and holds no secret."""


class Where(NamedTuple):
    """The web server's address, port and name, the database's container, who may use the key."""

    address: str
    port: int
    name: str
    box: str
    allowed: tuple[str, ...]


class Api:
    """mailcow's API, asked with a key that is there for as long."""

    def __init__(self, where: Where, key: str) -> None:
        self._where, self._key = where, key

    def get(self, what: str) -> dict[str, Any]:
        """What mailcow says of one thing; empty where there is none. Raises NotDone."""
        said = self._ask("GET", f"get/{what}", None)
        if isinstance(said, dict) and said.get("type") in _REFUSALS:
            raise NotDone(_words(said))
        return said if isinstance(said, dict) else {}

    def post(self, what: str, said: object) -> None:
        """Has mailcow do something. Raises NotDone."""
        rows = self._ask("POST", what, said)
        for row in rows if isinstance(rows, list) else [rows]:
            kind = row.get("type") if isinstance(row, dict) else "error"
            if kind in _REFUSALS:
                raise NotDone(_words(row))

    def _ask(self, method: str, what: str, said: object) -> Any:
        status, body = self.once(method, what, said)
        refused = DENIED_FOR.search(body)
        if status == 401 and refused:
            # It was us: mailcow says which address it sees us come from.
            allowed = ",".join((*self._where.allowed, refused[1]))
            asked(self._where.box, f"UPDATE api SET allow_from = '{allowed}' WHERE {OWN}")  # noqa: S608
            status, body = self.once(method, what, said)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise NotDone(f"mailcow's API answers {status}, and not as its manual says") from None
        if status >= 400:
            raise NotDone(f"mailcow's API answers {status}: {_words(answer)}")
        return answer

    def once(self, method: str, what: str, said: object) -> tuple[int, str]:
        """Asks once: the status, and the text that came with it. Raises NotDone."""
        where = self._where
        body = None if said is None else json.dumps(said).encode()
        head = {"X-API-Key": self._key, "Content-Type": "application/json", "Accept": "application/json"}
        link = http.client.HTTPConnection(where.name, where.port, timeout=_PATIENCE_S)
        try:
            # To our own address; who has no certificate yet is not asked for one.
            plain = socket.create_connection((where.address, where.port), _PATIENCE_S)
            link.sock = indifferent().wrap_socket(plain, server_hostname=where.name)
            link.request(method, f"/api/v1/{what}", body, head)
            reply = link.getresponse()
            return reply.status, reply.read(1 << 20).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise NotDone(
                f"mailcow's API at {where.address}:{where.port} does not answer ({error})"
            ) from None
        finally:
            link.close()


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code. What it prints holds no secret."""
    task, *rest = words or ("",)
    known = _TASKS.get(task)
    if known is None or len(rest) != known[0] + 4:
        print(f"it takes one of {', '.join(_TASKS)}, what that needs, and where mailcow is")
        return _USAGE
    count, do = known
    where = place(rest[count:])
    try:
        with _key(where) as key:
            print(shown(do(Api(where, key), *rest[:count])))
    except NotDone as error:
        print(shown(str(error)))
        return _NOT_DONE
    return _OK


def place(words: Sequence[str]) -> Where:
    """What four words say. Raises ValueError."""
    address, port = words[0].rsplit(":", 1)
    name, box, allowed = words[1:]
    addresses = tuple(str(ipaddress.ip_address(one)) for one in allowed.split(","))
    return Where(address.strip("[]"), int(port), name, box, addresses)


@contextlib.contextmanager
def _key(where: Where) -> Iterator[str]:
    """A key that is known here alone, and gone afterwards; one that a killed run left goes with it."""
    key = _KEY_BEGINS + secrets.token_hex(16).upper()
    gone = f"DELETE FROM api WHERE {OWN}"  # noqa: S608
    values = f"('{key}', 1, '{','.join(where.allowed)}', 'rw')"
    new = f"INSERT INTO api (api_key, active, allow_from, access) VALUES {values}"  # noqa: S608
    asked(where.box, f"{gone}; {new}")
    try:
        yield key
    finally:
        with contextlib.suppress(NotDone):
            asked(where.box, gone)


def asked(box: str, text: str) -> str:
    """Has mailcow's database do something, and what it answers; the text is of our own words, and no word of
    a command. Raises NotDone."""
    argv = ["docker", "exec", "-i", box, "sh", "-c", _CLIENT]
    try:
        done = subprocess.run(
            argv, input=f"{text};\n".encode(), capture_output=True, timeout=_DATABASE_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        kind = type(error).__name__
        raise NotDone(f"mailcow's database could not be asked ({kind})") from None
    if done.returncode:
        raise NotDone("mailcow's database took no key for the API")
    return done.stdout.decode("utf-8", "replace")


def _words(answer: Any) -> str:
    """What mailcow says, without the log that it sends along."""
    said = answer.get("msg", "") if isinstance(answer, dict) else ""
    words = " ".join(str(one) for one in said) if isinstance(said, list) else str(said)
    return words[:_SHOWN] or "it says no reason"


def _add_domain(api: Api, domain: str) -> str:
    if api.get(f"domain/{domain}"):
        return f"{domain} is one of mailcow's domains already"
    # SOGo knows of a new domain when it starts; where it is switched off mailcow only warns.
    api.post("add/domain", {**_OF_DOMAIN, "domain": domain, "description": domain, "restart_sogo": "1"})
    if not api.get(f"domain/{domain}"):
        raise NotDone(f"mailcow took {domain} and does not know it")
    return f"{domain} is a mail domain of mailcow's now"


def _remove_domain(api: Api, domain: str) -> str:
    known = api.get(f"domain/{domain}")
    if not known:
        return f"{domain} is no domain of mailcow's"
    if _number(known.get("mboxes_in_domain")):
        raise NotDone(f"{domain} has mailboxes: it stays; remove it in mailcow's web interface")
    api.post("delete/domain", [domain])
    return f"{domain} is removed from mailcow"


def _add_dkim(api: Api, domain: str) -> str:
    if not api.get(f"dkim/{domain}").get("pubkey"):
        api.post("add/dkim", {"domains": domain, "dkim_selector": SELECTOR, "key_size": BITS})
    known = api.get(f"dkim/{domain}")
    if not known.get("pubkey"):
        raise NotDone(f"mailcow made no DKIM key for {domain}")
    name = f"{known.get('dkim_selector')}._domainkey.{domain}"
    return f"{domain} has a DKIM key; its record stands at {name}"


def _remove_dkim(api: Api, domain: str, mailbox: str) -> str:
    if not api.get(f"dkim/{domain}").get("pubkey"):
        return f"{domain} has no DKIM key"
    if api.get(f"mailbox/{mailbox}"):
        raise NotDone(f"{mailbox} is still there: the DKIM key of {domain} stays")
    api.post("delete/dkim", [domain])
    return f"the DKIM key of {domain} is removed"


def _add_mailbox(api: Api, mailbox: str, file: str) -> str:
    local, _, domain = mailbox.partition("@")
    # Written down before mailcow is told: a killed run leaves no mailbox whose password nobody knows.
    password = _kept(file)
    if api.get(f"mailbox/{mailbox}"):
        return f"{mailbox} is there already"
    said = {
        "active": "1",
        "authsource": "mailcow",
        "domain": domain,
        "force_pw_update": "0",
        "local_part": local,
        "name": local,
        "password": password,
        "password2": password,
        "quota": "3072",
        "tls_enforce_in": "0",
        "tls_enforce_out": "0",
    }
    try:
        api.post("add/mailbox", said)
    except NotDone as error:
        raise NotDone(str(error).replace(password, "…")) from None
    if not api.get(f"mailbox/{mailbox}"):
        raise NotDone(f"mailcow took {mailbox} and does not know it")
    return f"{mailbox} is there; its password is in {file}, which its owner alone may read"


def _remove_mailbox(api: Api, mailbox: str) -> str:
    known = api.get(f"mailbox/{mailbox}")
    if not known:
        return f"there is no mailbox {mailbox}"
    if _number(known.get("messages")):
        raise NotDone(f"{mailbox} holds mail: it stays; delete it in mailcow's web interface")
    api.post("delete/mailbox", [mailbox])
    return f"{mailbox} is deleted"


def _number(said: object) -> int:
    """A count as mailcow writes it; what is none counts as one, so that nothing is deleted for it."""
    try:
        return int(str(said))
    except ValueError:
        return 1


def _kept(path: str) -> str:
    """The password in the file; a new one is made where there is none yet."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
            said = file.read(256).strip()
        if said:
            return said
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise NotDone(f"{path} could not be read ({kind})") from None
    password = _made_up()
    part = f"{path}.part"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as kept:
            kept.write(password.encode() + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        os.rename(part, path)
    except OSError as error:
        raise NotDone(f"{path} could not be written ({error.strerror}); no mailbox was made") from None
    return password


def _made_up() -> str:
    """A password that every policy of mailcow's takes: letters of both cases, digits, signs between them."""
    letters = string.ascii_letters + string.digits
    while True:
        groups = ["".join(secrets.choice(letters) for _ in range(6)) for _ in range(4)]
        said = "-".join(groups)
        if any(map(str.isdigit, said)) and any(map(str.isupper, said)) and any(map(str.islower, said)):
            return said


_TASKS: dict[str, tuple[int, Callable[..., str]]] = {
    "add-domain": (1, _add_domain),
    "remove-domain": (1, _remove_domain),
    "add-dkim": (1, _add_dkim),
    "remove-dkim": (2, _remove_dkim),
    "add-mailbox": (2, _add_mailbox),
    "remove-mailbox": (1, _remove_mailbox),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
