"""Programs of the wizard that are started by their path find the rest of it, whatever is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "mailcow_wizard").rglob("*.py")
    if "sys.path[0] =" in path.read_text() and path.parent.name != "one_file"  # which is in another place
)


def test_there_are_some() -> None:
    assert {"mailcow_wizard/host/programs/ufw_back.py", "mailcow_wizard/host/programs/admin_reset.py"} <= set(
        SCRIPTS
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_begins_without_anything_installed(script: str) -> None:
    argv = [sys.executable, "-S", str(ROOT / script)]
    done = subprocess.run(
        argv,
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Two of them need a library, which the wizard's own Python has.
    assert "No module named 'mailcow_wizard" not in done.stderr


@pytest.mark.parametrize("kind", ["python3.11", "python3.13t", "pypy3.11"])
def test_the_launchers_own_finds_packages_wherever_its_python_has_them(tmp_path: Path, kind: str) -> None:
    venv = tmp_path / ".venv"
    packages, python, script = (
        venv / "lib" / kind / "site-packages",
        venv / "bin/python",
        venv / "bin/mailcow-wizard",
    )
    for folder in (packages, python.parent):
        folder.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (packages / "package.py").touch()
    (tmp_path / "program.py").write_text("import package, sys\nprint(sys.flags.no_site)\n")
    script.write_text(f"#!{python}\nimport re\nimport sys\nimport program\n")
    functions = (ROOT / "wizard").read_text().rpartition("main ")[0]
    subprocess.run(
        ["sh", "-c", f"{functions}\nvenv=$1 log=$2\nslim_script", "sh", venv, tmp_path / "log"], check=True
    )
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
