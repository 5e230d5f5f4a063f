"""The door's calls that speak with mail servers, for the host contract."""

from collections.abc import Callable
from typing import Any

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.network.conversation import Dialogue, Trip

CALLS: dict[str, tuple[Callable[[Host, Any], Any], Any]] = {
    "converse": (
        lambda host, place: [
            one.outcome
            for one in host.converse(
                (
                    Dialogue("smtp", "127.0.0.1", place.port),
                    Dialogue("imap", "127.0.0.1", 1, lines=("CAPABILITY",)),
                    Dialogue("http", "nobody", 80),
                ),
                0.5,
            )
        ],
        ["silent", "refused", "failed"],
    ),
    "send_and_find": (
        lambda host, place: host.send_and_find(
            Trip(("127.0.0.1", "1", ""), "a@a.test", "a@a.test", ("127.0.0.1", "1"), "NO_SUCH_VARIABLE"), 0.5
        )[:2],
        ("imap-login", "NO_SUCH_VARIABLE holds no password"),
    ),
}
