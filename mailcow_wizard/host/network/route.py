"""Which way packets leave this machine, as the kernel's routing says; nothing is sent."""

import socket

from mailcow_wizard.host.errors import HostError

_DISCARD = 9


def source_address(destination: str) -> str:
    """The source address that the kernel would use towards an address. Raises HostError: no route."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a UDP socket sends no packet; it only chooses the route.
            probe.connect((destination, _DISCARD))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise HostError(f"no route to {destination}: {(error.strerror or '').lower()}") from None
