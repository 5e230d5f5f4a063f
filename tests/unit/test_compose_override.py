"""docker-compose.override.yml: one option is read and set, every other byte stays; Compose reads the same."""

import json
import subprocess
from pathlib import Path

import pytest
from lab import compose
from lab.skip import or_skip

from mailcow_wizard.conf.compose_override import Strange, option, with_option
from mailcow_wizard.facts.network.mtu import OPTION

MTU = "com.docker.network.driver.mtu"
NEW = f'networks:\n  mailcow-network:\n    driver_opts:\n      {MTU}: "1400"\n'

# What is there before, and what is there afterwards.
SET = {
    "nothing": ("", NEW),
    "a comment": ("# mine\n", f"# mine\n{NEW}"),
    "no line's end": ("services: {}", f"services: {{}}\n{NEW}"),
    "services": (
        "services:\n  nginx-mailcow:\n    labels:  # why\n      - a=b\n",
        f"services:\n  nginx-mailcow:\n    labels:  # why\n      - a=b\n{NEW}",
    ),
    "networks of others, indented by four": (
        f"networks:\n    shop:\n        driver_opts:\n            {MTU}: 1300\n\n# end\nservices: {{}}\n",
        f"networks:\n    shop:\n        driver_opts:\n            {MTU}: 1300\n    mailcow-network:\n"
        f'      driver_opts:\n        {MTU}: "1400"\n\n# end\nservices: {{}}\n',
    ),
    "the network": (
        "networks:\n  # ours\n  mailcow-network:\n    enable_ipv6: true # as before\n  x:\n    name: y\n",
        "networks:\n  # ours\n  mailcow-network:\n    enable_ipv6: true # as before\n    driver_opts:\n"
        f'      {MTU}: "1400"\n  x:\n    name: y\n',
    ),
    "an empty network": (
        "networks:\n  mailcow-network:\nservices: {}\n",
        f'networks:\n  mailcow-network:\n    driver_opts:\n      {MTU}: "1400"\nservices: {{}}\n',
    ),
    "the option": (NEW.replace('"1400"', "1500  # was 1500"), NEW.replace('"1400"', '"1400"  # was 1500')),
    "the option without a value": (
        NEW.replace(' "1400"', "   # later"),
        NEW.replace(' "1400"', ' "1400"   # later'),
    ),
    "the option in quotes": (
        NEW.replace(MTU, f"'{MTU}'").replace('"1400"', "'1500'"),
        NEW.replace(MTU, f"'{MTU}'"),
    ),
    "another option": (
        "networks:\n  mailcow-network:\n    driver_opts:\n      a.b: c\n    enable_ipv6: true\n",
        "networks:\n  mailcow-network:\n    driver_opts:\n      a.b: c\n"
        f'      {MTU}: "1400"\n    enable_ipv6: true\n',
    ),
    "an anchor": (
        "networks: &nets\n  mailcow-network: &net\n    enable_ipv6: true\n",
        "networks: &nets\n  mailcow-network: &net\n    enable_ipv6: true\n    driver_opts:\n"
        f'      {MTU}: "1400"\n',
    ),
    "a document's start": ("---\nservices: {}\n", f"---\nservices: {{}}\n{NEW}"),
    "lines as Windows has them": (
        "networks:\r\n  mailcow-network:\r\n    enable_ipv6: true\r\n",
        "networks:\r\n  mailcow-network:\r\n    enable_ipv6: true\r\n    driver_opts:\r\n"
        f'      {MTU}: "1400"\r\n',
    ),
    "a text with lines like keys": (
        "x-note: |\n  networks:\n    mailcow-network:\nservices: {}\n",
        f"x-note: |\n  networks:\n    mailcow-network:\nservices: {{}}\n{NEW}",
    ),
    "a list at the margin": (
        "x-list:\n- networks\n- b\nservices: {}\n",
        f"x-list:\n- networks\n- b\nservices: {{}}\n{NEW}",
    ),
}


@pytest.mark.parametrize(("before", "after"), SET.values(), ids=SET.keys())
def test_it_is_set_and_the_rest_stays(before: str, after: str) -> None:
    assert with_option(before, OPTION, "1400") == after
    assert option(after, OPTION) == "1400"
    assert with_option(after, OPTION, "1400") == after


STRANGE = {
    "JSON": '{"networks": {}}',
    "a short form": "networks: {mailcow-network: {}}\n",
    "an empty short form": "networks:\n  mailcow-network: {}\n",
    "an alias": "networks:\n  mailcow-network: *net\n",
    "a list": f"networks:\n  mailcow-network:\n    driver_opts:\n      - {MTU}=1500\n",
    "a value in a short form": NEW.replace('"1400"', "[1500]"),
    "twice": NEW + NEW,
    "two documents": f"{NEW}---\nservices: {{}}\n",
    "tabs": "networks:\n\tmailcow-network:\n",
    "a value that goes on in the next line": NEW.replace('"1400"', "1400\n          bytes"),
    "a value in the next line": NEW.replace('"1400"', "# why\n          1400"),
    "keys below the option": NEW.replace(' "1400"', "\n        size: 1400"),
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Strange):
        with_option(text, OPTION, "1400")


def test_only_the_option_of_this_network_counts() -> None:
    assert option("", OPTION) == ""
    assert option(SET["networks of others, indented by four"][0], OPTION) == ""
    assert option(NEW.replace("      com", "      # com"), OPTION) == ""


@pytest.mark.parametrize("name", SET)
def test_compose_reads_what_we_wrote(name: str, tmp_path: Path) -> None:
    with or_skip():
        program = compose.program(compose.SUITES[0])
    base = "name: lab\nservices:\n  nginx-mailcow:\n    image: none\n    networks: [mailcow-network]\n"
    (tmp_path / "docker-compose.yml").write_text(f"{base}networks:\n  mailcow-network:\n    driver: bridge\n")
    override = tmp_path / "docker-compose.override.yml"
    override.write_bytes(SET[name][1].encode())
    argv = [str(program), "config", "--format", "json"]
    ran = subprocess.run(argv, cwd=tmp_path, env={"HOME": "/"}, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    network = json.loads(ran.stdout)["networks"]["mailcow-network"]
    assert network["driver_opts"][MTU] == "1400"
    assert network["driver"] == "bridge"
