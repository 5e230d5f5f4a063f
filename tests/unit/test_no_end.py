"""Servers that hang, or make no end: they are silent, and not something else than that."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.host.programs import dns_update
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


def test_a_server_that_sends_byte_after_byte_is_heard_no_longer(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    # A process of its own: it never waits for this one's interpreter.
    line = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print(flush=True)\n"
        "link, end = s.accept()[0], time.monotonic() + 10\n"
        "while time.monotonic() < end: link.send(b'x')\n"
    )
    with subprocess.Popen([sys.executable, "-c", line, path], stdout=subprocess.PIPE) as server:
        assert server.stdout
        server.stdout.readline()
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match="did not answer within"):
            RealHost().http(path, "/version", 0.3)
        assert time.monotonic() - begun < 3
        server.kill()


def test_a_name_server_of_which_other_answers_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What anybody sends who says that he is the server."""
    monkeypatch.setattr(dns_update, "WAIT_S", 0.3)
    ended = threading.Event()

    def flood() -> None:
        _data, asker = server.recvfrom(512)
        end = time.monotonic() + 10
        while not ended.is_set() and time.monotonic() < end:
            with contextlib.suppress(OSError):
                server.sendto(b"not the answer to that", asker)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        monkeypatch.setattr(dns_update, "_PORT", server.getsockname()[1])
        threading.Thread(target=flood, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            dns_update._by_udp("127.0.0.1", b"\0\1 a question it is")
        ended.set()
        assert time.monotonic() - begun < 3
