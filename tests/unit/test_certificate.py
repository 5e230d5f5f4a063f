"""The certificate that a server shows: over TLS, after STARTTLS, and from servers that do neither."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.network import tls
from mailcow_wizard.host.network.certificate import certificate
from mailcow_wizard.host.recording.codec import pack, unpack
from mailcow_wizard.host.replies import Certificate

pytestmark = pytest.mark.timed

NAME = "mail.example.org"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody has signed, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    place = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30"
    name = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*command.split(), *name], cwd=place, check=True, capture_output=True)
    return place / "cert.pem", place / "key.pem"


@contextlib.contextmanager
def serving(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                with link, contextlib.suppress(OSError, ssl.SSLError):
                    speak(link)

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)  # closing it alone would not end the waiting thread


def secured(files: tuple[Path, Path]) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    def speak(link: socket.socket) -> None:
        with context.wrap_socket(link, server_side=True) as inside:
            inside.recv(1)

    return speak


def postfix(
    files: tuple[Path, Path], hello: bytes = b"250-me\r\n250-SIZE\r\n250 STARTTLS\r\n"
) -> Callable[[socket.socket], None]:
    finish = secured(files)

    def speak(link: socket.socket) -> None:
        link.sendall(b"220-wait\r\n")
        time.sleep(0.05)  # in two pieces, as postscreen does
        link.sendall(b"220 me ESMTP\r\n")
        link.recv(1000)
        link.sendall(hello)
        link.recv(1000)
        link.sendall(b"220 go on\r\n")
        finish(link)

    return speak


def der(files: tuple[Path, Path]) -> bytes:
    return ssl.PEM_cert_to_DER_cert(files[0].read_text())


def test_over_tls(files: tuple[Path, Path]) -> None:
    with serving(secured(files)) as port:
        found = certificate("127.0.0.1", port, NAME, False, 3.0)
    assert found == Certificate(der(files), "self-signed certificate")
    assert unpack(Certificate, pack(found)) == found


def test_after_starttls(files: tuple[Path, Path]) -> None:
    with serving(postfix(files)) as port:
        assert certificate("127.0.0.1", port, NAME, True, 3.0).der == der(files)


def test_one_that_is_trusted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(files[0]))
    monkeypatch.setattr(tls, "trusting", lambda: context)
    with serving(postfix(files)) as port:
        assert certificate("127.0.0.1", port, NAME, True, 3.0) == Certificate(der(files), "")
        assert "mismatch" in certificate("127.0.0.1", port, "other.example.org", True, 3.0).trouble


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "it does not speak SMTP"),
        (b"554 go away\r\n", "it answers 554 go away"),
        (b"HTTP/1.1 400 Bad Request\r\n", "it answers HTTP/1.1 400"),
        (b"220-" + b"x" * 70000, "it does not speak SMTP"),
    ],
)
def test_servers_that_are_none(said: bytes, words: str) -> None:
    with serving(lambda link: link.sendall(said)) as port, pytest.raises(HostError, match=words):
        certificate("127.0.0.1", port, NAME, True, 2.0)


def test_no_starttls_no_listener_no_tls_no_answer(files: tuple[Path, Path]) -> None:
    with serving(postfix(files, b"250 me\r\n")) as port, pytest.raises(HostError, match="offers no STARTTLS"):
        certificate("127.0.0.1", port, NAME, True, 2.0)
    with pytest.raises(HostError, match="connection refused"):
        certificate("127.0.0.1", port, NAME, True, 2.0)
    with serving(lambda link: link.sendall(b"220 hello\r\n")) as port, pytest.raises(HostError):
        certificate("127.0.0.1", port, NAME, False, 2.0)
    start = time.monotonic()
    with serving(lambda link: time.sleep(3)) as port, pytest.raises(NoAnswer, match=r"within 0\.3 s"):
        certificate("127.0.0.1", port, NAME, True, 0.3)
    assert time.monotonic() - start < 1.0
