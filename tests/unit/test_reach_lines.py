"""The lines to paste, tokens and reports of `reach`: words that go between machines."""

import re
import subprocess

import pytest
import tree_sitter
import tree_sitter_powershell

from mailcow_wizard import language
from mailcow_wizard.engine.reach_words import (
    TOKEN_LENGTH,
    Asked,
    BadReport,
    Report,
    extra_of,
    new_token,
    pasted,
    ports_of,
    read_report,
)
from mailcow_wizard.facts.neighbours import is_near
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Settings
from mailcow_wizard.report import reach_lines
from tests.fake_host import FakeHost

PORTS = (
    Asked(25, "knock"),
    Asked(80, "http"),
    Asked(143, "greets"),
    Asked(443, "tls"),
    Asked(4190, "knock"),
    Asked(50123, "knock"),
)
ADDRESSES = ("192.88.99.10", "2d00:113::10")


def test_a_token_names_the_ports_and_is_never_the_same() -> None:
    token = new_token(PORTS, 50123)
    assert token[TOKEN_LENGTH:] == "-25-80h-143g-443t-4190-50123x"
    assert ports_of(token) == PORTS
    assert extra_of(token) == 50123
    assert extra_of(new_token(PORTS[:5])) == 0
    assert len({new_token(PORTS)[:TOKEN_LENGTH] for _ in range(500)}) == 500


@pytest.mark.parametrize(
    "token",
    [
        *("", "x", "A" * 20, "A" * 20 + "-", "A" * 20 + "-0", "A" * 20 + "-65536", "A" * 19 + "-25"),
        *(
            "A" * 20 + "-25\n",
            "A" * 20 + "-25;id",
            "A" * 20 + "-25" * 65,
            "A" * 19 + "é-25",
            "$(id)" * 4 + "-25",
            "A" * 20 + "-٢٥g",
        ),
    ],
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(BadReport):
        ports_of(token)


def test_a_report_is_read() -> None:
    text = "4:25a.443t~0011aabbccddeeff.143o~+OK_Dovecot_ready,.80o.465s;6:25n;c:o\n"
    answers = {25: "a", 443: "t~0011aabbccddeeff", 143: "o~+OK_Dovecot_ready,", 80: "o", 465: "s"}
    assert read_report(text) == Report(
        {**{(port, 4): one for port, one in answers.items()}, (25, 6): "n"}, True
    )
    assert read_report("4:25s;c:s").mail_leaves is False
    assert read_report("4:25s").mail_leaves is None


@pytest.mark.parametrize(
    "text",
    [
        "4:25a.465s;c:o",
        " 4:25a.465s;c:o\n",
        'Nothing arrived. On the server: mailcow-wizard reach --result "4:25a.465s;c:o"\n',
        'On the server: mailcow-wizard --ssh root@4:22 reach --result "4:25a.465s;c:o"',
        "On the server: mailcow-wizard reach\n  --result '4:25a.4\n65s;c:o'",
    ],
)
def test_a_report_is_found_in_what_is_pasted(text: str) -> None:
    assert pasted(text) == "4:25a.465s;c:o"


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "4:25", "4:a", "5:25a", "4:25z", "4:25a;rm -rf /", "4:25a~220", "4:25o~", "4:25o~a b"),
        *("4:25o~\x1b[2J", "4:25o~" + "a" * 41, "4:123456a", "4:25a.", "c:x", "4:25o~ä"),
    ],
)
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(BadReport):
        read_report(text)


def test_each_line_is_one_line_and_names_everything() -> None:
    token = new_token(PORTS, 50123)
    bash = reach_lines.bash(token, PORTS, ADDRESSES)
    powershell = reach_lines.powershell(token, PORTS, ADDRESSES)
    wizard = reach_lines.wizard(token, ",".join(ADDRESSES))
    for line in (bash, powershell, wizard):
        assert line.isascii()
        assert line.isprintable()
        assert token in line
        assert all(one in line for one in ADDRESSES)
    assert f"reach {token} '25 4190 50123' '143' '443' '80' {' '.join(ADDRESSES)}" in bash
    assert "@('K25','H80','G143','T443','K4190','K50123')" in powershell
    assert wizard == f"mailcow-wizard reach --from {','.join(ADDRESSES)} {token}"
    assert "On the server: ./wizard reach --result" in bash
    assert "On the server: ./wizard reach --result" in powershell


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python3 /root/mailcow-wizard.pyz", "python3 /root/mailcow-wizard.pyz"),
        ("'/srv/a b/wizard'", "mailcow-wizard"),  # its quotes would end the line's own
    ],
)
def test_what_the_far_side_says_can_be_typed_here(name: str, said: str) -> None:
    language.choose([], {}, lambda: (name, f"sudo {name}"))
    for line in (reach_lines.bash("t", PORTS, ADDRESSES), reach_lines.powershell("t", PORTS, ADDRESSES)):
        assert f"On the server: {said} reach --result" in line


@pytest.mark.parametrize("ports", [PORTS, PORTS[:1], PORTS[1:]], ids=["all", "free", "used"])
def test_bash_understands_its_line(ports: tuple[Asked, ...]) -> None:
    line = reach_lines.bash(new_token(ports), ports, ADDRESSES)
    done = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    inner = line.partition("bash -c '")[2].partition("' reach ")[0]
    assert "'" not in inner
    done = subprocess.run(["bash", "-n", "-c", inner], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # Nothing of bash 4 and later: macOS has 3.2.
    assert not re.search(r"declare -A|mapfile|\$\{[a-z]+[,^]|\|&|&>>|BASHPID|EPOCH", inner)


def test_where_nothing_is_in_use_the_line_fits_on_a_small_screen() -> None:
    ports = tuple(Asked(one, "knock") for one in (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190))
    addresses = ("192.88.99.100", "2d00:0113:1234:5678:9abc:def0:1234:5678")
    assert len(reach_lines.bash(new_token(ports), ports, addresses)) < 20 * 80


@pytest.mark.parametrize("ports", [PORTS, PORTS[:1], PORTS[1:]], ids=["all", "free", "used"])
def test_the_line_for_powershell_is_whole(ports: tuple[Asked, ...]) -> None:
    line = reach_lines.powershell(new_token(ports), ports, ADDRESSES)
    assert "<" not in line.replace("<.*>", "")
    code = re.sub(r"'[^']*'", "''", line)
    code = re.sub(r'"(?:[^"`]|`.)*"', '""', code)
    code = code.replace("$(", "(")
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing)
    assert "'" not in code.replace("''", "")
    assert '"' not in code.replace('""', "")
    # PowerShell 5.1 has neither of these.
    assert not re.search(r"\?\?|&&|\|\||\?\.", code)
    # Every variable that is read is set before.
    known = {"null", "true", "false"}
    for name in re.findall(r"\$\{?([a-zA-Z]+)(?::[a-zA-Z]+)?", line):
        assigned = re.search(rf"\${name}(?:\+?=| in )", line)
        assert name in known or assigned, name


@pytest.mark.parametrize("ports", [PORTS, PORTS[:1], PORTS[1:]], ids=["all", "free", "used"])
def test_the_line_for_powershell_can_be_parsed(ports: tuple[Asked, ...]) -> None:
    line = reach_lines.powershell(new_token(ports), ports, ADDRESSES)
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(line.encode()).root_node.has_error
    assert parser.parse(line.replace("foreach(", "foreach", 1).encode()).root_node.has_error


@pytest.mark.parametrize("families", [(4,), (4, 6)])
def test_who_is_near(families: tuple[int, ...]) -> None:
    class Server(FakeHost):
        """It has an address of each family."""

        def source_address(self, destination: str) -> str:
            return ADDRESSES[":" in destination]

    route = (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t016358C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t006358C0\t00000000\t0001\t0\t0\t0\t80FFFFFF\t0\t0\t0\n"
        "eth0\t0064A8C6\t016358C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    nothing, on_cable = "0" * 32, "2d000113000000000000000000000000"
    route6 = f"{on_cable} 40 {nothing} 00 {nothing} 00000100 00000001 00000000 00000001     eth0\n"
    facts = Facts(
        Server({"/proc/net/route": route, "/proc/net/ipv6_route": route6, "/opt/mailcow-dockerized/": ""}),
        Settings(addresses=tuple(ADDRESSES[one == 6] for one in families)),
    )
    near = ("127.0.0.1", "10.1.2.3", "172.22.1.9", "192.168.1.1", "100.64.0.9", "169.254.1.1", "192.88.99.10")
    near += ("192.88.99.77", "::1", "fe80::1", "fd00::1", "2d00:113::77")
    for address in near:
        assert is_near(facts, address), address
    for address in ("192.88.99.200", "198.168.100.7", "198.51.100.200", "203.0.113.9", "2d00:113:2::200"):
        assert not is_near(facts, address), address
