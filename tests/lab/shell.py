"""Real bash that sources files: what is set afterwards. It finds no command to run, and can write no file."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Each file has a shell of its own. What it ends with is told when the shell ends, whyever it does.
_ASK = r"""
ulimit -f 0 -c 0
trap '' XFSZ
exec 3>&1 >/dev/null 2>&1 </dev/null
for file in ../cases/[0-9]*; do
  (
    own=$BASHPID
    tell() {
      [[ $BASHPID == "$own" ]] || return
      printf '%s\0' "${file##*/}" >&3
      while read -r name; do
        [[ -v $name ]] && printf '%s\0%s\0' "$name" "${!name}" >&3
      done < "../cases/keys-${file##*/}"
      printf '\0' >&3
    }
    trap tell EXIT
    source "$file"
  )
done
"""


def reads(
    files: Sequence[bytes], keys: Sequence[Sequence[str]], place: Path, environment: Mapping[str, str]
) -> list[dict[str, str]]:
    """What bash has set of these keys after sourcing each file; values as text with surrogate escapes."""
    # What a line writes goes to a directory of its own.
    (place / "cases").mkdir()
    (place / "here").mkdir()
    for number, data in enumerate(files):
        (place / "cases" / f"{number}").write_bytes(data)
        (place / "cases" / f"keys-{number}").write_text("".join(f"{key}\n" for key in keys[number]))
    ran = subprocess.run(
        ["/bin/bash", "-c", _ASK],
        cwd=place / "here",
        env=dict(environment),
        capture_output=True,
        timeout=300,
        check=False,
    )
    found: list[dict[str, str]] = [{} for _ in files]
    parts = iter(os.fsdecode(part) for part in ran.stdout.split(b"\0"))
    for number in parts:
        if not number:
            break
        for name in iter(lambda: next(parts), ""):
            found[int(number)][name] = next(parts)
    return found
