"""A program of its own: changes records of a zone by one signed message (RFC 2136, 8945), all or nothing.

  python dns_update.py --server ADDRESS --zone ZONE --tsig FILE [--others-may-change] INSTRUCTION…

An INSTRUCTION is a line of nsupdate: `prereq nxdomain NAME`, `prereq nxrrset NAME TYPE`,
`prereq yxrrset NAME TYPE DATA`, `update add NAME TTL TYPE DATA`, `update delete NAME TYPE DATA`. The secret
is read from the file and appears nowhere else. It may run twice: where all is as the instructions want it
already, that is a success. With --others-may-change (for taking back) other records beside ours may have
come or gone since.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path, in whichever environment: the package lies three directories up, and the modules
    # beside this file must not be taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import socket
import time

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from mailcow_wizard.harmless import harmless, shown
from mailcow_wizard.host.network.deadline import left
from mailcow_wizard.host.programs.tsig import BadKey, Key, parse
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Place: TypeAlias = tuple[dns.name.Name, dns.rdatatype.RdataType]

WAIT_S = 4.0
"""For each of TCP and UDP, in seconds."""

_PORT = 53
_HEADER = 12
_APPEARS_S = 3.0
_PAUSE_S = 0.1
_LARGEST_KEY_FILE = 65536
_OK, _NOT_DONE, _USAGE = 0, 1, 64
_OPTIONS = {"--server": "server", "--zone": "zone", "--tsig": "tsig"}
_OTHERS = "--others-may-change"

_NO_SERVER = "does not take updates of this zone: is it the zone's primary, and is this its name?"
_SAID = {
    dns.rcode.REFUSED: "refuses: the key may not change this zone, or these records of it",
    dns.rcode.NOTAUTH: _NO_SERVER,
    dns.rcode.NOTZONE: "says that a record does not belong to the zone",
    dns.rcode.NOTIMP: "takes no dynamic updates",
    dns.rcode.SERVFAIL: "could not do it (SERVFAIL); its log says why",
    dns.rcode.FORMERR: "does not understand the update (FORMERR)",
}
_OTHERWISE = (dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXRRSET, dns.rcode.NXDOMAIN)
"""A prerequisite does not hold: the zone is not as it was when the update was planned."""


class Failure(Exception):
    """It was not done; the text says why, in one harmless line."""


class Instruction(NamedTuple):
    """One line: `what` is nxdomain, nxrrset, yxrrset, add or delete; `data` is None for the first two."""

    what: str
    place: Place
    data: dns.rdata.Rdata | None = None
    ttl: int = 0


class Server:
    """The zone's server, asked and changed with a key. Raises Failure."""

    def __init__(self, address: str, zone: str, key: Key) -> None:
        self.address = address
        self.zone = dns.name.from_text(zone)
        name = dns.name.from_text(key.name)
        self._name = key.name
        self._algorithm = key.algorithm
        self._key = dns.tsig.Key(name, key.secret, f"{key.algorithm}.")

    def change(self, instructions: Sequence[Instruction]) -> int:
        """Sends an update; its response code. A code that is not signed counts only if it says no."""
        update = dns.update.UpdateMessage(self.zone)
        for one in instructions:
            name = one.place[0]
            if one.what == "nxdomain":
                update.absent(name)
            elif one.what == "nxrrset":
                update.absent(name, one.place[1])
            elif one.what == "yxrrset":
                update.present(name, one.data)
            elif one.what == "add":
                update.add(name, one.ttl, one.data)
            else:
                update.delete(name, one.data)
        code, answer = self._exchange(update)
        if code == dns.rcode.NOERROR and answer is None:
            raise Failure(f"{self.address} answers without a signature: who answered is not certain")
        return code

    def look(self, place: Place) -> list[dns.rdata.Rdata]:
        """The records that it has now. Raises Failure where it does not say."""
        name, type = place
        question = dns.message.make_query(name, type)
        question.flags = 0
        code, answer = self._exchange(question)
        if answer is None or code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            said = dns.rcode.to_text(dns.rcode.Rcode(code))
            raise Failure(f"{self.address} does not tell what it has ({said})")
        found = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, type)
        return list(found) if found else []

    def _exchange(self, message: dns.message.Message) -> tuple[int, dns.message.Message | None]:
        """The response code, and the answer where that is signed."""
        message.use_tsig(self._key)
        wire = message.to_wire()
        heard = self._sent(wire)
        code = heard[3] & 0x0F
        try:
            answer = dns.message.from_wire(
                heard, keyring=message.keyring, request_mac=message.mac, ignore_trailing=True
            )
        except (dns.tsig.PeerBadKey, dns.message.UnknownTSIGKey):
            # Some say this of a key that they know, and that may not do what is asked.
            raise Failure(
                f"{self.address} does not know the key '{harmless(self._name, 80)}' ({self._algorithm}), or "
                f"does not let it change {self.zone.to_text(omit_final_dot=True)}"
            ) from None
        except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature, dns.tsig.PeerBadTruncation):
            raise Failure(
                f"{self.address} has another secret or algorithm for the key '{harmless(self._name, 80)}'"
            ) from None
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
            raise Failure(f"the clocks of {self.address} and of this machine differ too much") from None
        except (dns.exception.DNSException, ValueError, IndexError):
            return code, None
        return code, answer if answer.had_tsig else None

    def _sent(self, wire: bytes) -> bytes:
        """The answer to a message, which may arrive there twice: its prerequisites see to that."""
        trouble = ""
        for exchange in (_by_tcp, _by_udp):
            try:
                return exchange(self.address, wire)
            except TimeoutError:
                trouble = "gives no answer"
            except OSError as error:
                trouble = trouble or f"cannot be reached: {error.strerror or error}"
        raise Failure(f"{self.address} {trouble}")


def _by_tcp(address: str, wire: bytes) -> bytes:
    end = time.monotonic() + WAIT_S
    with socket.create_connection((address, _PORT), WAIT_S) as connection:
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        data = b""
        while len(data) < _HEADER or len(data) < 2 + int.from_bytes(data[:2], "big"):
            connection.settimeout(left(end))
            part = connection.recv(65537)
            if not part:
                raise ConnectionError(None, "it closed the connection without an answer")
            data += part
        if data[2:4] != wire[:2]:
            raise ConnectionError(None, "it answers something else")
        return data[2:]


def _by_udp(address: str, wire: bytes) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    end = time.monotonic() + WAIT_S
    with socket.socket(family, socket.SOCK_DGRAM) as place:
        place.connect((address, _PORT))
        place.send(wire)
        while True:
            place.settimeout(left(end))
            data = place.recv(65537)
            if len(data) >= _HEADER and data[:2] == wire[:2]:
                return data


def instruction(line: str) -> Instruction:
    """Reads one line. Raises ValueError."""
    verb, _, rest = line.partition(" ")
    what, _, rest = rest.partition(" ")
    words = {"nxdomain": 1, "nxrrset": 2, "yxrrset": 3, "add": 4, "delete": 3}
    if (verb, what) not in (*_PREREQUISITES, ("update", "add"), ("update", "delete")):
        raise ValueError(f"'{harmless(line, 60)}' is no instruction")
    parts = rest.split(" ", words[what] - 1)
    if len(parts) != words[what]:
        raise ValueError(f"'{harmless(line, 60)}' has too few words")
    name = dns.name.from_text(parts[0])
    if what == "nxdomain":
        return Instruction(what, (name, dns.rdatatype.ANY))
    ttl = int(parts.pop(1)) if what == "add" else 0
    type = dns.rdatatype.from_text(parts[1])
    if what == "nxrrset":
        return Instruction(what, (name, type))
    data = dns.rdata.from_text(dns.rdataclass.IN, type, parts[2], dns.name.root, relativize=False)
    return Instruction(what, (name, type), data, ttl)


_PREREQUISITES = (("prereq", "nxdomain"), ("prereq", "nxrrset"), ("prereq", "yxrrset"))


def perform(server: Server, wanted: Sequence[Instruction], lenient: bool) -> str:
    """Does what the instructions say; what there is to tell. Raises Failure, and then nothing was changed."""
    code = server.change(wanted)
    if code in _OTHERWISE:
        now = {place: server.look(place) for place in _places(wanted)}
        if _is_so(wanted, now):
            return "it is so already"
        again = _adapted(wanted, now) if lenient else None
        if again is None:
            raise Failure(_changed(server, now))
        code = server.change(again)
    if code != dns.rcode.NOERROR:
        name = dns.rcode.to_text(dns.rcode.Rcode(code))
        raise Failure(f"{server.address} {_SAID.get(dns.rcode.Rcode(code), 'refuses')} ({name})")
    _await(server, wanted)
    return "done"


def _places(wanted: Sequence[Instruction]) -> list[Place]:
    return list(dict.fromkeys(one.place for one in wanted if one.what in ("add", "delete")))


def _is_so(wanted: Sequence[Instruction], now: dict[Place, list[dns.rdata.Rdata]]) -> bool:
    return all(
        _has(now[one.place], one.data) == (one.what == "add")
        for one in wanted
        if one.what in ("add", "delete")
    )


def _has(records: Sequence[dns.rdata.Rdata], data: dns.rdata.Rdata | None) -> bool:
    return any(_plain(one) == _plain(data) for one in records)


def _plain(data: dns.rdata.Rdata | None) -> object:
    """What two records are compared by: of a text the whole of it, however it is cut into strings."""
    return b"".join(data.strings) if data is not None and data.rdtype == dns.rdatatype.TXT else data  # type: ignore[attr-defined]


def _adapted(
    wanted: Sequence[Instruction], now: dict[Place, list[dns.rdata.Rdata]]
) -> list[Instruction] | None:
    """The same changes to the records as they are now; None where those to be deleted are not there."""
    changes: list[Instruction] = []
    for one in wanted:
        if one.what == "add":
            changes.append(one)
        elif one.what == "delete":
            here = next((data for data in now[one.place] if _plain(data) == _plain(one.data)), None)
            if here is None:
                return None
            changes.append(one._replace(data=here))
    seen = [Instruction("yxrrset", place, data) for place, records in now.items() for data in records]
    return [*seen, *changes]


def _changed(server: Server, now: dict[Place, list[dns.rdata.Rdata]]) -> str:
    parts = [
        f"{name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(type)} "
        + (f"is {', '.join(one.to_text() for one in records[:4])}" if records else "is not there")
        for (name, type), records in now.items()
    ]
    said = harmless("; ".join(parts), 300)
    return f"the zone at {server.address} was changed since, and stays as it is: {said}"


def _await(server: Server, wanted: Sequence[Instruction]) -> None:
    """A server may say yes and ignore an alias beside other records (RFC 2136, 3.4.2.2)."""
    end = time.monotonic() + _APPEARS_S
    while True:
        try:
            now = {place: server.look(place) for place in _places(wanted)}
        except Failure:
            # It has signed that it was done; whether it answers questions as well is its own affair.
            return
        if _is_so(wanted, now):
            return
        if time.monotonic() > end:
            raise Failure(f"{server.address} said yes, but its records are not so")
        time.sleep(_PAUSE_S)


def _key(path: str) -> Key:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse(file.read(_LARGEST_KEY_FILE + 1))
    except OSError as error:
        raise Failure(f"{harmless(path, 200)}: {error.strerror}") from None
    except BadKey as error:
        raise Failure(f"{harmless(path, 200)}: {error}") from None


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code. What it did, or why not, is on standard output."""
    given: dict[str, str] = {}
    lines: list[str] = []
    left = iter(words)
    lenient = False
    for word in left:
        if word in _OPTIONS:
            given[_OPTIONS[word]] = next(left, "")
        elif word == _OTHERS:
            lenient = True
        else:
            lines.append(word)
    try:
        wanted = [instruction(one) for one in lines]
        if set(given) != set(_OPTIONS.values()) or not _places(wanted):
            raise ValueError("it takes --server, --zone, --tsig and at least one update")
    except (ValueError, dns.exception.DNSException) as error:
        print(harmless(str(error)))
        return _USAGE
    try:
        print(shown(perform(Server(given["server"], given["zone"], _key(given["tsig"])), wanted, lenient)))
    except Failure as failure:
        print(shown(str(failure)))
        return _NOT_DONE
    return _OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
