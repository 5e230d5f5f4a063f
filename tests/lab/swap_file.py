"""Run in mounts of its own: makes a swap file in a directory through the engine, takes it back, and answers
in JSON what was there before, meanwhile and after.

`python3 swap_file.py DIRECTORY STATE`
"""

import json
import os
import subprocess
import sys
from typing import Any

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.fixes import swap
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Command, Settings


def seen(directory: str) -> dict[str, Any]:
    """The directory, /etc/fstab and the swap areas that lie in the directory."""
    with open("/proc/swaps") as areas, open("/etc/fstab") as fstab:
        lines = [line.split() for line in areas if line.startswith(directory)]
        table = fstab.read()
    found = [os.stat(f"{directory}/{name}") for name in sorted(os.listdir(directory))]
    return {
        "files": [(oct(one.st_mode), one.st_uid, one.st_size) for one in found],
        "names": sorted(os.listdir(directory)),
        "fstab": table,
        "areas": [(line[0], line[1], int(line[2])) for line in lines],
    }


def main(directory: str, state: str) -> dict[str, Any]:
    """Does it all."""
    session = Session(RealHost(), Settings(), StateDirectory(state))
    plan = swap.plan("system.swap", session.new_facts(), (directory,))
    log: list[str] = []

    def listen(progress: mending.Progress) -> None:
        log.append(f"{progress.kind} {progress.text}")

    said: dict[str, Any] = {"log": log, "before": seen(directory)}
    said["commands"] = [" ".join(step.argv) for step in plan.steps if isinstance(step, Command)]
    made = mending.apply(session, plan, listen)
    try:
        said |= {"state": made.state, "meanwhile": seen(directory)}
        said["status"] = made.finding.status if made.finding else made.error
        said["undone"] = mending.take_back(session, made.change, listen).state
    finally:
        for name in os.listdir(directory):  # else the mount would outlive us
            subprocess.run(["swapoff", f"{directory}/{name}"], capture_output=True, check=False)
    said["after"] = seen(directory)
    return said


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except HostError as error:
        print(json.dumps({"refused": str(error)}))
