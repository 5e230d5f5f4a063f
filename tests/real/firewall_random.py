"""Rule sets at random, about what this machine and its containers send and the answers to it."""

import random

from tests.real.firewall_rules import RuleSet, nft

_BOX4, _BOX6 = "172.22.1.0/24", "fd4d:6169:6c63:6f77::/64"
_OUTSIDE4, _OUTSIDE6 = ("192.88.99.1", "5.6.7.8"), ("2d00:113::1", "2a02:5::8")
_CARDS = ("eth0", '"br-*"', "lo")
PROGRAMS = ("nft", "iptables-nft", "iptables-legacy")


def rules(seed: int) -> RuleSet:
    """One of one program, or of two."""
    chance = random.Random(seed)
    program = PROGRAMS[seed % 3]
    made = list(_of(program, chance))
    if chance.random() < 0.25:
        made += _of(chance.choice(PROGRAMS), chance, "more")
    return tuple(made)


def _of(program: str, chance: random.Random, name: str = "own") -> RuleSet:
    return _nft(chance, name) if program == "nft" else _iptables(program, chance, name)


def _span(chance: random.Random) -> tuple[int, int]:
    first = chance.choice((chance.randint(1, 600), chance.randint(1, 20_000)))
    return first, first + chance.choice((1, 30, 300, 5000))


# --- nft --------------------------------------------------------------------------------------------------


def _nft(chance: random.Random, name: str) -> RuleSet:
    parts = []
    for number in range(chance.randint(1, 3)):
        hook = chance.choice(("output", "output", "forward", "forward", "input", "postrouting", "prerouting"))
        priority = chance.choice((-300, -150, 0, 0, 0, 10))
        policy = "drop" if chance.random() < 0.3 else "accept"
        body = [_nft_rule(chance, hook) for _ in range(chance.randint(2, 7))]
        if policy == "drop" and chance.random() < 0.7:
            body.append("ct state established,related accept")
        parts.append(
            f"chain c{number} {{ type filter hook {hook} priority {priority}; policy {policy};\n"
            + "\n".join(body)
            + "\n}"
        )
    side = f"chain side {{ {_nft_test(chance, '')} return\n{_nft_test(chance, '')} drop\n}}"
    sets = "set ports { type inet_service; flags interval; elements = { 25, 80-90, 400-600, 5000-9000 } }"
    text = f"table inet {name} {{ {sets}\n{side}\n" + "\n".join(parts) + "\n}\n"
    if chance.random() < 0.4:
        text += (
            f"table ip {name}nat {{ chain post {{ type nat hook postrouting priority srcnat;\n"
            f"ip saddr {_BOX4} oifname != br-mailcow masquerade\n}}\n}}\n"
        )
    return nft(text)


def _nft_rule(chance: random.Random, hook: str) -> str:
    # nft refuses tests of two protocols in a rule: one of them is about something else.
    tests = _nft_test(chance, hook)
    if chance.random() < 0.5:
        tests += " " + chance.choice(("ct state new", "ct direction reply", *_nft_cards(chance)))
    verdict = chance.choice(
        ("accept", "accept", "drop", "drop", "jump side", "goto side", "counter", "reject")
    )
    if verdict == "reject" and hook in ("prerouting", "postrouting"):
        verdict = "drop"
    if chance.random() < 0.08 and hook in ("output", "prerouting"):
        verdict = "notrack"
    return f"{tests} {verdict}"


def _nft_test(chance: random.Random, hook: str) -> str:
    first, last = _span(chance)
    kinds = [
        f"tcp dport {first}-{last}",
        f"tcp dport {{ {first}, 25, {last}-{last + 9} }}",
        f"udp dport {first}-{last}",
        f"th dport {first}-{last}",
        f"tcp sport {first}-{last}",
        f"udp sport != {first}-{last}",
        "tcp dport @ports",
        f"meta l4proto {chance.choice(('tcp', 'udp', 'icmp', '{ icmp, ipv6-icmp }'))}",
        f"ip daddr {chance.choice((*_OUTSIDE4, _BOX4))}",
        f"ip saddr != {chance.choice((*_OUTSIDE4, _BOX4))}",
        f"ip6 daddr {chance.choice((*_OUTSIDE6, _BOX6))}",
        f"ct state {chance.choice(('new', 'established', 'invalid', '{ new, untracked }'))}",
        f"ct direction {chance.choice(('original', 'reply'))}",
        f"icmp type {chance.choice(('echo-request', 'echo-reply'))}",
        f"icmpv6 type {chance.choice(('echo-request', '{ echo-reply, nd-router-advert }'))}",
        "tcp flags & (syn|ack) == syn",
        "tcp flags ack",
        f"meta nfproto {chance.choice(('ipv4', 'ipv6'))}",
        *_nft_cards(chance),
    ]
    if hook == "output":
        kinds += [f"meta skuid {chance.choice(('0', '65534', '!= 0', '1000-70000'))}"] * 3
    return chance.choice(kinds)


def _nft_cards(chance: random.Random) -> list[str]:
    ways = chance.choice(("", "!= "))
    return [f"{one} {ways}{chance.choice(_CARDS)}" for one in ("iifname", "oifname")]


# --- iptables ---------------------------------------------------------------------------------------------


def _iptables(program: str, chance: random.Random, name: str) -> RuleSet:
    made: list[tuple[str, str]] = []
    for family in (4, 6):
        command = program if family == 4 else program.replace("ip", "ip6", 1)
        made.append((command, f"-N {name}"))
        for _ in range(2):
            verdict = chance.choice(("RETURN", "DROP", "ACCEPT"))
            made.append((command, f"-A {name} {_ip_tests(chance, family, '')} -j {verdict}"))
        for _ in range(chance.randint(3, 9)):
            made.append((command, _ip_rule(chance, family, name)))
        for chain in ("OUTPUT", "FORWARD"):
            if chance.random() < 0.2:
                if chance.random() < 0.7:
                    made.append((command, f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"))
                made.append((command, f"-P {chain} DROP"))
        if chance.random() < 0.4:
            source = _BOX4 if family == 4 else _BOX6
            made.append(
                (command, f"-t nat -A POSTROUTING -s {source} ! -o br-mailcow -j MASQUERADE"),
            )
    return tuple(made)


def _ip_rule(chance: random.Random, family: int, name: str) -> str:
    table, chain = chance.choice(
        (
            *(("filter", "OUTPUT"),) * 3,
            *(("filter", "FORWARD"),) * 3,
            ("filter", "INPUT"),
            ("mangle", "POSTROUTING"),
            ("mangle", "PREROUTING"),
            ("raw", "OUTPUT"),
            ("mangle", "FORWARD"),
        )
    )
    verdicts = ["ACCEPT", "DROP", "DROP"]
    if table == "filter":
        verdicts += [name, "REJECT"]
    if table == "raw":
        verdicts += ["CT --notrack"]
    tests = _ip_tests(chance, family, chain)
    mark = "-m mark --mark 0x4/0x4 "
    if table == "mangle" and chance.random() < 0.3:
        return f"-t mangle -A {chain} {tests} -j MARK --or-mark 0x4"
    if table == "filter" and chance.random() < 0.1:
        tests = mark + tests
    return f"-t {table} -A {chain} {tests} -j {chance.choice(verdicts)}"


def _ip_tests(chance: random.Random, family: int, chain: str) -> str:
    first, last = _span(chance)
    outside = _OUTSIDE4 if family == 4 else _OUTSIDE6
    box = _BOX4 if family == 4 else _BOX6
    turned = chance.choice(("", "", "! "))
    icmp = "-p icmp -m icmp --icmp-type" if family == 4 else "-p ipv6-icmp -m icmp6 --icmpv6-type"
    kinds = [
        f"-p tcp {turned}--dport {first}:{last}",
        f"-p udp -m udp {turned}--dport {first}:{last}",
        f"-p tcp -m multiport {turned}--dports 25,{first}:{last},443",
        f"-p udp -m multiport --sports {first}:{last}",
        f"-p tcp --sport {first}:{last}",
        f"-p {chance.choice(('tcp', 'udp', 'icmp' if family == 4 else 'ipv6-icmp'))}",
        f"{turned}-d {chance.choice((*outside, box))}",
        f"{turned}-s {chance.choice((*outside, box))}",
        f"{icmp} {chance.choice(('echo-request', 'echo-reply'))}",
        "-p tcp --tcp-flags SYN,ACK SYN",
        "-p tcp --syn",
        f"-m conntrack --ctstate {chance.choice(('NEW', 'ESTABLISHED', 'INVALID', 'NEW,UNTRACKED'))}",
        f"-m conntrack --ctdir {chance.choice(('ORIGINAL', 'REPLY'))} -p tcp",
        f"-m addrtype --src-type {chance.choice(('LOCAL', 'UNICAST'))}",
    ]
    if chain in ("OUTPUT", "POSTROUTING", "FORWARD"):
        kinds += [f"{turned}-o {chance.choice(('eth0', 'br-+', 'eth+'))}"] * 2
    if chain in ("INPUT", "FORWARD", "PREROUTING"):
        kinds += [f"{turned}-i {chance.choice(('eth0', 'br-+', 'lo'))}"] * 2
    if chain == "OUTPUT":
        kinds += [f"-m owner {turned}--uid-owner {chance.choice(('0', '65534', '1000-70000'))}"] * 3
    return chance.choice(kinds)
