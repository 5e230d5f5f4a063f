"""The Ansible module on what the real command line says: what is not done is no success."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from lab.inside import CHECKOUT
from mended import CHECK, ENVIRONMENT, FIX, Mailcow

from mailcow_wizard.report.plan import of_refused_fix

FILE = CHECKOUT / "mailcow_wizard/ansible/roles/mailcow_wizard/library/mailcow_wizard.py"


@pytest.fixture
def ansible(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, without Ansible around it."""
    for name in ("ansible", "ansible.module_utils", "ansible.module_utils.basic"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["ansible.module_utils.basic"].AnsibleModule = object  # type: ignore[attr-defined]
    described = importlib.util.spec_from_file_location("ansible_module", FILE)
    assert described
    assert described.loader
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def mended(ansible: Any, tmp_path: Path, **more: Any) -> dict[str, Any]:
    """What the task's result is where the fix is like this."""

    def run(argv: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    params = {"command": Mailcow(tmp_path).argv(**more), "options": [], "fail_on": ["fail"]}
    task = SimpleNamespace(
        params={**params, "check": CHECK, "fix": FIX, "subject": None}, run_command=run, check_mode=False
    )
    result: dict[str, Any] = ansible.mended(task, ansible.Wizard(task))
    return result


def test_what_cannot_be_planned_is_a_failure_in_check_mode_too(ansible: Any) -> None:
    offered = {"fixes": [{"id": FIX}]}
    refused = of_refused_fix(CHECK, None, FIX, "its key is another one")
    said = iter((offered, refused))
    params = {"command": [], "options": [], "fail_on": [], "check": CHECK, "fix": FIX, "subject": None}
    task = SimpleNamespace(
        params=params, run_command=lambda argv: (0, json.dumps(next(said)), ""), check_mode=True
    )
    result = ansible.mended(task, ansible.Wizard(task))
    assert (result["changed"], result["failed"]) == (False, True)
    assert result["msg"] == "its key is another one"


def test_what_helps_is_a_change(ansible: Any, tmp_path: Path) -> None:
    result = mended(ansible, tmp_path)
    assert (result["changed"], result["failed"], result["change"]) == (True, False, "1")


def test_what_is_left_half_made_is_a_failure(ansible: Any, tmp_path: Path) -> None:
    """A step failed, and another could not be taken back."""
    result = mended(ansible, tmp_path, run=[["true", "exit 3"], ["exit 7", "true"]])
    assert (result["changed"], result["failed"], result["change"]) == (True, True, "1")
    assert "exit code 3" in result["msg"]
