"""Programs that are more than a listener: ways into the machine, and runners of other people's programs."""

import re

from mailcow_wizard.language import _

# People may reach the machine through these and nothing else: remote shells and desktops, tunnels, VPNs,
# administration by the browser.
_WAYS_IN = (
    r"sshd?|sshd-session|openssh|openssh-server|dropbear|sslh|sslh-(?:ev|fork|select)|telnetd|mosh-server|"
    r"openvpn|openvpn-server|ocserv|vpnserver|softether(?:-vpnserver)?|sstp-server|accel-pppd?|pritunl(?:-web)?|"
    r"tailscaled?|zerotier-one|netbird|nebula|tincd?|headscale|teleport|autossh|stunnel4?|"
    r"frp[cs]|xray|v2ray|x-ui|sing-box|trojan(?:-go)?|shadowsocks(?:-libev|-rust)?|ss-?server|hysteria|cloudflared|"
    r"ngrok|rathole|gost|chisel|wstunnel|bore|"
    r"cockpit|cockpit-(?:tls|ws)|cockpit-wsinstance.*|webmin|usermin|miniserv\.pl|ajenti|shellinaboxd?|ttyd|wetty|"
    r"gotty|code-server|guacd|guacamole|xrdp|x11vnc|vncserver|websockify|novnc|nxserver|rustdesk|hbb[rs]|"
    r"meshcentral|pveproxy|spiceproxy"
)
# Services whose work is other people's programs: stopping them ends those as well.
_JOBS = r"cron|crond|cronie|anacron|fcron|bcron|atd"
_RUNNERS = (
    rf"{_JOBS}|supervisord?|inetd|openbsd-inetd|inetutils-inetd|rlinetd|xinetd|rc-local|rc\.local|"
    r"runsvdir|runsvdir-start|gitlab-runsvdir|runit|svscan|svscanboot|daemontools|s6|s6-svscan|monit|circusd?|"
    r"immortaldir|pm2|forever|screen|tmux|user|init|getty|serial-getty|console-getty|container-getty|"
    r"cloud-final|cloud-init|docker|dockerd|containerd|podman|crio|lxc|lxd|snap\.lxd\.daemon|incusd?|libvirtd|"
    r"systemd-nspawn|machined?|k3s|k3s-agent|rke2-(?:server|agent)|kubelet|nomad|gitlab-runner|actions\.runner\..*"
)
_SUFFIX = r"(?:[@-].*)?\.(?:service|socket|scope)"
_HINTS = (
    (_JOBS, _("its job is in a crontab: crontab -l -u {user}, /etc/crontab, /etc/cron.d")),
    (r"supervisord?", _("supervisorctl status lists its programs, and supervisorctl stop ends one")),
    (
        r"(?:openbsd-|inetutils-|rl)?inetd",
        _("put a # before its line in /etc/inetd.conf and reload inetd"),
    ),
    (r"xinetd", _("its file is in /etc/xinetd.d; set disable = yes there and reload xinetd")),
    (r"rc-local|rc\.local", _("its line is in /etc/rc.local")),
    (r"(?:gitlab-)?runsvdir(?:-start)?|runit", _("sv status lists its services, and sv down ends one")),
    (r"pm2", _("pm2 list shows its programs, and pm2 stop ends one")),
    (r"systemd-nspawn|machined?", _("it runs in a container; machinectl list names it")),
    (r"lxc|lxd|snap\.lxd\.daemon|incusd?", _("it runs in a container; lxc list or incus list names it")),
)


def is_way_in(programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    """Whether people may reach the machine through one of these programs, or through one of these units."""
    return _is(_WAYS_IN, programs, units)


def is_runner(programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    """Whether one of these programs or units runs other people's programs."""
    return _is(_RUNNERS, programs, units)


def where_to_look(name: str, user: str) -> str:
    """Where a runner of this name is told what to run; empty where that is not known."""
    return next((hint.format(user=user) for known, hint in _HINTS if re.fullmatch(known, name)), "")


def _is(pattern: str, programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    if any(re.fullmatch(pattern, one) for one in programs):
        return True
    return any(re.fullmatch(rf"(?:{pattern}){_SUFFIX}", one) for one in units)
