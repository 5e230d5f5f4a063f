"""The machine's name: lines of /etc/hosts, /etc/hostname, and what keeps cloud-init from undoing it."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.facts.identity import own_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.hostname import set_hostname, with_name
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Command, Edit, Manual, Plan, Settings
from tests.fake_host import DEBIAN_12, FakeHost

NAME = "mail.example.org"
DEBIAN = "127.0.0.1\tlocalhost\n127.0.1.1\tsrv1.example.net srv1\n\n::1 ip6-localhost # v6\n"

Files = Mapping[str, str | bytes | HostError]


def machine(node: str = "srv1", hosts: str = DEBIAN, files: Files | None = None, **given: object) -> FakeHost:
    return FakeHost(
        {"/etc/hosts": hosts, "/etc/hostname": f"{node}\n", **(files or {})},
        uname=DEBIAN_12._replace(node=node),
        **{"tools": ("hostname",), **given},  # type: ignore[arg-type]
    )


def plan(host: FakeHost, name: str = NAME) -> Plan:
    offer = set_hostname(Facts(host, Settings(hostname=name)))
    made = offer.plan()
    assert (offer.fix.id, offer.fix.title) == ("set-hostname", made.title)
    return made


def test_another_name() -> None:
    made = plan(machine())
    assert made.steps == (
        Edit(
            "/etc/hosts",
            DEBIAN.encode(),
            DEBIAN.encode().replace(b"\tsrv1", b"\tmail.example.org mail srv1"),
        ),
        Edit("/etc/hostname", b"srv1\n", b"mail\n"),
        Command(("hostname", "mail"), (("hostname", "srv1"),)),
    )
    assert made.risk == "medium"


def test_only_the_line_where_the_short_name_is_right() -> None:
    made = plan(machine("mail", "127.0.0.1 localhost\n127.0.1.1 mail\n"))
    assert made.steps == (
        Edit(
            "/etc/hosts",
            b"127.0.0.1 localhost\n127.0.1.1 mail\n",
            b"127.0.0.1 localhost\n127.0.1.1 mail.example.org mail\n",
        ),
    )
    assert made.risk == "low"


def test_a_full_name_stays_full() -> None:
    made = plan(machine("srv1.example.net"))
    assert made.steps[1:] == (
        Edit("/etc/hostname", b"srv1.example.net\n", b"mail.example.org\n"),
        Command(("hostname", NAME), (("hostname", "srv1.example.net"),)),
    )


def test_systemds_command_where_there_is_no_other() -> None:
    made = plan(machine(tools=("hostnamectl",)))
    assert made.steps[1:] == (
        Command(("hostnamectl", "set-hostname", "mail"), (("hostnamectl", "set-hostname", "srv1"),)),
    )


def test_without_the_files() -> None:
    host = machine()
    del host.files["/etc/hosts"], host.files["/etc/hostname"]
    made = plan(host)
    assert made.steps[:2] == (
        Edit("/etc/hosts", None, b"127.0.1.1\tmail.example.org mail\n"),
        Edit("/etc/hostname", None, b"mail\n"),
    )


@pytest.mark.parametrize(
    ("before", "node", "after"),
    [
        ("192.0.2.1 srv1 # me\n", "srv1", "192.0.2.1 mail.example.org mail srv1 # me\n"),
        ("192.0.2.1\tMAIL www\r\n", "mail", "192.0.2.1\tmail.example.org mail www\r\n"),
        ("192.0.2.1 mail mail.example.org", "mail", "192.0.2.1 mail.example.org mail"),
        (
            "127.0.0.1 localhost mail\n192.0.2.1 mail\n",
            "mail",
            "127.0.1.1\tmail.example.org mail\n127.0.0.1 localhost mail\n192.0.2.1 mail\n",
        ),
        (
            "# a\n127.0.0.1 localhost\n::1 localhost\n",
            "srv1",
            "# a\n127.0.0.1 localhost\n127.0.1.1\tmail.example.org mail\n::1 localhost\n",
        ),
        ("127.0.0.1 localhost", "srv1", "127.0.0.1 localhost\n127.0.1.1\tmail.example.org mail\n"),
        ("#127.0.1.1 mail\n", "mail", "127.0.1.1\tmail.example.org mail\n#127.0.1.1 mail\n"),
        (
            "127.0.1.1 old\n2001:db8::1 mail\n",
            "mail",
            "127.0.1.1 old\n2001:db8::1 mail.example.org mail\n",
        ),
    ],
)
def test_hosts(before: str, node: str, after: str) -> None:
    assert with_name(before.encode(), NAME, node).decode() == after
    assert with_name(after.encode(), NAME, "mail").decode() == after
    assert own_name(Facts(machine("mail", after))) == NAME


def test_bytes_that_are_no_text_stay() -> None:
    assert with_name(b"\xff\xfe\n1.2.3.4 a\xe9\n", NAME, "x").endswith(b"\xff\xfe\n1.2.3.4 a\xe9\n")


def test_cloud_init_is_told() -> None:
    cloud: Files = {"/etc/cloud/cloud.cfg.d/05_logging.cfg": ""}
    edit = plan(machine(files=cloud)).steps[-1]
    assert isinstance(edit, Edit)
    assert edit.path == "/etc/cloud/cloud.cfg.d/99-mailcow-wizard.cfg"
    assert edit.after is not None
    assert edit.after.endswith(b"preserve_hostname: true\nmanage_etc_hosts: false\n")
    hosts = "# Your system has configured 'manage_etc_hosts' as True.\n" + DEBIAN
    manual = plan(machine(hosts=hosts, files=cloud)).steps[-1]
    assert isinstance(manual, Manual)
    assert "user data" in manual.text
    assert len(plan(machine(files={**cloud, "/etc/cloud/cloud-init.disabled": ""})).steps) == 3
    again = plan(machine(files={**cloud, edit.path: edit.after}))
    assert len(again.steps) == 3


@pytest.mark.parametrize(
    ("host", "name", "word"),
    [
        (machine(), "", "No name was chosen"),
        (machine(), "mail", "no full name"),
        (machine(), "ma_il.example.org", "cannot be"),
        (machine(files={"/etc/pve/x": ""}), NAME, "Proxmox"),
        (machine(files={"/usr/local/cpanel/x": ""}), NAME, "cPanel"),
        (machine(files={"/opt/psa/x": ""}), NAME, "Plesk"),
        (machine("mail", "127.0.1.1 mail.example.org mail\n"), NAME, "already"),
        (machine(tools=()), NAME, "hostnamectl"),
        (machine(files={"/etc/hosts": HostError("not recorded")}), NAME, "not recorded"),
    ],
)
def test_no_plan(host: FakeHost, name: str, word: str) -> None:
    with pytest.raises(HostError, match=word):
        set_hostname(Facts(host, Settings(hostname=name)))


def test_no_machine_is_called_as_a_mail_domain() -> None:
    """That would not help the finding, which stays until mailcow has another name."""
    with pytest.raises(NoPlan, match="is a mail domain itself"):
        set_hostname(Facts(machine(), Settings(hostname="example.org", domains=("example.org",))))
