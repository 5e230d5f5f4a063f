"""A bare Debian 12 on which nothing is installed but its own python3: cached once, fresh for each test."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from lab.cache import bootstrap
from lab.skip import or_skip

from tests.real.launcher import LIMIT, copy_checkout


def debian_mirror() -> str:
    """Where this machine's apt fetches Debian 12 from, else Debian's own mirror."""
    with contextlib.suppress(OSError):
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=False,
        )
        for line in listed.stdout.splitlines():
            address, _, release = line.partition(" ")
            if release == "bookworm" and address.startswith("http"):
                return address
    return "http://deb.debian.org/debian"


def is_debian_12() -> bool:
    with contextlib.suppress(OSError):
        return "VERSION_CODENAME=bookworm" in Path("/etc/os-release").read_text()
    return False


def make_bare_debian(base: Path) -> None:
    part = base.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    with or_skip():
        bootstrap("bookworm", part, debian_mirror(), "python3", "ca-certificates")
    shutil.rmtree(part / "var/lib/apt/lists")
    (part / "var/lib/apt/lists/partial").mkdir(parents=True)
    part.rename(base)


def pip_settings() -> dict[str, str]:
    """This machine's pip configuration, whichever files it comes from, as pip's own variables."""
    settings = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k.lower().endswith("_proxy")}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.partition(".")
        if section in ("global", "install"):
            settings.setdefault(
                "PIP_" + option.upper().replace("-", "_"),
                " ".join(value.strip("'\"").replace("\\n", " ").split()),
            )
    return settings


def certificates() -> Path | None:
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if (path := Path(os.environ.get(name, "/nonexistent"))).is_file():
            return path
    path = Path("/etc/ssl/certs/ca-certificates.crt")
    return path if path.is_file() else None


class Machine:
    """A fresh bare machine: an overlay (or a copy) of the cached userland, in its own namespaces."""

    HOME = "/srv/mailcow-wizard"

    def __init__(self, base: Path, folder: Path) -> None:
        self.base, self.folder, self.root = base, folder, folder / "root"
        for name in ("root", "upper", "work"):
            (folder / name).mkdir()
        self.overlay = self._outside(":").returncode == 0
        if not self.overlay:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", str(self.root)], check=True)
        self.settings = pip_settings()
        copy_checkout((folder / "upper" if self.overlay else self.root) / self.HOME.strip("/"))
        done = self._outside(self._like_this_machine())
        assert done.returncode == 0, done.stderr

    def _like_this_machine(self) -> str:
        """Networks, package servers, keys and certificates as here, because nothing else is known to work."""
        root = shlex.quote(str(self.root))
        lines = [f"cp -L /etc/resolv.conf /etc/hosts {root}/etc/"]
        if is_debian_12():
            lines += [
                f"rm -rf {root}/etc/apt",
                f"cp -a /etc/apt {root}/etc/apt",
                f"cp -a /usr/share/keyrings/. {root}/usr/share/keyrings/",
                f"rm -rf {root}/var/lib/apt/lists/*",
            ]
        if (bundle := certificates()) is not None:
            lines.append(f"cp -L {shlex.quote(str(bundle))} {root}/etc/ssl/certs/ca-certificates.crt")
            if "PIP_CERT" in self.settings:
                self.settings["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
        for word in " ".join(self.settings.values()).split():  # constraints are a file
            if word.startswith("/") and os.path.isfile(word) and not (self.base / word.strip("/")).exists():
                above, file = shlex.quote(os.path.dirname(word)), shlex.quote(word)
                lines.append(f"mkdir -p {root}{above} && cp -L {file} {root}{file}")
        return "\n".join(lines)

    def _mounts(self) -> str:
        root = shlex.quote(str(self.root))
        lines = ["set -e"]
        if getattr(self, "overlay", True):
            layers = f"lowerdir={self.base},upperdir={self.folder}/upper,workdir={self.folder}/work"
            lines.append(f"mount -t overlay overlay -o {shlex.quote(layers)} {root}")
        lines += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        for word in " ".join(getattr(self, "settings", {}).values()).split():
            local = word.removeprefix("file://")
            if local.startswith("/") and os.path.isdir(local) and not (self.base / local.strip("/")).exists():
                # the folder above, because an index may refer to its neighbours
                above = shlex.quote(
                    os.path.dirname(local) if os.path.dirname(local).count("/") > 1 else local
                )
                lines.append(f"mkdir -p {root}{above} && mount --bind -o ro {above} {root}{above}")
        return "\n".join(lines)

    def _outside(self, script: str) -> subprocess.CompletedProcess[str]:
        command = [*self._namespaces(), "sh", "-c", f"{self._mounts()}\n{script}"]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def _namespaces(self) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child"]

    def command(self, inside: str, user: str = "root") -> list[str]:
        """The argument list that runs a shell command on the machine, in the folder of the checkout."""
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root" if user == "root" else "/tmp",
            **self.settings,
        }
        entered = [
            *("chroot", f"--userspec={user}:{'root' if user == 'root' else 'nogroup'}", str(self.root)),
            *("env", "-i", *(f"{name}={value}" for name, value in variables.items())),
            *("sh", "-c", f"cd {self.HOME} && {inside}"),
        ]
        return [*self._namespaces(), "sh", "-c", f"{self._mounts()}\nexec {shlex.join(entered)}"]

    def run(self, inside: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(inside, user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=LIMIT,
            check=False,
        )
