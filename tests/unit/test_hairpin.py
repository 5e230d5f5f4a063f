"""Connections that come back: what is ours is known by its word, and what is in use is left alone."""

import socket
import threading
import time

from mailcow_wizard.host.network.hairpin import Round

HERE = "127.0.0.1"


def free_port(address: str = HERE) -> int:
    """A port that nobody has."""
    with socket.create_server((address, 0)) as one:
        return int(one.getsockname()[1])


def outcome(address: str, own: str, port: int, timeout: float = 2.0) -> str:
    """What becomes of one port."""
    (found,) = Round(address, own, (port,), timeout).results()
    assert found.port == port
    return found.outcome


def test_it_comes_back_and_leaves_nothing_behind() -> None:
    port = free_port()
    for _ in range(3):
        assert outcome(HERE, HERE, port) == "arrived"
    # Without SO_REUSEADDR a connection that is still being closed would be in the way.
    with socket.socket() as again:
        again.bind((HERE, port))


def test_what_is_in_use_is_left_alone() -> None:
    with socket.create_server((HERE, 0)) as held:
        assert outcome(HERE, HERE, held.getsockname()[1]) == "in use"
        held.settimeout(0.2)
        try:
            held.accept()
            raise AssertionError("it was connected to")
        except TimeoutError:
            pass


def test_somebody_else_is_not_taken_for_this_machine() -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        port = other.getsockname()[1]

        def answer() -> None:
            link, _ = other.accept()
            link.recv(64)
            link.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            link.close()

        threading.Thread(target=answer, daemon=True).start()
        assert outcome("127.0.0.2", HERE, port) == "foreign"


def test_refused_and_silent() -> None:
    assert outcome("127.0.0.2", HERE, free_port()) == "refused"
    with socket.create_server(("127.0.0.2", 0)) as silent:  # takes the connection and says nothing
        assert outcome("127.0.0.2", HERE, silent.getsockname()[1], 0.3) == "silent"


def test_ports_are_tried_at_once() -> None:
    ports = tuple({free_port() for _ in range(4)})
    found = Round(HERE, HERE, ports, 2.0).results()
    assert [one.outcome for one in found] == ["arrived"] * len(ports)
    assert max(one.seconds for one in found) < 1.0


def test_a_stranger_gets_no_word() -> None:
    """Who connects to the listener and says something else hears nothing."""
    port, heard = free_port(), []

    def stranger() -> None:
        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            try:
                with socket.create_connection((HERE, port), 1.0) as link:
                    link.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    heard.append(link.recv(64))
                    return
            except ConnectionRefusedError:
                continue
            except OSError:
                heard.append(b"")
                return

    with socket.create_server(("127.0.0.2", port)):  # takes our connection, so that the listener stays
        guest = threading.Thread(target=stranger, daemon=True)
        guest.start()
        assert outcome("127.0.0.2", HERE, port, 1.0) == "silent"
        guest.join(3.0)
    assert heard == [b""]
