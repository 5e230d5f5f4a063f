"""A server behind a Unix socket that hangs: it is silent, and not something else than it is."""

import socket
from pathlib import Path

import pytest

from mailcow_wizard.host.door import NoAnswer
from mailcow_wizard.host.real import RealHost


def test_a_server_that_hangs_and_that_many_wait_for(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        with pytest.raises(NoAnswer, match="did not answer within"):
            RealHost().http(path, "/version", 0.1)
        # Who has gone still has a place among those that wait.
        for _unused in range(3):
            with pytest.raises(NoAnswer):
                RealHost().http(path, "/version", 0.1)
        with pytest.raises(NoAnswer, match="takes no more connections"):
            RealHost().http(path, "/version", 0.1)
