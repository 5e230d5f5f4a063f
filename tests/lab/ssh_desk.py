"""A desk outside, and a bare Debian 12 server with a real sshd behind its provider's router."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import machine, slow_line
from .inside import LabError, needs
from .machine import Machine
from .provider import Provider, provider

_SSH = """#!/bin/sh
printf '%s\\n' "$@" --- >>"{folder}/said"
exec /usr/bin/ssh -F "{folder}/config" "$@"
"""
_CONFIG = """\
IdentityFile {folder}/key
IdentitiesOnly yes
UserKnownHostsFile {folder}/known
StrictHostKeyChecking accept-new
"""
_SSHD = "PermitRootLogin yes\nAcceptEnv LANG LC_*\nLoginGraceTime 20\n"
PASSWORD = "drei Wörter, kurz"
"""Carla's, at the login and for sudo."""


class Desk:
    """The desk. What it runs finds an ssh with a key of its own, that trusts the server at first sight."""

    def __init__(self, world: Provider, server: Machine, folder: Path) -> None:
        self.world, self.server, self.folder = world, server, folder

    @property
    def environment(self) -> dict[str, str]:
        """For the wizard at the desk."""
        path = f"{self.folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "xterm-256color"}

    def command(self, argv: Sequence[str], more: Mapping[str, str] | None = None) -> list[str]:
        """A command line that runs at the desk."""
        variables = [f"{name}={value}" for name, value in {**self.environment, **(more or {})}.items()]
        return ["ip", "netns", "exec", self.world.far.name, "env", "-i", *variables, *argv]

    def run(self, argv: Sequence[str], timeout: float = 120.0) -> "subprocess.CompletedProcess[str]":
        """Runs it without a terminal, to its end."""
        return subprocess.run(
            self.command(argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def said_to_ssh(self) -> str:
        """The words of each start of ssh, one a line, since this was asked last."""
        said = self.folder / "said"
        text = said.read_text() if said.exists() else ""
        said.unlink(missing_ok=True)
        return text

    def left_there(self) -> list[str]:
        """What of the wizard lies on the server's temporary places, and the processes that run it."""
        places = "/tmp/mailcow-wizard* /tmp/tmp* /var/tmp/mailcow-wizard* /var/cache/mailcow-wizard"
        lying = self.server.run(["sh", "-c", f"ls -d {places} 2>/dev/null"]).stdout
        running = self.server.run(["pgrep", "-af", "[m]ailcow-wizard"]).stdout
        return [*lying.splitlines(), *running.splitlines()]

    @contextmanager
    def slow_line(self, milliseconds: int, kilobits: int) -> Iterator[None]:
        """The desk's own line, both ways, as a mobile phone's."""
        config = self.folder / "config"
        before = config.read_text()
        relay = f"{sys.executable} {Path(slow_line.__file__)} %h %p {milliseconds} {kilobits}"
        config.write_text(f"{before}ProxyCommand {relay}\n")
        try:
            yield
        finally:
            config.write_text(before)


@contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    """Makes both. The desk's key opens the server to root, to `anna`, who may use sudo, and to `bert`;
    `carla` has a password, at the login and for sudo."""
    needs("ssh", "ssh-keygen")
    with provider() as world, machine.booted("sudo", network=f"/run/netns/{world.server.name}") as server:
        made = Desk(world, server, folder)
        (folder / "bin").mkdir()
        wrapper = folder / "bin/ssh"
        wrapper.write_text(_SSH.format(folder=folder))
        wrapper.chmod(0o755)
        (folder / "config").write_text(_CONFIG.format(folder=folder))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        key = (folder / "key.pub").read_text()
        server.write("/etc/ssh/sshd_config.d/tests.conf", _SSHD)
        for user, shell in (("anna", "/bin/bash"), ("bert", "/bin/sh")):
            server.run(["useradd", "--create-home", "--shell", shell, user], check=True)
        server.run(["useradd", "--create-home", "--shell", "/bin/bash", "carla"], check=True)
        server.run(["sh", "-c", f"echo 'carla:{PASSWORD}' | chpasswd"], check=True)
        server.write("/etc/sudoers.d/tests", "anna ALL=(ALL) NOPASSWD: ALL\ncarla ALL=(ALL) ALL\n")
        for home, owner in (("/root", "root"), ("/home/anna", "anna"), ("/home/bert", "bert")):
            server.write(f"{home}/.ssh/authorized_keys", key)
            server.run(["chown", "-R", f"{owner}:", f"{home}/.ssh"], check=True)
        started = server.run(["systemctl", "start", "ssh"])
        if started.returncode:
            raise LabError(f"sshd does not start: {started.stderr.strip()}")
        yield made
