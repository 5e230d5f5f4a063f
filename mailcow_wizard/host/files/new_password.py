"""A new password that a program of ours left in a file: shown once, and gone."""

from __future__ import annotations

import os


def shown_once(path: str) -> str:
    """The password in that file, which is deleted; empty where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            password = file.read(256).strip()
        os.unlink(path)
    except (OSError, UnicodeDecodeError):
        return ""
    return password
