"""A port that is free, or mailcow's, until a service that is enabled starts with the machine again."""

from types import MappingProxyType

import pytest
from fake_host import FakeHost
from unit.test_ports_judged import SMTP, container, judge, occupant

from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.returning import TAKES, returning
from mailcow_wizard.facts.service_ports import configured
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import _PROPERTIES
from mailcow_wizard.fixes.ports import _kept_from_starting
from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import Process
from mailcow_wizard.model import Command, Settings

OWN = "/etc/systemd/system"
WANTS = f"{OWN}/multi-user.target.wants"
PORTS = (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190)


def machine(*links: str, scripts: tuple[str, ...] = (), **units: str) -> Facts:
    """One that starts these with itself; of each unit its state of activity, and of its file."""
    files = {f"{WANTS}/{one}": "" for one in links} | {f"/etc/rc3.d/{one}": "" for one in scripts}
    files["/run/systemd/system/x"] = ""
    names = sorted(units)
    rows = [
        f"Id={one}.service\nLoadState=loaded\nUnitFileState={units[one].partition(' ')[2]}\n"
        f"ActiveState={units[one].partition(' ')[0]}\n"
        for one in names
    ]
    asked = " ".join(("systemctl show -p", _PROPERTIES, "--", *(f"{one}.service" for one in names)))
    return Facts(FakeHost(files, {asked: "\n".join(rows)}), Settings())


def test_who_is_enabled_and_does_not_run_comes_back() -> None:
    facts = machine(
        "postfix.service", "nginx.service", "ssh.service", postfix="inactive enabled", nginx="active enabled"
    )
    assert returning(facts, PORTS) == {25: ("postfix.service",)}


def test_two_for_one_port_and_one_for_two() -> None:
    facts = machine(
        *("exim4.service", "postfix.service", "dovecot.service"),
        exim4="failed enabled", postfix="inactive enabled", dovecot="inactive enabled",
    )  # fmt: skip
    assert returning(facts, PORTS) == {
        25: ("exim4.service", "postfix.service"),
        143: ("dovecot.service",),
        993: ("dovecot.service",),
    }


def test_an_init_script_is_asked_for_its_unit() -> None:
    facts = machine(scripts=("S01sendmail", "K01nginx", "README"), sendmail="inactive enabled")
    assert returning(facts, PORTS) == {25: ("sendmail.service",)}


@pytest.mark.parametrize("installed", [True, False])
def test_an_init_script_of_a_package_that_is_gone_starts_nothing(installed: bool) -> None:
    facts = machine(scripts=("S01exim4",), exim4="inactive generated")
    host = facts.host
    assert isinstance(host, FakeHost)
    said = next(one for one in host.commands if one.startswith("systemctl show"))
    host.commands[said] = f"{host.commands[said]}SourcePath=/etc/init.d/exim4\n"
    host.commands["systemctl is-enabled -- exim4.service"] = "enabled\n"
    if installed:
        host.files["/usr/sbin/exim4"] = "x"
    assert returning(facts, PORTS) == ({25: ("exim4.service",)} if installed else {})


@pytest.mark.parametrize("state", ["inactive disabled", "inactive masked", "active enabled"])
def test_who_is_off_or_runs_does_not(state: str) -> None:
    assert returning(machine("postfix.service", postfix=state), PORTS) == {}


@pytest.mark.parametrize("above", ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd"])
def test_systemd_is_not_asked_of_who_has_processes(above: str) -> None:
    running = {f"{WANTS}/nginx.service": "", "/run/systemd/system/x": ""}
    host = FakeHost({**running, f"{above}/system.slice/nginx.service/cgroup.procs": "12\n"})
    assert returning(Facts(host, Settings()), PORTS) == {}
    assert not any("systemctl" in one for one in host.asked)


@pytest.mark.parametrize(
    ("main", "group", "comes"),
    [
        ("0", "system.slice/ssh.service", True),
        ("0", "system.slice/system-postfix.slice/postfix@-.service", False),
        ("12", "system.slice/ssh.service", False),
        ("0", "elsewhere", False),
    ],
)
def test_an_active_one_without_processes_comes_back_too(main: str, group: str, comes: bool) -> None:
    facts = machine("postfix.service", postfix="active enabled")
    host = facts.host
    assert isinstance(host, FakeHost)
    host.files[f"/sys/fs/cgroup/{group}/cgroup.procs"] = "7\n"
    host.commands[asked("postfix.service")] += f"MainPID={main}\n"
    assert returning(facts, PORTS) == ({25: ("postfix.service",)} if comes else {})


def test_where_systemd_is_not_or_does_not_tell_nobody_is_named() -> None:
    enabled = {f"{WANTS}/postfix.service": ""}
    for files in (enabled, {**enabled, "/run/systemd/system/x": ""}, {WANTS: NoAnswer("x")}):
        assert returning(Facts(FakeHost(files), Settings()), PORTS) == {}


def shown(**rows: str) -> str:
    return "".join(f"{key}={value}\n" for key, value in rows.items())


IDLE = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "inactive"}


def asked(*names: str) -> str:
    return " ".join(("systemctl show -p", _PROPERTIES, "--", *names))


@pytest.mark.parametrize(
    ("default", "chain", "comes"),
    [
        ("graphical.target", {"graphical.target": ""}, True),
        ("multi-user.target", {"graphical.target": ""}, False),
        ("multi-user.target", {"network-online.target": "x.service", "x.service": "multi-user.target"}, True),
        ("multi-user.target", {"app.service": "app.timer", "app.timer": ""}, False),
        ("", {"graphical.target": ""}, True),
        ("", {"circle.target": "round.target", "round.target": "circle.target"}, False),
    ],
)  # fmt: skip
def test_who_starts_it_may_be_another_target_that_a_boot_reaches(
    default: str, chain: dict[str, str], comes: bool
) -> None:
    first = next(iter(chain))
    files = {f"{OWN}/{first}.wants/nginx.service": "", "/run/systemd/system/x": ""}
    host = FakeHost(files, {asked("nginx.service"): shown(Id="nginx.service", **IDLE, WantedBy=first)})
    if default:
        host.files[f"/usr/lib/systemd/system/{default}"] = ""
        host.links["/usr/lib/systemd/system/default.target"] = f"/usr/lib/systemd/system/{default}"
    for name, above in chain.items():
        host.commands[asked(name)] = shown(Id=name, WantedBy=above)
    assert returning(Facts(host, Settings()), PORTS) == ({80: ("nginx.service",)} if comes else {})


@pytest.mark.parametrize(
    ("text", "added", "ports"),
    [
        ("[Socket]\nListenStream=0.0.0.0:143\nListenStream = [::]:993\n", "", {143, 993}),
        ("[Socket]\nListenStream=143\n", "[Socket]\nListenStream=\nListenStream=10143\n", set()),
        ("[Socket]\nListenStream=22\nListenStream=/run/x.sock\nListenDatagram=25\n", "", set()),
        ("[Socket]\nListenStream=22\n", "ListenStream=443\n", {443}),
    ],
)
def test_a_socket_takes_a_port_too(text: str, added: str, ports: set[int]) -> None:
    files = {f"{OWN}/sockets.target.wants/x.socket": text, "/run/systemd/system/x": ""}
    if added:
        files[f"{OWN}/x.socket.d/own.conf"] = added
    host = FakeHost(files, {asked("x.socket"): shown(Id="x.socket", **IDLE)})
    assert returning(Facts(host, Settings()), PORTS) == dict.fromkeys(ports, ("x.socket",))
    assert bool(ports) == any("systemctl" in one for one in host.asked)


def test_a_socket_that_listens_elsewhere_has_not_ended() -> None:
    """It never has processes, and is in nobody's way."""
    files = {f"{OWN}/sockets.target.wants/x.socket": "ListenStream=127.0.0.1:143\n"}
    files |= {"/run/systemd/system/x": "", "/sys/fs/cgroup/system.slice/x": ""}
    active = IDLE | {"ActiveState": "active"}
    host = FakeHost(files, {asked("x.socket"): shown(Id="x.socket", **active)})
    assert returning(Facts(host, Settings()), PORTS) == {}


@pytest.mark.parametrize(
    ("state", "comes"),
    [("activating", True), ("deactivating", True), ("inactive", True), ("failed", True), ("active", False)],
)
def test_who_is_about_to_start_takes_the_port_soon(state: str, comes: bool) -> None:
    """Also one that systemd tries to start again and again."""
    files = {f"{WANTS}/nginx.service": "", "/run/systemd/system/x": ""}
    rows = IDLE | {"ActiveState": state, "MainPID": "812"}
    host = FakeHost(files, {asked("nginx.service"): shown(Id="nginx.service", **rows)})
    assert returning(Facts(host, Settings()), PORTS) == ({80: ("nginx.service",)} if comes else {})


CONFIGURED = {
    "nginx": (
        {
            "nginx.conf": "http {\n  include conf.d/*.conf;\n  include /etc/nginx/sites-enabled/*;\n}",
            "conf.d/off.conf.disabled": "server { listen 25; }",
            "conf.d/a.conf": "# listen 110;\nserver {\n  listen 443 ssl;\n  listen [::]:443 ssl;\n}",
            "sites-enabled/b": "server { listen 10.0.0.1:8080; }\nupstream x { server 10.0.0.2:80; }",
        },
        {443},
    ),
    "apache2": (
        {
            "apache2.conf": "Include ports.conf\nIncludeOptional mods-enabled/*.load\nListen 8080\n",
            "ports.conf": "<IfModule ssl_module>\n\tListen 443\n</IfModule>\nListen 127.0.0.1:80\n"
            "<IfModule mod_gnutls.c>\n<IfDefine X>\n</IfDefine>\n\tListen 465\n</IfModule>\n",
            "mods-enabled/ssl.load": "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
        },
        {80, 443},
    ),
    "httpd": ({"conf/httpd.conf": "Listen ${PORT}\n"}, {80}),
    "dovecot": (
        {
            "dovecot.conf": "!include_try conf.d/*.conf\n!include_try /nowhere/*.protocol\n",
            "conf.d/10-master.conf": "service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n"
            "  inet_listener imaps {\n    #port = 993\n  }\n}\nservice pop3-login {\n"
            "  inet_listener pop3 {\n    port = 110\n  }\n}\n!include more.ext\n",
            "conf.d/more.ext": "protocols = $protocols imap sieve\n",
        },
        {993, 4190},
    ),
    "postfix": (
        {"master.cf": "#smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n  -o x=inet y\n"
                      "127.0.0.1:10025 inet n - y - - smtpd\npickup unix n - y 60 1 pickup\n"},
        {587},
    ),
    "lighttpd": (
        {
            "lighttpd.conf": 'server.port = 8080\ninclude "/etc/lighttpd/conf-enabled/*.conf"\n',
            "conf-enabled/10-ssl.conf": '$SERVER["socket"] == "0.0.0.0:443" {\n}\n',
        },
        {443},
    ),
    "haproxy": ({"haproxy.cfg": "frontend a\n\tbind *:80,:::443 v4v6\n\tbind /run/x.sock\n"}, {80, 443}),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURED)
def test_its_configuration_says_which_ports_it_takes(name: str) -> None:
    files, ports = CONFIGURED[name]
    facts = machine(f"{name}.service", **{name: "inactive enabled"})
    host = facts.host
    assert isinstance(host, FakeHost)
    host.files |= {f"/etc/{name}/{path}": text for path, text in files.items()}
    assert returning(facts, PORTS) == dict.fromkeys(ports, (f"{name}.service",))


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_recording_of_it_says_the_same(name: str) -> None:
    files, ports = CONFIGURED[name]
    host = FakeHost({}, {})
    for path, text in files.items():
        place = f"/etc/{name}/{path}"
        host.files[place] = scrub("read", (place,), text.encode()).decode()
    assert configured(Facts(host, Settings()), name, TAKES[name]) & set(PORTS) == ports


@pytest.mark.parametrize(
    "written",
    [
        "http { include sites/*/own.conf; server { listen 8080; } }",
        # What lies there could not be recorded without its secrets.
        "http { include /home/anna/own.conf; server { listen 8080; } }",
        "http { include large.conf; server { listen 8080; } }",
    ],
)
def test_where_not_all_of_it_can_be_read_it_takes_the_usual_ones(written: str) -> None:
    facts = machine("nginx.service", nginx="inactive enabled")
    host = facts.host
    assert isinstance(host, FakeHost)
    host.files["/etc/nginx/nginx.conf"] = written
    host.files["/home/anna/own.conf"] = "server { listen 8081; }"
    host.files["/etc/nginx/large.conf"] = "include larger.conf;" + " " * ((1 << 20) - 40)
    host.files["/etc/nginx/larger.conf"] = "server { listen 8082; }"
    assert returning(facts, PORTS) == {80: ("nginx.service",)}


NO_CONF = MailcowConf("/srv/mailcow.conf", False, MappingProxyType({}))


# --- OpenRC ---


class _Running(FakeHost):
    """Processes run there."""

    def __init__(self, files: dict[str, str], running: tuple[Process, ...]) -> None:
        super().__init__(dict(files))
        self._running = running

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        return tuple(one for one in self._running if one.name in names)


def process(name: str, cgroup: str) -> Process:
    return Process(7, name, "root", (name,), f"/usr/sbin/{name}", cgroup)


def with_openrc(*running: Process, dpkg: bool = False) -> Facts:
    """One that starts nginx, exim4 and sshd at its boot, and postfix in a runlevel that is none of that."""
    files = {f"/etc/runlevels/default/{one}": "" for one in ("nginx", "sshd")}
    files |= {"/etc/runlevels/boot/exim4": "", "/etc/runlevels/nonetwork/postfix": ""}
    files |= {f"/etc/init.d/{one}": "" for one in ("nginx", "exim4", "postfix", "sshd")}
    files |= {"/run/openrc/softlevel": "default", "/usr/sbin/exim4": ""}
    return Facts(_Running(files | ({"/var/lib/dpkg/status": ""} if dpkg else {}), running), Settings())


def test_openrc_starts_what_its_runlevels_of_a_boot_name() -> None:
    assert returning(with_openrc(), PORTS) == {25: ("exim4",), 80: ("nginx",)}
    assert returning(with_openrc(process("nginx", "/openrc.nginx")), PORTS) == {25: ("exim4",)}
    inside = process("nginx", f"/docker/{'a' * 64}")
    assert returning(with_openrc(inside), PORTS) == {25: ("exim4",), 80: ("nginx",)}
    # Of a package that is removed Debian keeps the script.
    assert returning(with_openrc(dpkg=True), PORTS) == {25: ("exim4",)}


def test_openrc_keeps_it_off() -> None:
    facts = with_openrc()
    host = facts.host
    assert isinstance(host, FakeHost)
    there = port("exim4")
    said = judge_port(there)
    assert said.summary == "port 25 is free, but exim4 starts with the machine, and would take it"
    assert said.remedies == ("Keep it from starting with the machine: rc-update -a del exim4",)
    assert ("rc-service exim4 status", "it does not run") in said.evidence
    (found,) = _kept_from_starting("ports.smtp", said, there, facts)
    plan = found.plan()
    (step,) = plan.steps
    assert isinstance(step, Command)
    assert step.argv == ("rc-update", "del", "exim4", "boot")
    assert step.undo == (("rc-update", "add", "exim4", "boot"),)
    assert plan.reversible


def port(*units: str, held: bool = False) -> PortFacts:
    """Port 25 as it is now, and who comes back."""
    own = occupant(docker=True, container=container("postfix-mailcow"), own=True)
    said = PortFacts(SMTP, (own,) if held else (), NO_CONF, True, "netlink")
    return said._replace(returning=units)


def test_a_free_port_is_not_free_for_long() -> None:
    assert judge(SMTP).status == "pass"
    said = judge_port(port("postfix.service"))
    assert (said.status, said.severity, said.certainty) == ("warn", "breaks", "inferred")
    assert said.summary == "port 25 is free, but postfix.service starts with the machine, and would take it"
    assert said.remedies == ("Keep it from starting with the machine: systemctl disable postfix.service",)
    assert ("systemctl is-enabled postfix.service", "enabled") in said.evidence


def test_nor_does_mailcow_keep_it() -> None:
    said = judge_port(port("exim4.service", "postfix.service", held=True))
    assert said.status == "warn"
    assert said.summary == (
        "mailcow itself listens on port 25, but exim4.service and postfix.service start with the machine, "
        "and would take it"
    )
    assert judge_port(port(held=True)).status == "pass"


def test_who_holds_it_now_is_what_counts() -> None:
    foreign = PortFacts(SMTP, (occupant(unit="exim4.service"),), NO_CONF, True, "netlink")
    assert judge_port(foreign._replace(returning=("postfix.service",))).status == "fail"


@pytest.mark.parametrize(
    ("along", "state", "risk", "interrupts"),
    [
        ("app.service", "active", "medium", "app.service, which depends on it and stops with it"),
        ("app.service", "inactive", "low", ""),
        ("ssh.service", "active", "", ""),
        ("own.service", "active", "", ""),
    ],
)
def test_what_would_stop_along_is_named_and_no_way_in(
    along: str, state: str, risk: str, interrupts: str
) -> None:
    """The last is what this program itself runs in."""
    facts = machine("postfix.service", postfix="inactive enabled")
    host = facts.host
    assert isinstance(host, FakeHost)
    host.commands[asked("postfix.service")] += f"ConsistsOf={along}\n"
    host.commands[asked(along)] = shown(Id=along, LoadState="loaded", ActiveState=state)
    host.commands["systemctl cat -- postfix.service"] = "[Install]\nWantedBy=multi-user.target\n"
    host.files["/proc/self/cgroup"] = "0::/system.slice/own.service\n"
    there = port("postfix.service")
    found = _kept_from_starting("ports.smtp", judge_port(there), there, facts)
    assert [one.fix.risk for one in found] == [risk] * bool(risk)
    for one in found:
        plan = one.plan()
        assert (plan.risk, plan.interrupts) == (risk, interrupts)
        assert plan.consequence == "Port 25 is mailcow's also after a restart of the machine."
