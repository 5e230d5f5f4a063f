"""Programs of our own that plans run, the far side of reach too: what they are told, what answers them."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from typing import Any

from mailcow_wizard.answers import lines, reading, toml
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.programs import (
    api_key,
    dns_provider,
    dns_update,
    mailcow_api,
    nft_back,
    nft_tables,
    provider_zone,
    ufw_back,
)
from mailcow_wizard.host.reach import ssh
from mailcow_wizard.host.reach import talk as reach_talk
from mailcow_wizard.host.reach.desk import Asked, Desk
from tests.fuzz import wires
from tests.fuzz.target import DEEP, DIGITS, Target, text


def _updates(data: bytes) -> None:
    """Lines of instructions, which the wizard itself wrote and a stranger might."""
    for line in text(data).splitlines()[:20]:
        try:
            one = dns_update.instruction(line)
        except ValueError:
            continue
        except Exception as error:
            if type(error).__module__.startswith("dns."):
                continue
            raise
        dns_provider.record(one)
    for kind in ("TXT", "MX", "A"):
        made = provider_zone._there(
            {"type": kind, "name": "example.org", "content": text(data)}, "example.org"
        )
        assert provider_zone.plain(kind, text(data)) == made.content == made.again.content


def _api(data: bytes) -> None:
    """mailcow's API: the first byte is the status, what follows the answer to everything."""
    status = 401 if data[:1] == b"4" else 200
    where = mailcow_api.Where("127.0.0.1", 443, "mail.example.org", "x", ("127.0.0.1",))
    asked: list[str] = []
    with (
        wires.instead(mailcow_api.Api, "once", lambda self, *words: (status, text(data[1:]))),
        wires.instead(mailcow_api, "asked", lambda box, query: asked.append(query)),
        wires.instead(mailcow_api, "_kept", lambda file: "secret"),
    ):
        api = mailcow_api.Api(where, "key")
        for count, do in mailcow_api._TASKS.values():
            with contextlib.suppress(mailcow_api.NotDone):
                do(api, *("a@example.org",) * count)
    assert all(one.count("'") == 4 for one in asked), asked


def _api_key(data: bytes) -> None:
    """The lasting key in mailcow.conf, what mailcow's database says of it, and what the API answers."""
    said = text(data)
    with open(f"{_PLACE.name}/mailcow.conf", "wb") as file:
        file.write(data)
    where = mailcow_api.place(("127.0.0.1:443", "mail.example.org", "x", "127.0.0.1,::1"))
    with (
        wires.instead(api_key, "asked", lambda box, query: "1" if "= 'LASTING" in query else said),
        wires.instead(mailcow_api.Api, "once", lambda self, *words: (401 if data[:1] == b"4" else 200, said)),
        wires.instead(api_key, "_PATIENCE_S", -1.0),
    ):
        for do in (api_key._first, api_key._try):
            with contextlib.suppress(mailcow_api.NotDone):
                assert "LASTING" not in do(_PLACE.name, where, ())


def _nft_back(data: bytes) -> None:
    """What nft lists, of rules that are taken back."""
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
        lines, _kept = nft_back.undoing(json.loads(data), "inet", "filter", "input", "ours")
        assert all(one.startswith("delete ") and one.isprintable() for one in lines), lines


def _ufw_back(data: bytes) -> None:
    """What ufw shows of its rules."""
    for verdict, comment in ufw_back.standing(text(data), "25,465/tcp"):
        assert verdict.isalpha()
        assert "'" not in comment


def _nft_tables(data: bytes) -> None:
    """What the kernel says of its tables."""
    with contextlib.suppress(ValueError):
        found, _ended = nft_tables.tables(data)
        assert all(family and isinstance(name, str) for family, name in found)


_UFW = b"Added user rules:\nufw allow 22\nufw allow 25,465/tcp comment 'ours'\nufw limit log 25,465/tcp\n"
_TABLES = (
    b"\x24\0\0\0\0\x0a\2\0\1\0\0\0\0\0\0\0\2\0\0\0\x0b\0\1\0filter\0\0\x14\0\0\0\3\0\2\0" + bytes(12),
    b"\x24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\xea\xff\xff\xff" + bytes(16), b"\x10\0\0\0\0\x0a\2\0" + bytes(8),
)  # fmt: skip
_NFT = (
    b'{"nftables": [{"set": {"name": "ours"}}, {"rule": {"chain": "input", "handle": 4, "expr": '
    b'[{"match": {"right": "@ours"}}]}}, {"rule": {"chain": "x", "handle": 5, "expr": ["@ours"]}}]}',
    b'{"nftables": [{"rule": {"chain": "input", "handle": "x", "expr": "@ours"}}]}',
    DEEP,
)
_API = (
    b'2{"domain_name": "example.org", "mboxes_in_domain": "0", "pubkey": "x", "dkim_selector": "dkim"}',
    b'2[{"type": "success", "msg": ["domain_added", "x"]}]', b'2{"type": "danger", "msg": "x"}', b"2[]",
    b'4{"type": "error", "msg": "api access denied for ip 192.0.2.7"}', b"2" + DEEP,
    b'2{"quota_used": ' + DIGITS + b'}',
)  # fmt: skip
_KEYS = (
    b"API_KEY=LASTING-a\nAPI_KEY=LASTING-b\n", b"4\nAPI_KEY=LASTING-a\ndenied for ip 192.0.2.7", b"0\n",
    b"API_KEY='LASTING-a'", DIGITS,
)  # fmt: skip
_UPDATE = (
    b"prereq nxdomain mail.example.org.\nprereq nxrrset a.example.org. TXT\n"
    b'prereq yxrrset example.org. MX 10 mail.example.org.\nupdate add a.org. 300 TXT "v=spf1 mx -all"\n'
    b"update add a.org. 300 MX 10 mail.a.org.\nupdate delete a.org. A 192.0.2.1\n"
)


def _desk(data: bytes) -> None:
    """What a server says that the desk should not trust, and what a desk reports."""
    desk = Desk.__new__(Desk)
    with wires.instead(desk, "_may_be_asked", lambda address: True):
        link: Any = wires.Link(data, 100)
        found = desk._read(link)
    assert found is None or all(isinstance(one, str) for one in (*found.addresses, found.token))
    far: Any = wires.Link(data)
    Asked(far).report()


def _ssh(data: bytes) -> None:
    """What is typed behind --ssh, and what the far side's shell says."""
    words = text(data)
    found = ssh.destination(words)
    assert found is None or not found.host.startswith("-")
    connection = ssh.Connection.__new__(ssh.Connection)
    connection._greeting = ""
    with contextlib.suppress(HostError):
        connection._heard(io.BytesIO(data))


_PLACE = tempfile.TemporaryDirectory(prefix="mailcow-wizard-fuzz-")


def _answers(data: bytes) -> None:
    """A file of answers for an install that nobody watches."""
    path = f"{_PLACE.name}/answers.toml"
    with open(path, "wb") as file:
        file.write(data)
    _said, _mistakes, understood = toml.read(text(data))
    lines.lines_of(understood)
    with contextlib.suppress(reading.Unfit, HostError):
        reading.read(path, None)


_DESK = (
    b'{"addresses": ["192.0.2.1", "2001:db8::1"], "token": "x-25"}\n',
    b'{"addresses": [1], "token": "x"}\n',
    DEEP[:4000] + b"\n",
)
_SSH = (
    b"root@mail.example.org:22",
    b"[2001:db8::1]:22",
    b"-oProxyCommand=x",
    b"motd\nMW-PLACE 0 no python3 /x\n",
)
_TOML = (
    b'[server]\nhostname = "mail.example.org"\n[conf]\nSKIP_CLAMD = true\n',
    b"[a\nb = \nc = 'x\n",
    b'[server]\ndirectory = "/opt/x"\naddresses = ["192.0.2.1", "x"]\nresolver = "192.0.2.53"\n',
    b"a = " + DIGITS,
    b"a = " + DEEP,
    b'a.b = {c = [1, 2]}\n[[d]]\n"e f" = 1979-05-27T07:32:00Z\n',
    b'x = """\na\n"""\n',
)


def _talk(data: bytes) -> None:
    for kind in ("knock", "greets", "http", "tls"):
        one = reach_talk.talk(reach_talk.Door("192.0.2.1", 25, kind), "token")
        for start in range(0, len(data), 11):
            if not one.answer:
                one.take(data[start : start + 11])
        assert one.end().isprintable()
        assert len(one.end()) <= 2 + reach_talk.TEXT_LENGTH


def targets() -> tuple[Target, ...]:
    """Of programs."""
    return (
        Target("host dns-update", _updates, (_UPDATE, b"update add a. " + DIGITS + b" A 1.2.3.4")),
        Target("host mailcow-api", _api, _API),
        Target("host api-key", _api_key, _KEYS),
        Target("host nft-back", _nft_back, _NFT),
        Target(
            "host ufw-back", _ufw_back, (_UFW, b"ufw allow 25,465/tcp comment 'it\nufw limit  comment ''")
        ),
        Target("host nft-tables", _nft_tables, _TABLES),
        Target("host desk", _desk, _DESK),
        Target("host ssh", _ssh, _SSH),
        Target("host talks", _talk, (b"220-a\r\n220 a\r\n", b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n")),
        Target("words answers", _answers, _TOML),
    )
