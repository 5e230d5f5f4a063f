"""Rule sets that real packets are sent through: how people set up their firewalls, and odd corners."""

from collections.abc import Sequence

RuleSet = Sequence[tuple[str, str]]
"""Commands in turn: the program, and what goes to its standard input or its words."""

_HEAD = "table inet filter {\n"


def nft(text: str) -> RuleSet:
    """A file of nft."""
    return (("nft", text),)


def _input(policy: str, *rules: str, more: str = "") -> RuleSet:
    body = "\n".join(rules)
    head = f"{_HEAD}{more}\nchain input {{\ntype filter hook input priority 0; policy {policy};\n"
    return nft(f"{head}{body}\n}}\n}}\n")


def tables(program: str, *lines: str) -> RuleSet:
    """Commands of iptables, IPv4 and IPv6."""
    return tuple(
        (program.replace("ip", "ip6", 1) if family else program, one) for family in (0, 1) for one in lines
    )


NFT: dict[str, RuleSet] = {
    "nothing": (),
    "allow list": _input(
        "drop",
        "ct state vmap { established : accept, related : accept, invalid : drop }",
        "iif lo accept",
        "meta l4proto { icmp, ipv6-icmp } accept",
        "tcp dport { 22, 25, 80, 443, 587, 900-1100 } accept",
        "reject with icmpx type port-unreachable",
    ),
    "deny list": _input(
        "accept", "tcp dport { 25, 110, 1-20, 3000-9999 } drop", "tcp dport 993 reject with tcp reset"
    ),
    # As banned addresses one by one make them: more than 1 MiB as nft lists them.
    "thousands of rules": _input(
        "accept",
        *(f"ip saddr 198.51.{n // 250}.{n % 250} tcp dport {1024 + n} drop" for n in range(3_600)),
        "tcp dport { 25, 2000-4000 } drop",
    ),
    "by source": _input(
        "drop",
        "ip saddr 5.0.0.0/8 tcp dport 1-30000 accept",
        "ip6 saddr 2a02:5::/32 tcp dport > 500 accept",
        "ip saddr != { 5.0.0.0/8, 203.0.114.0-203.0.114.255 } tcp dport { 143, 993 } accept",
    ),
    "sets and maps": _input(
        "drop",
        "ip saddr @bad drop",
        "tcp dport vmap @ways",
        "ip saddr . tcp dport @pairs accept",
        "iifname . tcp dport vmap { eth0 . 465 : accept, eth1 . 587 : accept }",
        "tcp dport vmap { 2000-4000 : goto web, 4001-5000 : jump web, * : continue }",
        "tcp dport 4500-5500 accept",
        more="""
        set bad { type ipv4_addr; flags interval; elements = { 203.0.114.0/24 } }
        set pairs { type ipv4_addr . inet_service; elements = { 5.6.7.8 . 995, 192.88.99.1 . 110 } }
        map ways { type inet_service : verdict; elements = { 80 : accept, 443 : jump web, 25 : drop } }
        chain web { tcp dport 2500-3000 return
          tcp dport { 443, 2000-4000 } accept
        }
        """,
    ),
    "jumps": _input(
        "accept",
        "tcp dport < 1024 jump low",
        "tcp dport 1000-2000 drop",
        more="""
        chain lower { tcp dport < 100 accept
          tcp dport < 200 drop
        }
        chain low { tcp dport 443 return
          goto lower
        }
        """,
    ),
    "marks": _input(
        "drop",
        "tcp dport < 600 meta mark set 0x10",
        "tcp dport < 300 meta mark set meta mark or 0x1",
        "meta mark & 0xf == 0x1 tcp dport != 143 accept",
        "meta mark 0x10 accept",
    ),
    "two chains": nft(
        """
        table inet a { chain c { type filter hook input priority 10; tcp dport 1-500 drop; }; }
        table ip b { chain c { type filter hook input priority -10; tcp dport 400-5000 drop; }; }
        table inet d { chain c { type filter hook prerouting priority -300; tcp dport 9000-60000 drop; }; }
        """
    ),
    "early": nft(
        """table netdev n { chain c { type filter hook ingress device eth0 priority 0; policy accept;
        ip daddr 192.88.99.10 tcp dport 100-900 drop; }; }
        table inet raw { chain pre { type filter hook prerouting priority raw; tcp dport 5000-6000 notrack; }
        chain in { type filter hook input priority 0; policy drop; ct state new tcp dport != 80 accept
        ct state untracked tcp dport 5500-7000 accept; }; }
        """
    ),
    "flags": _input(
        "drop",
        "tcp flags & (fin|syn|rst|ack) == syn tcp dport 1-200 accept",
        "tcp flags syn tcp dport 201-300 accept",
        "tcp flags != syn tcp dport 301-400 accept",
        "tcp flags & (syn|ack) == ack tcp dport 401-500 accept",
        "meta nfproto ipv4 th dport 501-1000 accept",
        "ip protocol tcp tcp dport 1001-1100 accept",
        "ip6 nexthdr tcp tcp dport 1101-9999 accept",
        "meta l4proto 6 tcp dport 10000-20000 accept",
        "udp dport 1-65535 accept",
    ),
    "limits": _input(
        "drop",
        "tcp dport 1-800 limit rate 4000/second burst 4000 packets accept",
        "tcp dport 801-1100 limit rate over 4000/second burst 4000 packets accept",
        "tcp dport 1101-9000 add @seen { ip saddr limit rate over 4000/second burst 4000 packets } drop",
        "tcp dport 1101-7000 ct count over 4000 drop",
        "tcp dport 1101-65535 counter accept",
        more="set seen { type ipv4_addr; flags dynamic; size 65535; }",
    ),
    "lists that rules fill": _input(
        "accept",
        "tcp dport 1-300 add @seen { ip saddr } ct count over 0 counter",
        "ip saddr @seen tcp dport 200-300 drop",
        "tcp dport 600-900 update @pairs { ip6 saddr . tcp dport timeout 1m }",
        "ip6 saddr . tcp dport @pairs tcp dport != 700-800 reject",
        "ip daddr @seen drop",
        "tcp dport 1000-2000 ct count over 0 drop",
        "tcp dport 2000-3000 ct count 0 drop",
        more="set seen { type ipv4_addr; flags dynamic; size 65535; }\n"
        "set pairs { type ipv6_addr . inet_service; flags dynamic,timeout; size 65535; }",
    ),
    "routes": _input(
        "drop",
        "fib saddr . iif oif missing drop",
        "fib daddr type != local drop",
        "fib daddr . iif type local tcp dport 1-500 accept",
        "ct direction original meta l4proto tcp ct original proto-dst 501-5000 accept",
        "ct status dnat accept",
        "pkttype broadcast accept",
        "exthdr frag exists accept",
        "ip frag-off & 0x1fff != 0 accept",
    ),
    "forwarded": nft(
        """table ip nat { chain pre { type nat hook prerouting priority dstnat;
          tcp dport { 25, 465, 587, 143 } dnat to 172.22.1.253
          tcp dport 80-90 dnat to 172.22.1.253:443
          tcp dport 2000-3000 redirect to :993 ; }; }
        table ip6 nat { chain pre { type nat hook prerouting priority dstnat;
          tcp dport { 25, 465 } dnat to fd4d:6169:6c63:6f77::fd ; }; }
        table inet f { chain forward { type filter hook forward priority 0; policy drop;
          ct state established,related accept
          iifname "br-mailcow" accept
          oifname "br-*" tcp dport { 25, 443 } ct status dnat accept
          oifname "br-mailcow" tcp dport 143 reject
          meta l4proto tcp ct original proto-dst 465 ip daddr 172.22.1.0/24 accept ; }
        chain input { type filter hook input priority 0; policy drop;
          ct state established,related accept
          meta l4proto ipv6-icmp accept
          tcp dport 993 ct status dnat accept; tcp dport { 443, 25 } accept ; }; }
        """
    ),
    # What translates is asked of tracked packets only, and something has to track them.
    "translating chains that drop": nft(
        """
        table inet a { chain pre { type nat hook prerouting priority dstnat; policy drop;
          tcp dport { 25, 1000-9000 } accept
          tcp dport 80-500 redirect to :993; tcp dport 501-600 redirect to :22
          ip daddr 192.88.99.10 tcp dport 600-700 dnat ip to 172.22.1.253 ; }; }
        table inet b { chain in { type nat hook input priority 110; policy drop; tcp dport 25-8000 accept; };
        chain out { type nat hook output priority -100; policy drop; };
        chain post { type nat hook postrouting priority srcnat; policy drop; tcp dport 600-650 accept; }; }
        """
    ),
    "translated at one time, whatever the priorities": nft(
        """
        table inet a { chain pre { type nat hook prerouting priority -199;
          tcp dport 1000-4000 redirect to :993
          tcp dport 9001-9999 dnat ip to 172.22.1.253 ; }
        chain late { type nat hook prerouting priority 50; tcp dport 3500-9000 redirect to :995
          tcp dport 100-200 drop ; }; }
        table inet b { chain pre { type filter hook prerouting priority -150; tcp dport 3000-3700 drop ; }
        chain same { type filter hook prerouting priority -100; tcp dport 5000-6000 drop ; }
        chain after { type filter hook prerouting priority 10; tcp dport { 25, 7000-9000 } drop ; }
        chain in { type filter hook input priority 0; tcp dport 9001-9500 drop ; }; }
        """
    ),
    "as Docker's nftables backend does": nft(
        """
        table ip docker-bridges {
          map in-jumps { type ifname : verdict; elements = { "br-mailcow" : jump in__br-mailcow }; }
          map out-jumps { type ifname : verdict; elements = { "br-mailcow" : jump out__br-mailcow }; }
          chain in__br-mailcow { ct state established,related accept
            iifname "br-mailcow" drop
            ip daddr 172.22.1.253 tcp dport { 25, 443 } accept
            counter drop comment "UNPUBLISHED PORT DROP"
          }
          chain out__br-mailcow { counter accept ; }
          chain both { iifname != "br-mailcow" tcp dport { 25, 587 } counter dnat to 172.22.1.253
            iifname != "br-mailcow" tcp dport 1000-3000 counter dnat to 172.22.1.253:443 comment "DNAT"
          }
          chain filter-FORWARD { type filter hook forward priority filter; policy accept;
            oifname vmap @in-jumps; iifname vmap @out-jumps; }
          chain nat-PREROUTING { type nat hook prerouting priority dstnat; policy accept;
            fib daddr type local counter jump both; }
          chain raw-PREROUTING { type filter hook prerouting priority raw; policy accept;
            ip daddr 172.22.1.253 iifname != "br-mailcow" counter drop; }
        }
        table inet f { chain c { type filter hook input priority filter; tcp dport 1-100 drop; }; }
        """
    ),
    "of one priority the last one first": nft(
        """
        table inet a { chain drops { type filter hook input priority 0; meta mark 1 drop; meta mark 2 drop ; }
        chain marks { type filter hook input priority 0; tcp dport 25-1000 meta mark set 1 ; }; }
        table inet b { chain drops { type filter hook input priority 0; meta mark 2 drop ; }; }
        table inet c { chain marks { type filter hook input priority 10;
          tcp dport 2000-4000 meta mark set 2 ; }
        chain before { type filter hook input priority 0; tcp dport 4000-9000 meta mark set 2 ; }; }
        """
    ),
}


def _both(program: str) -> dict[str, RuleSet]:
    """The same for both kinds of iptables."""
    return {
        f"{program} allow list": tables(
            program,
            "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A INPUT -i lo -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 25 -m comment --comment 'mail; \"in\"' -j ACCEPT",
            "-A INPUT -p tcp -m multiport --dports 80,443,900:1200,587 -j ACCEPT",
            "-A INPUT -p tcp --dport 2000:5000 -m state --state NEW -j ACCEPT",
            "-A INPUT -p udp -j ACCEPT",
            "-P INPUT DROP",
        ),
        f"{program} deny list": tables(
            program,
            "-A INPUT -p tcp --dport 25 -j REJECT",
            "-A INPUT -p tcp ! --dport 20:1000 -i eth+ -j DROP",
            "-A INPUT -p tcp -m multiport ! --dports 80,443,993,100:600 -j DROP",
        ),
        f"{program} chains": tables(
            program,
            "-N low",
            "-N lower",
            "-A low -p tcp --dport 443 -j RETURN",
            "-A low -p tcp -g lower",
            "-A lower -p tcp --dport 200:700 -j DROP",
            "-A lower -p tcp --dport 80 -j ACCEPT",
            "-A INPUT -p tcp --dport :1023 -j low",
            "-A INPUT -p tcp --dport 1:3000 -j DROP",
            "-t mangle -A PREROUTING -p tcp --dport 4000:9000 -j DROP",
        ),
        f"{program} marks": tables(
            program,
            "-t mangle -A PREROUTING -p tcp --dport :600 -j MARK --set-mark 0x10",
            "-t mangle -A PREROUTING -p tcp --dport :300 -j MARK --or-mark 0x1",
            "-A INPUT -m mark --mark 0x1/0xf -p tcp ! --dport 143 -j ACCEPT",
            "-A INPUT -m mark --mark 0x10 -j ACCEPT",
            "-A INPUT -p tcp -m mark ! --mark 0x0/0xff -j DROP",
            "-A INPUT -p tcp --dport 5000: -j DROP",
        ),
        f"{program} strangers": (
            *tables(
                program,
                "-A INPUT -p tcp --dport 1:100 -m recent --name a --set",
                "-A INPUT -p tcp --dport 101:1000 -m recent --name b --update --seconds 60 --hitcount 4 "
                "-j DROP",
                "-A INPUT -p tcp --dport 1001:2000 -m recent --name c --rcheck -j ACCEPT",
                "-A INPUT -p tcp --dport 1:400 -m limit --limit 9000/sec --limit-burst 9000 -j ACCEPT",
                "-A INPUT -p tcp --dport 401:2000 -m hashlimit --hashlimit-above 9000/sec "
                "--hashlimit-burst 9000 --hashlimit-mode srcip --hashlimit-name d -j DROP",
                "-A INPUT -p tcp --dport 401:9000 -m connlimit --connlimit-above 9000 -j DROP",
                "-A INPUT -p tcp --dport 401:600 -m addrtype --dst-type LOCAL -j ACCEPT",
                "-A INPUT -p tcp --dport 2001:9000 -m addrtype ! --dst-type LOCAL -j ACCEPT",
                "-A INPUT -p tcp --syn --dport 9001: -j ACCEPT",
                "-A INPUT -p tcp --tcp-flags SYN,ACK ACK -j ACCEPT",
                "-A INPUT -p tcp -j LOG --log-level debug --log-prefix x",
                "-P INPUT DROP",
            ),
            (program, "-A INPUT -m iprange --src-range 5.6.7.0-5.6.7.100 -j ACCEPT"),
            (program, "-A INPUT -s 203.0.114.0/24 -p tcp --dport 700:3000 -j ACCEPT"),
        ),
        f"{program} odd": tables(
            program,
            "-A INPUT -p tcp -m multiport --dports 100:300,25 -m comment --comment 'ct state new' -j DROP",
            "-A INPUT -p tcp --dport 300:400 -m length --length 0:39 -j DROP",
            "-A INPUT -p tcp --dport 400:500 -m length --length 20:1500 -j DROP",
            "-A INPUT -p tcp --dport 500:600 -m length ! --length 0:65535 -j DROP",
            "-A OUTPUT -p tcp --sport 1000:2000 -m owner --gid-owner 0 -j DROP",
            "-A OUTPUT -p tcp --sport 3000:4000 -m owner ! --gid-owner 0-65534 -j DROP",
            "-A INPUT -p tcp --dport 4000:5000 -m conntrack ! --ctstate INVALID,RELATED -j DROP",
            "-A INPUT -p tcp --dport 5000:6000 -m conntrack --ctstate NEW --ctorigdstport 5500:6000 -j DROP",
            "-A INPUT -p tcp --dport 6000:7000 -m addrtype --dst-type LOCAL -j DROP",
            "-A INPUT -p tcp --dport 7000:8000 -m addrtype ! --src-type LOCAL -j REJECT",
            "-A INPUT -p tcp --dport 8000:9000 -m pkttype --pkt-type broadcast -j DROP",
        ),
        f"{program} lists and contents": tables(
            program,
            "-A INPUT -p tcp --dport 700:800 -m addrtype --dst-type LOCAL,MULTICAST -j DROP",
            "-A INPUT -p tcp --dport 800:1000 -m addrtype ! --dst-type LOCAL,UNICAST -j DROP",
            "-A INPUT -p tcp --dport 1:200 -m recent --name one --set",
            "-A INPUT -p tcp --dport 1:100 -m recent --name one --rcheck --seconds 60 -j DROP",
            "-A INPUT -p tcp --dport 300:500 -m recent --name two --update -j DROP",
            "-A INPUT -p tcp --dport 300:400 -m recent ! --rcheck --name two -j DROP",
            "-A INPUT -p tcp -m multiport --ports 20000:30000,25 -j DROP",
            "-A INPUT -p tcp -m multiport ! --ports 1:65535 -j DROP",
            "-A INPUT -p tcp --dport 500:600 -m string --string wordpress --algo bm -j DROP",
            "-A INPUT -p tcp --dport 600:700 -m string ! --string wordpress --algo bm -j DROP",
            "-A INPUT -p tcp --dport 1000:2000 -m policy --dir in --pol ipsec -j DROP",
            "-A INPUT -p tcp --dport 2000:3000 -m policy --dir in --pol none -j DROP",
            "-A INPUT -p tcp --dport 3000:9000 -m conntrack --ctorigsrcport 1:1000 -j DROP",
        ),
        f"{program} as Docker does": (
            (program, "-t nat -N DOCKER"),
            (program, "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"),
            (program, "-t nat -A DOCKER -i br-mailcow -j RETURN"),
            *(
                (
                    program,
                    f"-t nat -A DOCKER -p tcp ! -i br-mailcow --dport {n} "
                    f"-j DNAT --to-destination 172.22.1.253:{n}",
                )
                for n in (25, 465, 587, 80)
            ),
            (program, "-t raw -A PREROUTING -d 172.22.1.253 ! -i br-mailcow -j DROP"),
            (program, "-N DOCKER-USER"),
            (program, "-N DOCKER"),
            (program, "-P FORWARD DROP"),
            (program, "-A FORWARD -j DOCKER-USER"),
            (program, "-A FORWARD -o br-mailcow -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            (program, "-A FORWARD -o br-mailcow -j DOCKER"),
            (program, "-A FORWARD -i br-mailcow ! -o br-mailcow -j ACCEPT"),
            *(
                (
                    program,
                    f"-A DOCKER -d 172.22.1.253 ! -i br-mailcow -o br-mailcow -p tcp --dport {n} -j ACCEPT",
                )
                for n in (25, 465, 587, 80)
            ),
            (program, "-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 465 -j DROP"),
            (
                program,
                "-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctdir ORIGINAL --ctorigdst 192.88.99.10 "
                "--ctorigdstport 80 -j REJECT",
            ),
            (program, "-A INPUT -p tcp --dport 500: -j DROP"),
        ),
    }


IPTABLES: dict[str, RuleSet] = {**_both("iptables-nft"), **_both("iptables-legacy")}
MIXED: dict[str, RuleSet] = {
    "legacy and nft": (
        *tables("iptables-legacy", "-A INPUT -p tcp --dport 1:500 -j DROP"),
        *tables("iptables-nft", "-A INPUT -p tcp --dport 400:3000 -j DROP"),
        *nft(
            "table inet x { chain c { type filter hook input priority 5; policy drop; "
            "tcp dport != 995 accept; }; }"
        ),
    ),
    "nft's rules in iptables' tables": (
        ("iptables-nft", "-N low"),
        ("iptables-nft", "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"),
        ("iptables-nft", "-A INPUT -p tcp -m multiport --dports 500:700,993 -j low"),
        ("iptables-nft", "-A low -p tcp --dport 600:700 -j ACCEPT"),
        ("iptables-nft", "-P INPUT DROP"),
        ("nft", "add rule ip filter INPUT tcp dport { 22, 25, 80, 2000-4000 } accept"),
        ("nft", "insert rule ip filter low iifname . tcp dport { eth0 . 587, eth1 . 993 } accept"),
        ("nft", "add rule ip filter INPUT tcp dport vmap { 443 : accept, 465 : drop }"),
        ("nft", "insert rule ip filter INPUT ip saddr { 5.0.0.0/8, 10.0.0.0/8 } tcp dport 2500-3000 drop"),
    ),
    "iptables and nft translate, the last one first": (
        ("iptables-nft", "-t nat -A PREROUTING -p tcp --dport 100:600 -j REDIRECT --to-ports 993"),
        *nft(
            "table inet n { chain c { type nat hook prerouting priority -100; tcp dport 300-60000 drop; }; }"
        ),
        ("ip6tables-nft", "-t nat -A PREROUTING -p tcp --dport 100:600 -j REDIRECT --to-ports 993"),
    ),
    "redirected twice": (
        (
            "iptables-legacy",
            "-t nat -A PREROUTING -p tcp --dport 100:600 -j DNAT --to-destination 172.22.1.253",
        ),
        ("iptables-nft", "-t nat -A PREROUTING -p tcp --dport 500:900 -j REDIRECT --to-ports 993"),
        ("iptables-nft", "-A FORWARD -o br-mailcow -p tcp --dport 400:465 -j DROP"),
        ("iptables-legacy", "-A INPUT -p tcp -m conntrack --ctstate DNAT --ctorigdstport 700:900 -j DROP"),
    ),
}
