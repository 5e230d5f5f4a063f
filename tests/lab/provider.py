"""A server, its provider's router, and somebody outside, in three namespaces, over IPv4 and IPv6.

The smallest world for what comes in: no name servers, no mail servers (see `outside` for those).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailcow_wizard.host.reach.asker import CONTROLS

from .inside import LabError, wait_until
from .netns import Namespace, link

MAIL_OF_OTHERS = ("198.51.100.1", "2d00:113:2::1")
"""The addresses, the router's, of the mail servers that the far side tries where port 25 fails."""
SERVER, SERVER_V6 = "192.88.99.10", "2d00:113::10"
FAR, FAR_V6 = "198.51.100.200", "2d00:113:2::200"
BEFORE = "provider"


class Provider:
    """The three places."""

    def __init__(self, server: Namespace, router: Namespace, far: Namespace) -> None:
        self.server, self.router, self.far = server, router, far

    @contextmanager
    def rules(self, place: Namespace, hook: str, *rules: str) -> Iterator[None]:
        """nft's rules in a place, for a while."""
        text = "\n".join(rules)
        chain = f"chain c {{\ntype filter hook {hook} priority 0;\n{text}\n}}"
        place.run(["nft", "-f", "-"], text=f"table inet {BEFORE} {{\n{chain}\n}}\n")
        try:
            yield
        finally:
            place.run(["nft", "delete", "table", "inet", BEFORE])


@contextmanager
def provider() -> Iterator[Provider]:
    """Makes them; raises LabError where they cannot be."""
    with (
        Namespace.create() as server,
        Namespace.create() as router,
        Namespace.create() as far,
        _names(far),
        _names(router),
        _names(server),
    ):
        link(server, router, f"{SERVER}/25", "192.88.99.1/25", f"{SERVER_V6}/64", "2d00:113::1/64")
        link(far, router, f"{FAR}/24", "198.51.100.1/24", f"{FAR_V6}/64", "2d00:113:2::1/64")
        for line in ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"):
            router.run(["sh", "-c", f"echo 1 > {line}"])
        for place, v4, v6 in (
            (server, "192.88.99.1", "2d00:113::1"),
            (far, "198.51.100.1", "2d00:113:2::1"),
        ):
            place.run(["ip", "route", "add", "default", "via", v4])
            place.run(["ip", "-6", "route", "add", "default", "via", v6])
        # A fresh interface waits a second or two before its IPv6 address may be used.
        if not wait_until(lambda: _reaches(far, SERVER_V6), 30.0):
            raise LabError("IPv6 does not pass between the namespaces")
        yield Provider(server, router, far)


@contextmanager
def _names(place: Namespace) -> Iterator[None]:
    """A few names are known, and nobody waits for a name server."""
    private = Path("/etc/netns") / place.name
    private.mkdir(parents=True)
    try:
        (private / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        mail = "".join(f"{address} {' '.join(CONTROLS)}\n" for address in MAIL_OF_OTHERS)
        (private / "hosts").write_text(f"127.0.0.1 localhost\n{mail}")
        yield
    finally:
        shutil.rmtree(private)


def _reaches(place: Namespace, address: str) -> bool:
    return place.run(["ping", "-c1", "-W1", address], check=False).returncode == 0
