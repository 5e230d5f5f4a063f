"""Programs that are more than a listener: ways into the machine, and runners of other people's programs."""

from mailcow_wizard.language import _

# People may reach the machine through these and nothing else: remote shells and desktops, tunnels, VPNs,
# administration by the browser. A * stands for any end.
_WAYS_IN = (
    *("ssh", "sshd", "sshd-session", "openssh", "openssh-server", "dropbear", "sslh", "sslh-ev"),
    *("sslh-fork", "sslh-select", "telnetd", "mosh-server", "openvpn", "openvpn-server", "ocserv"),
    *("vpnserver", "softether", "softether-vpnserver", "sstp-server", "accel-ppp", "accel-pppd"),
    *("pritunl", "pritunl-web", "tailscale", "tailscaled", "zerotier-one", "netbird", "nebula", "tinc"),
    *("tincd", "headscale", "teleport", "autossh", "stunnel", "stunnel4", "frpc", "frps", "xray"),
    *("v2ray", "x-ui", "sing-box", "trojan", "trojan-go", "shadowsocks", "shadowsocks-libev"),
    *("shadowsocks-rust", "ssserver", "ss-server", "hysteria", "cloudflared", "ngrok", "rathole"),
    *("gost", "chisel", "wstunnel", "bore", "cockpit", "cockpit-tls", "cockpit-ws"),
    *("cockpit-wsinstance*", "webmin", "usermin", "miniserv.pl", "ajenti", "shellinabox"),
    *("shellinaboxd", "ttyd", "wetty", "gotty", "code-server", "guacd", "guacamole", "xrdp", "x11vnc"),
    *("vncserver", "websockify", "novnc", "nxserver", "rustdesk", "hbbr", "hbbs", "meshcentral"),
    *("pveproxy", "spiceproxy"),
)
# Services whose work is other people's programs: stopping them ends those as well.
_JOBS = ("cron", "crond", "cronie", "anacron", "fcron", "bcron", "atd")
_RUNNERS = (
    *_JOBS,
    *("supervisor", "supervisord", "inetd", "openbsd-inetd", "inetutils-inetd", "rlinetd", "xinetd"),
    *("rc-local", "rc.local", "runsvdir", "runsvdir-start", "gitlab-runsvdir", "runit", "svscan"),
    *("svscanboot", "daemontools", "s6", "s6-svscan", "monit", "circus", "circusd", "immortaldir"),
    *("pm2", "forever", "screen", "tmux", "user", "init", "getty", "serial-getty", "console-getty"),
    *("container-getty", "cloud-final", "cloud-init", "docker", "dockerd", "containerd", "podman"),
    *("crio", "lxc", "lxd", "snap.lxd.daemon", "incus", "incusd", "libvirtd", "systemd-nspawn"),
    *("machine", "machined", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "kubelet", "nomad"),
    *("gitlab-runner", "actions.runner.*"),
)
_KINDS = (".service", ".socket", ".scope")
_HINTS = (
    (_JOBS, _("its job is in a crontab: crontab -l -u {user}, /etc/crontab, /etc/cron.d")),
    (
        ("supervisor", "supervisord"),
        _("supervisorctl status lists its programs, and supervisorctl stop ends one"),
    ),
    (
        ("inetd", "openbsd-inetd", "inetutils-inetd", "rlinetd"),
        _("put a # before its line in /etc/inetd.conf and reload inetd"),
    ),
    (("xinetd",), _("its file is in /etc/xinetd.d; set disable = yes there and reload xinetd")),
    (("rc-local", "rc.local"), _("its line is in /etc/rc.local")),
    (
        ("runsvdir", "runsvdir-start", "gitlab-runsvdir", "gitlab-runsvdir-start", "runit"),
        _("sv status lists its services, and sv down ends one"),
    ),
    (("pm2",), _("pm2 list shows its programs, and pm2 stop ends one")),
    (("systemd-nspawn", "machine", "machined"), _("it runs in a container; machinectl list names it")),
    (
        ("lxc", "lxd", "snap.lxd.daemon", "incus", "incusd"),
        _("it runs in a container; lxc list or incus list names it"),
    ),
)


def is_way_in(programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    """Whether people may reach the machine through one of these programs, or through one of these units."""
    return _is(_WAYS_IN, programs, units)


def is_runner(programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    """Whether one of these programs or units runs other people's programs."""
    return _is(_RUNNERS, programs, units)


def where_to_look(name: str, user: str) -> str:
    """Where a runner of this name is told what to run; empty where that is not known."""
    return next((hint.format(user=user) for known, hint in _HINTS if name in known), "")


def _is(known: tuple[str, ...], programs: tuple[str, ...], units: tuple[str, ...]) -> bool:
    open_ended = tuple(one[:-1] for one in known if one.endswith("*"))
    names = (*programs, *(begin for unit in units for begin in _beginnings(unit)))
    return any(name in known or name.startswith(open_ended) for name in names)


def _beginnings(unit: str) -> tuple[str, ...]:
    """A unit's name and of what it may be an instance or a part: of ssh@a-b.service ssh@a-b, ssh@a, ssh."""
    stem, dot, kind = unit.rpartition(".")
    if dot + kind not in _KINDS:
        return ()
    return (stem, *(stem[:place] for place, letter in enumerate(stem) if letter in "@-"))
