"""Many attempts to get out, side by side, in one loop: TCP, UDP, echo requests (ping).

All begin at once, so that any number of silent targets costs one waiting time in all. What comes back is
kept apart: an answer, a refusal, a report of a router, a rule of this machine, nothing at all.
"""

import contextlib
import errno
import os
import selectors
import socket
import time

from mailcow_wizard.host.network import icmp_errors
from mailcow_wizard.host.network.echo import Echo, leaves
from mailcow_wizard.host.replies import Probe, Probed

_AGAIN_AFTER = (0.4, 1.1, 2.1)  # what is sent without a connection is sent again; TCP does so by itself
_OWN_RULES_AFTER = 0.5  # a connection that is silent this long may be held back by this machine itself
_LONGEST_LINE = 512
_NO_ROUTE = {
    *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.ENONET),
    *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.ENODEV),
}
_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EPERM: "blocked",
    errno.EACCES: "blocked",
    errno.EMSGSIZE: "too large",
    errno.ETIMEDOUT: "silent",
    **dict.fromkeys(_NO_ROUTE, "no route"),
}


class _Attempt:
    """One probe on its way."""

    def __init__(self, probe: Probe, begun: float, timeout: float) -> None:
        self.probe = probe
        self.begun = begun
        self.deadline = begun + min(timeout, probe.patience or timeout)
        self.socket: socket.socket | None = None
        self.echo: Echo | None = None
        self.again = [begun + one for one in _AGAIN_AFTER] if probe.kind in ("udp", "ping") else []
        self.own_rules_at = 0.0
        self.connected = False
        self.line = b""
        self.result: Probed | None = None

    @property
    def due(self) -> float:
        """When it has to be looked at, if nothing happens."""
        return min(self.deadline, self.own_rules_at or self.deadline, *self.again[:1])

    def open(self) -> None:
        """Makes the socket and sends the first packet. Raises OSError."""
        probe = self.probe
        family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
        socket.inet_pton(family, probe.address)  # a name would be looked up, and nobody waits for that here
        if probe.kind == "ping":
            try:
                self.echo = Echo(family, probe.size)
            except PermissionError:
                self.end("not allowed")
                return
            self.socket = self.echo.socket
        else:
            kind = socket.SOCK_DGRAM if probe.kind == "udp" else socket.SOCK_STREAM
            self.socket = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        icmp_errors.listen(self.socket)
        if probe.size:
            icmp_errors.keep_whole(self.socket)
        try:
            self.socket.connect((probe.address, probe.port))
        except BlockingIOError:
            self.own_rules_at = self.begun + _OWN_RULES_AFTER
        if probe.kind in ("udp", "ping"):
            self.send()

    def send(self) -> None:
        """Sends the packet, once more. Raises OSError."""
        if self.socket is not None:
            self.socket.send(self.echo.packet() if self.echo else bytes.fromhex(self.probe.payload))

    def on_event(self) -> None:
        """Something came, or can be read of. Raises OSError."""
        if self.socket is None:
            return
        if self.probe.kind in ("udp", "ping"):
            data = self.socket.recv(65535)
            if self.echo is None or self.echo.is_reply(data):
                self.end("open")
        elif not self.connected:
            number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            self.connected = True
            self.own_rules_at = 0.0
            if self.probe.kind == "tcp":
                self.end("open")
        else:
            self._take(self.socket.recv(_LONGEST_LINE))

    def _take(self, part: bytes) -> None:
        self.line += part
        if b"\n" in self.line or len(self.line) >= _LONGEST_LINE or (not part and self.line):
            self.end("open")
        elif not part:
            self.end("reset", text="closed without a word")

    def on_time(self, now: float) -> None:
        """The moment that was due has come. Raises OSError."""
        if now >= self.deadline:
            self.end("open" if self.connected else "silent")
        elif self.own_rules_at and now >= self.own_rules_at:
            self.own_rules_at = 0.0
            if not self._leaves():
                self.end("blocked")
        elif self.again and now >= self.again[0]:
            self.again.pop(0)
            self.send()

    def _leaves(self) -> bool:
        if self.socket is None or self.probe.kind not in ("tcp", "greeting"):
            return True
        return leaves(self._own(), self.probe.address, self.probe.port)

    def _own(self) -> str:
        try:
            return str(self.socket.getsockname()[0]) if self.socket else ""
        except OSError:
            return ""

    def on_error(self, error: OSError) -> None:
        """The kernel said why it cannot be; perhaps it also keeps who told it so."""
        if isinstance(error, BlockingIOError):
            return
        report, others = self._report()
        if report is None and others:
            return
        number = (report.number if report else 0) or error.errno or 0
        outcome = _OUTCOMES.get(number, "failed")
        by = report.by if report else ""
        own = bool(by) and by == self._own() and by != self.probe.address
        ruled = report is not None and report.by_rule
        if own:
            held_back = ruled or outcome == "refused"
        else:
            held_back = outcome == "refused" and not by and not self._leaves()
        if held_back:
            outcome = "blocked"
        elif ruled:
            outcome = "refused"
        mtu = report.mtu if report else 0
        if outcome == "too large" and self.socket:
            mtu = mtu or icmp_errors.known_mtu(self.socket)
        if outcome == "reset" and self.line:
            outcome = "open"
        self.end(outcome, by if not own else "", mtu, os.strerror(number).lower() if number else "")

    def _report(self) -> tuple[icmp_errors.Report | None, bool]:
        """What somebody told of a packet of ours, and whether there was something about others' packets."""
        others = False
        while self.socket is not None:
            report = icmp_errors.report(self.socket)
            if report is None or self.echo is None or not report.by or self.echo.is_own(report.about):
                return report, others
            others = True
        return None, others

    def end(self, outcome: str, told_by: str = "", mtu: int = 0, text: str = "") -> None:
        """Keeps the result and lets the socket go."""
        line = self.line.split(b"\n")[0].strip().decode("utf-8", "replace")
        took = time.monotonic() - self.begun
        self.result = Probed(outcome, took, line, told_by, mtu, text)

    def close(self) -> None:
        """Takes leave where a mail server listens, and closes."""
        if self.socket is None:
            return
        if self.line:
            with contextlib.suppress(OSError):
                self.socket.send(b"QUIT\r\n")
        self.socket.close()
        self.socket = None


class Round:
    """Tries all; one result each, in their order, after `timeout` seconds at the latest."""

    def __init__(self, probes: tuple[Probe, ...], timeout: float) -> None:
        begun = time.monotonic()
        self._attempts = tuple(_Attempt(one, begun, timeout) for one in probes)
        self._open: set[_Attempt] = set()

    def results(self) -> tuple[Probed, ...]:
        """Sends, waits, and gives the results."""
        with selectors.DefaultSelector() as selector:
            try:
                for one in self._attempts:
                    self._begin(one, selector)
                while self._open:
                    self._wait(selector)
            finally:
                for one in self._attempts:
                    one.close()
        return tuple(one.result or Probed("failed", 0.0) for one in self._attempts)

    def _begin(self, one: _Attempt, selector: selectors.BaseSelector) -> None:
        try:
            one.open()
        except (OSError, OverflowError, ValueError) as error:
            known = isinstance(error, OSError) and error.errno
            one.on_error(error if known else OSError(errno.EDESTADDRREQ, ""))  # type: ignore[arg-type]
        if one.result is None and one.socket is not None:
            events = selectors.EVENT_READ if one.probe.kind in ("udp", "ping") else selectors.EVENT_WRITE
            selector.register(one.socket, events, one)
            self._open.add(one)
        else:
            one.close()

    def _wait(self, selector: selectors.BaseSelector) -> None:
        until = min(one.due for one in self._open)
        for key, _ in selector.select(max(0.0, until - time.monotonic())):
            one: _Attempt = key.data
            try:
                one.on_event()
                if one.connected and one.result is None:
                    selector.modify(key.fileobj, selectors.EVENT_READ, one)
            except OSError as error:
                one.on_error(error)
            self._finish(one, selector)
        now = time.monotonic()
        for one in [late for late in self._open if late.due <= now]:
            try:
                one.on_time(now)
            except OSError as error:
                one.on_error(error)
            self._finish(one, selector)

    def _finish(self, one: _Attempt, selector: selectors.BaseSelector) -> None:
        if one.result is not None and one.socket is not None:
            selector.unregister(one.socket)
            self._open.discard(one)
            one.close()
