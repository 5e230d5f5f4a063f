"""Rules of nft that are taken back: found by the set that they ask for. On real rules in tests/real."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailcow_wizard.host.programs.nft_back import undoing
from mailcow_wizard.host.programs.paths import program

_SET = {"set": {"family": "inet", "table": "filter", "name": "mailcow_ports", "handle": 3}}


def _rule(chain: str, handle: int, right: object) -> dict[str, Any]:
    port = {"payload": {"protocol": "tcp", "field": "dport"}}
    match = {"match": {"op": "==", "left": port, "right": right}}
    return {"rule": {"family": "inet", "table": "filter", "chain": chain, "handle": handle, "expr": [match]}}


def _undoing(*items: object) -> tuple[list[str], str]:
    return undoing({"nftables": [{"metainfo": {}}, *items]}, "inet", "filter", "input", "mailcow_ports")


def test_its_rules_and_the_set() -> None:
    others = _rule("input", 5, 25), _rule("input", 6, "@mailcow_ports_2"), _rule("input", 7, {"set": [1, 2]})
    assert _undoing(
        _SET, _rule("input", 4, "@mailcow_ports"), *others, _rule("input", 9, "@mailcow_ports")
    ) == (
        [
            "delete rule inet filter input handle 4",
            "delete rule inet filter input handle 9",
            "delete set inet filter mailcow_ports",
        ],
        "",
    )


def test_a_set_that_another_chain_asks_for_stays() -> None:
    found = _undoing(_SET, _rule("input", 4, "@mailcow_ports"), _rule("theirs", 8, "@mailcow_ports"))
    assert found == (["delete rule inet filter input handle 4"], "theirs")


def test_where_nothing_is_left() -> None:
    assert _undoing(_rule("input", 4, 25)) == ([], "")


def test_a_number_that_is_none() -> None:
    with pytest.raises(TypeError):
        _undoing(_SET, _rule("input", float("inf"), "@mailcow_ports"))  # type: ignore[arg-type]


def _run(place: Path, script: str) -> tuple[int, str]:
    nft = place / "nft"
    nft.write_text(f"#!/bin/sh\n{script}\n")
    nft.chmod(0o755)
    argv = [sys.executable, *program("nft_back")[1:], "inet", "filter", "input", "mailcow_ports"]
    ran = subprocess.run(argv, env={"PATH": f"{place}:/usr/bin:/bin"}, capture_output=True, text=True)
    return ran.returncode, ran.stdout.strip()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("echo 'Error: No such file or directory' >&2; exit 1", 0, "table filter is not there any more"),
        ("echo 'Operation not permitted' >&2; exit 1", 1, "nft: Operation not permitted"),
        ("echo nonsense", 1, "what nft lists cannot be read"),
        ("echo '{}'", 1, "what nft lists cannot be read"),
        ("echo '{\"nftables\": []}'", 0, ""),
    ],
)
def test_what_nft_answers(tmp_path: Path, script: str, code: int, said: str) -> None:
    assert _run(tmp_path, script) == (code, said)


def test_without_nft(tmp_path: Path) -> None:
    argv = [sys.executable, *program("nft_back")[1:], "inet", "filter", "input", "mailcow_ports"]
    ran = subprocess.run(argv, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout[:5]) == (1, "nft: ")


def test_its_words() -> None:
    argv = [sys.executable, *program("nft_back")[1:], "inet"]
    assert subprocess.run(argv, capture_output=True).returncode == 64
