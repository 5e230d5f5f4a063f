"""What of a finding can be typed into a shell: commands, told from sentences about them."""

from mailcow_wizard.language import own_names
from mailcow_wizard.model import Finding
from mailcow_wizard.patterns import pattern

_SPAN = pattern(r"`([^`]+)`")
# What findings and remedies name; a text that begins otherwise is a sentence, or a line of a file.
_COMMAND = pattern(
    r"(?:aa-status|apk|apt|apt-get|btrfs|cat|cd|chmod|chown|chronyc|command|curl|date"
    r"|df|dig|dmesg|dnf|docker|docker-compose|dockerd|du|env|fallocate|file|find|findmnt|firewall-cmd|fsck"
    r"|getconf|getent|git|grep|head|hostname|hostnamectl|hwclock|id|ip|ip6tables|iptables|iptables-legacy"
    r"|iptables-nft|journalctl|ls|lscpu|lsmod|mkdir|mkswap|modprobe|mount|mv|nc|nft|ntpdate|openssl|pacman"
    r"|ping|ps|readlink|rpm|sed|snap|ss|stat|sudo|swapon|sysctl|systemctl|systemd-detect-virt|timedatectl"
    r"|timeout|tune2fs|ufw|ulimit|umount|uname|update-grub|wc|yum|zypper) \S.*"
)


def commands(finding: Finding) -> list[str]:
    """The commands of a finding, each once: what mends it, best first, then how to see it by hand."""
    texts = [part for remedy in finding.remedies for part in _parts(remedy)]
    texts += [one.what for one in finding.evidence]
    return list(dict.fromkeys(one for one in texts if _is_command(one) and ", " not in one))


def _is_command(text: str) -> bool:
    """Whether it is one of ours, by the name that this program has here, or one that others have made."""
    ours = any(text == one or text.startswith(f"{one} ") for one in own_names())
    return ours or bool(_COMMAND.fullmatch(text))


def _parts(remedy: str) -> list[str]:
    """Where a command may be: between backticks, else behind the last colon, else the whole."""
    return _SPAN.findall(remedy) or [remedy.rpartition(": ")[2].removesuffix(".")]
