"""What is set up on a machine with ufw, firewalld, nft and iptables, and what is then asked of it."""

import json
from collections.abc import Sequence
from typing import Any

from lab.gate import MAILCOW, Gate
from lab.machine import Machine

PATIENT_S = 4.0
PACKAGES = ("docker.io", "iptables", "nftables", "ufw", "firewalld")
STATE = "/var/lib/mailcow-wizard"
PATIENT = 'MEND_SETTINGS={"timeout": 90}'
"""For fixes: on a busy machine a check may take longer than it is given."""
NFT_FILE = "/etc/nftables.conf"
UFW = (
    "ufw allow 22",
    "ufw allow 80,2000:5000/tcp",
    "ufw deny 25/tcp",
    "ufw reject 587/tcp",
    "ufw limit 143/tcp",
    "ufw allow proto tcp from 5.6.7.0/24 to any port 995",
    "ufw --force enable",
)
FIREWALLD = (
    "systemctl start firewalld",
    "firewall-cmd --zone=public --add-service=https",
    "firewall-cmd --zone=public --add-port=25/tcp --add-port=2000-5000/tcp",
    'firewall-cmd --zone=public --add-rich-rule=rule\\family="ipv4"\\source\\address="5.6.7.8"\\'
    'port\\port="110"\\protocol="tcp"\\accept',
    'firewall-cmd --zone=public --add-rich-rule=rule\\family="ipv6"\\source\\address="2a02:5::/32"\\reject',
    "firewall-cmd --zone=trusted --add-source=203.0.114.9",
    "firewall-cmd --zone=public --add-forward-port=port=80:proto=tcp:toport=443:toaddr=172.22.1.253",
    "firewall-cmd --direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 3000:4000 -j DROP",
)
NFT_RULES = """#!/usr/sbin/nft -f
flush ruleset

table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif lo accept
		meta l4proto { icmp, ipv6-icmp } accept
		tcp dport { 22, 80 } accept
	}
	chain forward {
		type filter hook forward priority filter;
		policy drop;
	}
}
"""


def silence(debian: Machine) -> None:
    """Ends firewalld and Docker, which the packages have started, and keeps them from starting again."""
    quiet = ("firewalld.service", "docker.service", "docker.socket", "containerd.service")
    debian.run(["systemctl", "disable", "--now", *quiet], check=True)


def does(debian: Machine, lines: Sequence[str]) -> None:
    for line in lines:
        done = debian.run([word.replace("\\", " ") for word in line.split()])
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def look(debian: Machine, name: str = "local") -> dict[str, Any]:
    """One finding, as the wizard tells it."""
    check = ("python3", "-m", "mailcow_wizard", "check", f"firewall.{name}")
    argv = [*check, "--json", "--state-dir", STATE, "--timeout", "90"]
    (found,) = json.loads(debian.run(argv, timeout=120).stdout)["checks"]
    return dict(found)


def reached(world: Gate, wanted: set[int]) -> None:
    """Of mailcow's ports these are reached over both families, no others. Tried again with patience where it
    looks different: on a busy machine an answer may take its time."""
    found = set[int]()
    for seconds in (0.5, PATIENT_S):
        tried = world.tried(seconds)
        found = {port for port in MAILCOW if tried[0][port] == tried[3][port] == "open"}
        if found == wanted:
            return
    assert found == wanted


def forget(world: Gate) -> None:
    """Nobody knows where a neighbour is."""
    for place in (world.outside, world.server):
        place.run(["ip", "-6", "neigh", "flush", "all"], check=False)
