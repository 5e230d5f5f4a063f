#!/usr/bin/python
"""An Ansible module: the wizard's command line on the target, with what it says as the module's result."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: mailcow_wizard
short_description: Checks, mends, installs and verifies a mailcow server
description:
  - Runs mailcow-wizard on the target and returns what it found.
  - In check mode nothing is changed; a fix or an install returns its plan.
options:
  action:
    description: What to do.
    choices: [check, fix, install, verify]
    default: check
    type: str
  command:
    description: The program on the target and the words before its own.
    type: list
    elements: str
    default: [mailcow-wizard]
  selectors:
    description: What to check, as steps, beginnings of ids or ids. Empty is everything.
    type: list
    elements: str
    default: []
  check:
    description: The id of the check that a fix mends.
    type: str
  fix:
    description: The id of the fix.
    type: str
  subject:
    description: Which one, where a check has several.
    type: str
  options:
    description: Further options of the command line, such as --hostname mail.example.org.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - The statuses of findings that make the task fail.
      - Acknowledged findings never do, a check that crashed always does.
    type: list
    elements: str
    choices: [fail, warn, unknown]
    default: [fail]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- mailcow_wizard:
    selectors: [system, ports]
    options: [--hostname, mail.example.org]

- mailcow_wizard:
    action: fix
    check: ports.smtp
    fix: stop-service
"""

RETURN = r"""
findings:
  description: Every finding, as in the wizard's JSON.
  returned: check and verify
  type: list
counts:
  description: How many findings have each status.
  returned: check and verify
  type: dict
plan:
  description: The steps of a fix, as commands and diffs.
  returned: fix
  type: dict
change:
  description: The change in the wizard's journal, which `mailcow-wizard undo` takes back.
  returned: fix, when something was changed
  type: str
stages:
  description: The stages of an install.
  returned: install
  type: list
exit_code:
  description: The wizard's exit code.
  returned: always
  type: int
"""

# The exit codes with which a command says how the machine is, not that it could not do its work.
_JUDGED = (0, 1, 2, 3)


class Refused(Exception):
    """The wizard did not do it; the text is what it said."""


class Wizard:
    """The command line on this machine."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.exit_code = 0

    def asked(self, *words: str, judged: tuple[int, ...] = _JUDGED) -> dict[str, Any]:
        """The document of a command. Raises Refused where there is none, or its work was not done."""
        argv = [*self._module.params["command"], *words, *self._module.params["options"], "--json"]
        self.exit_code, out, said = self._module.run_command(argv)
        try:
            document = json.loads(out)
        except ValueError:
            document = None
        if self.exit_code not in judged or not isinstance(document, dict):
            error = document.get("error") if isinstance(document, dict) else ""
            lines = said.strip().splitlines()
            raise Refused(
                error or (lines[-1] if lines else f"exit code {self.exit_code}, and nothing was said")
            )
        return document


def looked(module: AnsibleModule, wizard: Wizard) -> dict[str, Any]:
    """`check` and `verify`: the findings, and whether they let the task fail."""
    action = module.params["action"]
    document = wizard.asked(
        action, *(module.params["selectors"] if action == "check" else ()), judged=(*_JUDGED, 70)
    )
    findings = document["checks"]
    bad = [one for one in findings if is_bad(one, module.params["fail_on"])]
    result = {"changed": False, "findings": findings, "counts": document["summary"], "failed": bool(bad)}
    if bad:
        result["msg"] = "; ".join(f"{named(one)}: {one['summary']}" for one in bad)
    return result


def is_bad(finding: dict[str, Any], statuses: list[str]) -> bool:
    """Whether a finding makes the task fail."""
    return finding["status"] == "crashed" or (finding["status"] in statuses and not finding["acknowledged"])


def named(finding: dict[str, Any]) -> str:
    """A finding's id, with its subject where it has one."""
    return f"{finding['id']} ({finding['subject']})" if finding["subject"] else finding["id"]


def shown(step: dict[str, Any]) -> str:
    """A step of a plan as --diff shows it: what is edited, the command that is run, a remark."""
    if step["kind"] == "edit":
        return str(step["diff"])
    if step["kind"] == "command":
        return f"$ {shlex.join(step['argv'])}\n"
    return "".join(f"# {line}\n" for line in step["text"].splitlines())


def mended(module: AnsibleModule, wizard: Wizard) -> dict[str, Any]:
    """`fix`: nothing where it is not offered, as for a check that passes."""
    check, fix = module.params["check"], module.params["fix"]
    subject = ["--subject", module.params["subject"]] if module.params["subject"] else []
    offered = wizard.asked("fix", check, *subject)["fixes"]
    if fix not in {one["id"] for one in offered}:
        return {
            "changed": False,
            "msg": f"{check}: {fix} is not needed or not possible here",
            "offered": offered,
        }
    document = wizard.asked("fix", check, fix, *subject, "--dry-run" if module.check_mode else "--yes")
    finding = document["result"]
    # A change that failed and could not be taken back has a number, too.
    result = {
        "changed": bool(document["change"] or (module.check_mode and document["plan"])),
        "plan": document["plan"],
        "change": document["change"],
        "diff": [{"prepared": shown(step)} for step in (document["plan"] or {"steps": []})["steps"]],
        "failed": bool(document["error"]) or (bool(finding) and is_bad(finding, module.params["fail_on"])),
    }
    if document["error"]:
        result["msg"] = document["error"]
    if finding:
        result.update(findings=[finding], msg=f"{named(finding)}: {finding['summary']}")
    return result


def installed(module: AnsibleModule, wizard: Wizard) -> dict[str, Any]:
    """`install`: goes on where it stopped; nothing where mailcow is there already."""
    document = wizard.asked("install", "--dry-run" if module.check_mode else "--yes")
    state = document["state"]
    result = {
        "changed": state in ("planned", "done", "failed", "stopped"),
        "state": state,
        "stages": document["stages"],
        "log": document["log"],
        "failed": state not in ("planned", "done", "present"),
    }
    if document["error"]:
        result["msg"] = "\n".join([document["error"], *document["remedies"]])
    return result


ACTIONS = {"check": looked, "verify": looked, "fix": mended, "install": installed}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "action": {"type": "str", "choices": sorted(ACTIONS), "default": "check"},
            "command": {"type": "list", "elements": "str", "default": ["mailcow-wizard"]},
            "selectors": {"type": "list", "elements": "str", "default": []},
            "check": {"type": "str"},
            "fix": {"type": "str"},
            "subject": {"type": "str"},
            "options": {"type": "list", "elements": "str", "default": []},
            "fail_on": {
                "type": "list",
                "elements": "str",
                "choices": ["fail", "warn", "unknown"],
                "default": ["fail"],
            },
        },
        required_if=[("action", "fix", ("check", "fix"))],
        supports_check_mode=True,
    )
    wizard = Wizard(module)
    try:
        result = ACTIONS[module.params["action"]](module, wizard)
    except Refused as refusal:
        module.fail_json(msg=f"mailcow-wizard: {refusal}", exit_code=wizard.exit_code)
    result["exit_code"] = wizard.exit_code
    if result.pop("failed", False):
        module.fail_json(**{"msg": "mailcow-wizard failed", **result})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
