"""The two sides of `reach`, each with a real socket before it: who is heard, and for how long one waits."""

import contextlib
import os
import resource
import socket
import threading
import time

import pytest

from mailcow_wizard.cli import reach_from
from mailcow_wizard.host.reach import asker as reach_asker
from mailcow_wizard.host.reach import listener as reach_listener
from mailcow_wizard.host.reach.listener import MAGIC, Knock, ReachListener
from mailcow_wizard.host.reach.talk import Door


def _knock(listener: ReachListener, port: int, token: str) -> bool:
    """Whether it was heard."""
    with socket.create_connection(("127.0.0.1", port), 5) as one:
        with contextlib.suppress(OSError):  # it may be cut at once
            one.sendall(f"{MAGIC} {token} {port}\n".encode())
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            if any(isinstance(sign, Knock) for sign in listener.wait(0.05)):
                return True
    return False


def test_the_line_of_an_earlier_proof_shuts_its_desk_out_for_a_minute_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with contextlib.closing(ReachListener()) as listener:
        port = listener.listen_anywhere((4,))
        listener.serve("A" * 20 + "-25", lambda knock: "")
        for _ in range(11):
            assert not _knock(listener, port, "B" * 20 + "-25")
        assert not _knock(listener, port, "A" * 20 + "-25")
        monkeypatch.setattr(reach_listener, "_MINUTE_S", 0.0)
        assert _knock(listener, port, "A" * 20 + "-25")


def test_an_answer_in_drops_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach_asker, "_ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            link, _ = server.accept()
            with link, contextlib.suppress(OSError):
                for _number in range(50):
                    link.sendall(b".")
                    time.sleep(0.1)

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            reach_asker.tell(Door("127.0.0.1", server.getsockname()[1], "knock"), "token", "4:25a")
        assert time.monotonic() - begun < 2


def test_a_near_side_that_still_asks_itself_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            with link:
                link.recv(1000)
                time.sleep(reach_asker.LONGEST_S - 1)
                link.sendall(b"   25 Postfix SMTP  IPv4 arrived\n")

        threading.Thread(target=answer, daemon=True).start()
        door = Door("127.0.0.1", server.getsockname()[1], "knock")
        assert "arrived" in reach_asker.tell(door, "token", "4:25a")


def test_what_the_far_side_itself_lacks_is_no_refusal() -> None:
    """No more files: no port was asked."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    doors = [Door("127.0.0.1", port, "knock") for port in range(40001, 40011)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 2, before[1]))
    try:
        found = set(reach_asker.knock(doors, "token").values())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "n" in found
    assert found <= {"n", "r"}
    assert list(reach_asker.knock(doors, "token").values()) == ["r"] * len(doors)


def test_a_near_side_that_is_silent_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its kernel takes connections to all ports still, as where the process is stopped."""
    monkeypatch.setattr(reach_asker, "_ANSWER_S", 0.5)
    with contextlib.ExitStack() as all:
        ports = [all.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(6)]
        begun = time.monotonic()
        results = {Door("127.0.0.1", port, "knock"): "a" for port in ports}
        assert reach_from._told(results, "token", "4:25a") is None
        assert time.monotonic() - begun < 1.5
    assert capsys.readouterr().err == "mailcow-wizard: the report did not arrive: no answer in time\n"
