"""Programs of our own that plans run: what they are told, and what answers them."""

from __future__ import annotations

import contextlib

from mailcow_wizard.host import dns_provider, dns_update, mailcow_api
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
        dns_provider.plain(kind, text(data))


def _api(data: bytes) -> None:
    """mailcow's API: the first byte is the status, what follows the answer to everything."""
    status = 401 if data[:1] == b"4" else 200
    where = mailcow_api._Where("127.0.0.1", 443, "mail.example.org", "x", ("127.0.0.1",))
    asked: list[str] = []
    with (
        wires.instead(mailcow_api._Api, "_once", lambda self, *words: (status, text(data[1:]))),
        wires.instead(mailcow_api, "_query", lambda box, query: asked.append(query)),
        wires.instead(mailcow_api, "_kept", lambda file: "secret"),
    ):
        api = mailcow_api._Api(where, "key")
        for count, do in mailcow_api._TASKS.values():
            with contextlib.suppress(mailcow_api._NotDone):
                do(api, *("a@example.org",) * count)
    assert all(one.count("'") == 4 for one in asked), asked


_API = (
    b'2{"domain_name": "example.org", "mboxes_in_domain": "0", "pubkey": "x", "dkim_selector": "dkim"}',
    b'2[{"type": "success", "msg": ["domain_added", "x"]}]', b'2{"type": "danger", "msg": "x"}', b"2[]",
    b'4{"type": "error", "msg": "api access denied for ip 192.0.2.7"}', b"2" + DEEP,
    b'2{"quota_used": ' + DIGITS + b'}',
)  # fmt: skip
_UPDATE = (
    b"prereq nxdomain mail.example.org.\nprereq nxrrset a.example.org. TXT\n"
    b'prereq yxrrset example.org. MX 10 mail.example.org.\nupdate add a.org. 300 TXT "v=spf1 mx -all"\n'
    b"update add a.org. 300 MX 10 mail.a.org.\nupdate delete a.org. A 192.0.2.1\n"
)


def targets() -> tuple[Target, ...]:
    """Of programs."""
    return (
        Target("host dns-update", _updates, (_UPDATE, b"update add a. " + DIGITS + b" A 1.2.3.4")),
        Target("host mailcow-api", _api, _API),
    )
