"""What the stand-in's unbound is where names are looked up for real: unbound, validating with the lab's own
key of the root, and a test of its health such as mailcow's: pings and look-ups in a loop, whose last result
alone is what Docker asks for. Its programs come in by mounts of a /usr that the machine was lent.
"""

from pathlib import Path

from mailcow_wizard import requirements_network as need
from mailcow_wizard.requirements_dns import ROOT_SERVERS_V4

PROGRAMS = "/opt/programs"
"""Where the machine keeps the /usr that containers are lent."""
_PLACE = "data/resolver"
_STATUS = "/run/status"
# As mailcow's: one ping and one name may fail, each is tried again; only sooner.
_LOOP = """#!/usr/bin/bash
say() {{ echo "$(date +"%Y-%m-%d %H:%M:%S"): Healthcheck: $1"; }}
try() {{
  for number in 1 2 3; do "$@" && return 0; done
  return 1
}}
pings() {{ ping -q -c 1 -w 1 "$1" > /dev/null; }}
finds() {{ found=$(dig +short +timeout=2 +tries=1 "$1" @127.0.0.1 2> /dev/null) && [ -n "$found" ]; }}
while :; do
  silent=0 lost=0
  for one in {pings}; do
    try pings "$one" || {{ say "Couldn't ping $one after 3 attempts."; ((silent++)); }}
  done
  for one in {names}; do
    try finds "$one" || {{ say "DNS Resolution not possible after 3 attempts for $one"; ((lost++)); }}
  done
  if [ $silent -gt 1 ] || [ $lost -gt 1 ]; then echo 1 > {status}; else echo 0 > {status}; fi
  sleep 1
done
"""
_CONF = """server:
  do-daemonize: no
  use-syslog: no
  verbosity: 1
  val-log-level: 2
  interface: 127.0.0.1
  do-ip6: no
  chroot: ""
  username: ""
  directory: "/run"
  pidfile: ""
  root-hints: /resolver/root.hints
  trust-anchor-file: /resolver/root.ds
  val-bogus-ttl: 5
remote-control:
  control-enable: no
"""


def service(lent: str = PROGRAMS) -> dict[str, object]:
    """What its service has besides its image."""
    programs = [f"{lent}:/usr:ro", *(f"{lent}/{one}:/{one}:ro" for one in ("bin", "sbin", "lib", "lib64"))]
    test = ["CMD", "/usr/bin/sh", "-c", f'[ "$(cat {_STATUS} 2> /dev/null)" = 0 ]']
    return {
        "command": ["/usr/bin/bash", "-c", "/resolver/loop & exec unbound -d -c /resolver/unbound.conf"],
        "environment": {"PATH": "/usr/sbin:/usr/bin"},
        "volumes": [*programs, f"./{_PLACE}:/resolver:ro"],
        "tmpfs": ["/run"],
        "healthcheck": {"test": test, "interval": "2s", "timeout": "2s", "retries": 5, "start_period": "2s"},
    }


def write(repository: Path, anchor: str) -> None:
    """What its programs read; `anchor` is the DS record of the root."""
    place = repository / _PLACE
    place.mkdir(parents=True)
    hints = "".join(
        f". 518400 NS {letter}.root-servers.net.\n{letter}.root-servers.net. 518400 A {v4}\n"
        for letter, v4 in zip("abcdefghijklm", ROOT_SERVERS_V4, strict=True)
    )
    (place / "root.hints").write_text(hints)
    (place / "root.ds").write_text(f". DS {anchor}\n")
    (place / "unbound.conf").write_text(_CONF)
    loop = _LOOP.format(
        pings=" ".join(need.HEALTHCHECK_PINGS), names=" ".join(need.HEALTHCHECK_NAMES), status=_STATUS
    )
    (place / "loop").write_text(loop)
    (place / "loop").chmod(0o755)
