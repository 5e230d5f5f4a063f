"""Rule sets by which connection tracking does not know an answer for what it is."""

from tests.real.firewall_rules import RuleSet, nft


def _by(program: str) -> dict[str, RuleSet]:
    return {
        f"{program} answers that are not tracked": (
            (program, "-t nat -A PREROUTING -p tcp --dport 25:2000 -j DNAT --to-destination 172.22.1.253"),
            (program, "-t raw -A PREROUTING -i br-mailcow -p tcp --sport 25:100 -j CT --notrack"),
            (program, "-t raw -A PREROUTING -p tcp --dport 400:600 -j CT --zone 3"),
            (program, "-t raw -A PREROUTING -p tcp --sport 500:800 -j CT --zone 3"),
            (program, "-t raw -A PREROUTING -p tcp --dport 900:1000 -j CT --zone-orig 3"),
        ),
    }


TRACKING: dict[str, RuleSet] = {
    # What is translated has to be tracked both ways, and as one connection.
    "answers that are not tracked": nft(
        """
        table inet a { chain pre { type nat hook prerouting priority dstnat;
          tcp dport 1000-4000 dnat ip to 172.22.1.253; tcp dport 4001-5000 redirect to :993 ; }
          chain raw { type filter hook prerouting priority raw;
          iifname "br-mailcow" tcp sport 1500-2500 notrack
          iifname "eth0" tcp dport 3000-3200 tcp flags ack notrack ; }
          chain out { type filter hook output priority raw; tcp sport { 993, 443 } notrack ; }; }
        """
    ),
    "zones of connection tracking": nft(
        """
        table inet a { chain pre { type nat hook prerouting priority dstnat;
          tcp dport 1000-9000 dnat ip to 172.22.1.253; tcp dport 9001-9500 redirect to :993 ; }
          chain raw { type filter hook prerouting priority raw;
          tcp dport 1000-2500 ct zone set 7; tcp sport 2000-4000 ct zone set 7
          tcp dport 5000-6000 ct original zone set 9 ; }; }
        """
    ),
    **_by("iptables-nft"),
    **_by("iptables-legacy"),
}
