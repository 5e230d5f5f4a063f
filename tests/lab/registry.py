"""A registry of images, and a program that serves it: as much of its protocol as pulling needs.

`python registry.py DIRECTORY PORT [ADDRESS]` serves `DIRECTORY/images.json` and the blobs beside it on an
address (127.0.0.1), over TLS where `DIRECTORY/tls.pem` and `DIRECTORY/tls.key` are. What is wrong with it
stands in `DIRECTORY/faults.json`, read at each request: `status` answers everything so, with `body`,
`missing` are images without a manifest, `rate` is how many bytes a second a blob is served with.
"""

import gzip
import hashlib
import io
import json
import os
import random
import ssl
import sys
import tarfile
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 5000
HOST = f"127.0.0.1:{PORT}"
_CHUNK = 16384
_OWN_BYTES = 200_000
_TYPES = "application/vnd.docker"
_MANIFEST = f"{_TYPES}.distribution.manifest.v2+json"


def make(directory: Path, names: Sequence[str], busybox: Path) -> None:
    """Writes images of these names (`mailcow/unbound:1`): busybox in one layer, and one of their own."""
    directory.mkdir()
    base = _layer(directory, {"bin/busybox": busybox.read_bytes()})
    chance = random.Random(1)
    manifests = {}
    for name in names:
        own = _layer(directory, {f"own/{name.replace('/', '-')}": chance.randbytes(_OWN_BYTES)})
        manifests[name] = _image(directory, [base, own])
    (directory / "images.json").write_text(json.dumps(manifests))
    (directory / "faults.json").write_text("{}")


def _layer(directory: Path, files: dict[str, bytes]) -> tuple[str, int, str]:
    """Its digest, its size, and the digest of what it unpacks to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    packed = gzip.compress(buffer.getvalue(), 1, mtime=0)
    digest = _blob(directory, packed)
    return digest, len(packed), f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"


def _blob(directory: Path, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    (directory / digest).write_bytes(data)
    return f"sha256:{digest}"


def _image(directory: Path, layers: list[tuple[str, int, str]]) -> str:
    """The name of its manifest's file."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/busybox", "sleep", "86400"]},
            "rootfs": {"type": "layers", "diff_ids": [unpacked for _, _, unpacked in layers]},
        }
    ).encode()
    digest = _blob(directory, config)
    image = f"{_TYPES}.container.image.v1+json"
    kind = f"{_TYPES}.image.rootfs.diff.tar.gzip"
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": image, "size": len(config), "digest": digest},
        "layers": [{"mediaType": kind, "size": size, "digest": one} for one, size, _ in layers],
    }
    return _blob(directory, json.dumps(manifest).encode()).removeprefix("sha256:")


class _Answers(BaseHTTPRequestHandler):
    """What is asked of a registry while something is pulled."""

    protocol_version = "HTTP/1.1"
    # Who tries TLS first goes on without where the answer is HTTP's, with its first line.
    default_request_version = "HTTP/1.1"
    directory = Path()

    def do_HEAD(self) -> None:
        """A manifest's head."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """A manifest or a blob."""
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        faults = json.loads((self.directory / "faults.json").read_text())
        parts = self.path.strip("/").split("/")
        if faults.get("status"):
            self._send(faults["status"], faults.get("body", "{}").encode())
        elif parts == ["v2"]:
            self._send(200, b"{}")
        elif len(parts) > 3 and parts[-2] == "manifests":
            self._manifest("/".join(parts[1:-2]), parts[-1], faults, body)
        elif len(parts) > 3 and parts[-2] == "blobs":
            path = self.directory / parts[-1].removeprefix("sha256:")
            self._send(200, path.read_bytes(), rate=faults.get("rate", 0), digest=parts[-1])
        else:
            self._send(404, b"{}")

    def _manifest(self, name: str, tag: str, faults: dict[str, object], body: bool) -> None:
        known = json.loads((self.directory / "images.json").read_text())
        file = tag.removeprefix("sha256:") if tag.startswith("sha256:") else known.get(f"{name}:{tag}")
        missing = faults.get("missing")
        if not file or (isinstance(missing, list) and f"{name}:{tag}" in missing):
            error = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            self._send(404, json.dumps(error).encode())
            return
        data = (self.directory / file).read_bytes()
        self._send(200, data if body else b"", _MANIFEST, digest=f"sha256:{file}", length=len(data))

    def _send(
        self,
        status: int,
        data: bytes,
        kind: str = "application/json",
        rate: int = 0,
        digest: str = "",
        length: int = -1,
    ) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length < 0 else length))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        for start in range(0, len(data), _CHUNK):
            self.wfile.write(data[start : start + _CHUNK])
            if rate:
                time.sleep(_CHUNK / rate)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    _Answers.directory = Path(sys.argv[1])
    address = sys.argv[3] if sys.argv[3:] else "127.0.0.1"
    server = ThreadingHTTPServer((address, int(sys.argv[2])), _Answers)
    if (_Answers.directory / "tls.pem").exists():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_Answers.directory / "tls.pem", _Answers.directory / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("ready", flush=True)
    os.set_inheritable(1, False)
    server.serve_forever()
