"""Whose server it is, and the exact words for its customers."""

import json

import pytest
from dns_world import NAME, OURS, RESOLVER, World, facts
from fake_host import FakeHost

from mailcow_wizard.checks.dns_reverse import judge_ptr
from mailcow_wizard.checks.network_mail import judge_mail
from mailcow_wizard.facts.dns.reverse_asked import reverse_asked
from mailcow_wizard.facts.network.mail_ways import mail_ways
from mailcow_wizard.facts.provider import machine, provider
from mailcow_wizard.facts.providers import PROVIDERS
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Settings

NAMED = "hetzner-cloud hetzner-robot ovh netcup contabo ionos strato digitalocean linode vultr aws gcp azure"
DMI = "/sys/class/dmi/id/"
ADDRESS = "198.51.100.25"


def known(files: dict[str, str], names: tuple[str, ...] = (), address: str = ADDRESS) -> tuple[str, str]:
    """Id and sign of the provider; empty where there is none."""
    found = provider(Facts(FakeHost({path: text.encode() for path, text in files.items()})), address, names)
    return (found.provider.id, found.sign) if found else ("", "")


def test_the_providers_that_were_promised() -> None:
    assert [one.id for one in PROVIDERS] == [*NAMED.split(), "oracle", "scaleway"]


@pytest.mark.parametrize(
    ("file", "text", "id"),
    [
        ("sys_vendor", "Hetzner\n", "hetzner-cloud"),
        ("sys_vendor", "netcup", "netcup"),
        ("sys_vendor", "DigitalOcean", "digitalocean"),
        ("sys_vendor", "Linode", "linode"),
        ("sys_vendor", "Vultr", "vultr"),
        ("sys_vendor", "Amazon EC2", "aws"),
        ("bios_version", "4.2.amazon", "aws"),
        ("product_name", "Google Compute Engine", "gcp"),
        ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"),
        ("chassis_asset_tag", "OracleCloud.com", "oracle"),
        ("sys_vendor", "Scaleway", "scaleway"),
        ("sys_vendor", "QEMU", ""),
        ("sys_vendor", "", ""),
        ("sys_vendor", "Microsoft Corporation", ""),
        ("sys_vendor", "OpenStack Foundation", ""),
    ],
)
def test_by_the_firmware(file: str, text: str, id: str) -> None:
    assert known({f"{DMI}{file}": text}) == (id, f"{DMI}{file}" if id else "")


@pytest.mark.parametrize(
    ("cloud", "id"),
    [
        ("hetzner", "hetzner-cloud"),
        ("ovh", "ovh"),
        ("digitalocean", "digitalocean"),
        ("akamai", "linode"),
        ("vultr", "vultr"),
        ("aws", "aws"),
        ("gce", "gcp"),
        ("azure", "azure"),
        ("oracle", "oracle"),
        ("scaleway", "scaleway"),
        ("openstack", ""),
        ("nocloud", ""),
        ("", ""),
    ],
)
def test_by_cloud_init(cloud: str, id: str) -> None:
    path = "/run/cloud-init/instance-data.json"
    assert known({path: json.dumps({"v1": {"cloud_name": cloud}})}) == (id, path if id else "")
    assert known({"/run/cloud-init/cloud-id": f"{cloud}\n"})[0] == id


@pytest.mark.parametrize("text", ["", "{", "[]", '{"v1": 3}', '{"v1": {"cloud_name": ["aws"]}}', "\udcff"])
def test_of_a_damaged_file_nothing_is_believed(text: str) -> None:
    path = "/run/cloud-init/instance-data.json"
    assert known({path: text.encode("utf-8", "surrogateescape").decode("latin-1")}) == ("", "")


def test_by_the_image() -> None:
    path = "/etc/cloud/cloud.cfg.d/90_dpkg.cfg"
    assert known({path: "# made by dpkg\ndatasource_list: [ Hetzner, None ]\n"}) == ("hetzner-cloud", path)
    assert known({path: "datasource_list: [ NoCloud, Azure, Ec2, None ]\n"}) == ("", "")


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("static.25.100.51.198.clients.your-server.de", "hetzner-robot"),
        ("ns.second-ns.com", "hetzner-robot"),
        ("vps-12ab34cd.vps.ovh.net", "ovh"),
        ("dns10.ovh.ca", "ovh"),
        ("v2202301234.ultrasrv.de", "netcup"),
        ("root-dns.netcup.net", "netcup"),
        ("vmi12345.contaboserver.net", "contabo"),
        ("ip198-51-100-25.pbiaas.com", "ionos"),
        ("ns1099.ui-dns.biz", "ionos"),
        ("h1234567.stratoserver.net", "strato"),
        ("ns1.digitalocean.com", "digitalocean"),
        ("198-51-100-25.ip.linodeusercontent.com", "linode"),
        ("198.51.100.25.vultrusercontent.com", "vultr"),
        ("ec2-198-51-100-25.eu-central-1.compute.amazonaws.com", "aws"),
        ("25.100.51.198.bc.googleusercontent.com", "gcp"),
        ("box.westeurope.cloudapp.azure.com", "azure"),
        ("25-100-51-198.instances.scw.cloud", "scaleway"),
        ("mail.example.org", ""),
        ("notyour-server.de", ""),
        ("your-server.de.example.org", ""),
    ],
)
def test_by_the_names_of_its_addresses(name: str, id: str) -> None:
    assert known({}, ("mail.example.org", name)) == (id, name if id else "")


@pytest.mark.parametrize(
    ("address", "id"),
    [
        ("88.198.1.2", "hetzner-robot"),
        ("2a01:4f9::25", "hetzner-robot"),
        ("51.255.3.4", "ovh"),
        ("2001:41d0:1::1", "ovh"),
        ("202.61.255.255", "netcup"),
        ("207.180.200.1", "contabo"),
        ("212.227.0.25", "ionos"),
        ("85.214.9.9", "strato"),
        ("2a01:7e01::1", "linode"),
        ("192.0.2.1", ""),
        ("2001:db8::1", ""),
    ],
)
def test_by_the_address(address: str, id: str) -> None:
    assert known({}, (), address)[0] == id


def test_the_machine_itself_is_believed_first() -> None:
    files = {f"{DMI}sys_vendor": "Hetzner", "/run/cloud-init/cloud-id": "aws"}
    assert known(files, ("x.contaboserver.net",), "51.255.3.4")[0] == "hetzner-cloud"
    assert machine(Facts(FakeHost({}))) is None


@pytest.mark.parametrize("one", PROVIDERS, ids=lambda one: one.id)
@pytest.mark.parametrize("address", [OURS, "2001:db8:25::25"])
def test_the_words_name_address_and_name(one: object, address: str) -> None:
    assert one in PROVIDERS
    words = one.named(address, NAME)  # type: ignore[attr-defined]
    assert NAME in words
    assert address in words
    assert "{" not in words
    assert words.endswith((".", ")"))
    assert "25" in one.port25  # type: ignore[attr-defined]


class Closed(World):
    """Port 25 leads nowhere from here; all else opens."""

    def probe(self, probes: tuple[Probe, ...], timeout: float = 3.0) -> tuple[Probed, ...]:
        return tuple(Probed("silent" if one.port == 25 else "open", 0.1) for one in probes)


@pytest.mark.parametrize(
    ("vendor", "words"),
    [
        ("Hetzner", "This server is at Hetzner Cloud. Hetzner Cloud blocks ports 25 and 465 at first. "),
        ("QEMU", "Ask the provider to open outgoing port 25; "),
    ],
)
def test_a_closed_port_25_says_whom_to_ask(vendor: str, words: str) -> None:
    host = Closed({("gmail.com", "MX"): "5 mx.google.test.", ("mx.google.test", "A"): "192.0.2.1"})
    host.files[f"{DMI}sys_vendor"] = vendor
    judged = judge_mail(mail_ways(Facts(host, Settings(resolver=RESOLVER))))[0]
    assert judged.status == "fail", judged.summary
    assert judged.remedies[0].startswith(words)


def test_a_missing_name_says_whom_to_ask() -> None:
    reverse = "25.100.51.198.in-addr.arpa"
    world = facts({(reverse, "PTR"): "vmi1.contaboserver.net."}, addresses=(OURS,))
    judgement = judge_ptr(world.get(reverse_asked))[0]
    assert judgement.status == "fail"
    assert judgement.remedies == (
        "This server is at Contabo. In my.contabo.com open Reverse DNS Management; "
        f"click the pencil at {OURS} and enter {NAME}. Where its panel looks different, its support knows "
        "the place.",
    )
    judgement = judge_ptr(
        facts({(reverse, "PTR"): "box.example.net."}, addresses=(OURS,)).get(reverse_asked)
    )[0]
    assert judgement.remedies == (f"Ask your provider to set the reverse name of {OURS} to {NAME}.",)


def test_words_that_nobody_could_read_up_say_so() -> None:
    """Those with a source stand as they are; the rest name the support besides."""
    for one in PROVIDERS:
        said = one.named(ADDRESS, NAME)
        assert said.endswith("its support knows the place.") != bool(one.source), one.id
        assert NAME in said, one.id


@pytest.mark.parametrize("id", ["azure", "scaleway"])
def test_ipv6_that_the_panel_cannot_name(id: str) -> None:
    one = next(one for one in PROVIDERS if one.id == id)
    v6 = one.named("2001:db8::25", NAME)
    assert "Edit reverse" not in v6
    assert "az network" not in v6
    assert v6 != one.named(ADDRESS, NAME)
