"""The library that speaks with DNS providers, dns-lexicon: whether it is there, and its credentials."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

WANTED = "dns-lexicon>=3.17,<4"
"""The versions whose interface is known."""

_PREFIX = "LEXICON_"


def credentials() -> dict[str, str]:
    """The variables that only our own program for DNS providers finds in its environment."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def adopt(variables: Mapping[str, str]) -> None:
    """Takes over what somebody else's process found in its environment."""
    os.environ.update({name: value for name, value in variables.items() if name.startswith(_PREFIX)})


def obstacle(provider: str) -> str:
    """Why records cannot be published at this provider from here, in one sentence; empty where they can."""
    import importlib.util

    if importlib.util.find_spec("lexicon") is None:
        # The launcher starts it without `site`, which would set sys.prefix.
        place = os.path.dirname(os.path.dirname(sys.executable))
        if not os.path.isfile(os.path.join(place, "pyvenv.cfg")):  # not ours to install into
            return (
                "--provider needs dns-lexicon, which is not installed; ./wizard in a checkout tells the way"
            )
        python = shlex.quote(sys.executable)
        way = f"{python} -m ensurepip && {python} -m pip install {shlex.quote(WANTED)}"
        return f"--provider needs dns-lexicon, which is not installed; get it with: {way}"
    try:
        from lexicon._private.discovery import find_providers  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return ""
    known = find_providers()
    if provider not in known:
        return f"dns-lexicon knows no provider '{provider}'; there are: {', '.join(sorted(known))}"
    if not known[provider]:
        return f"dns-lexicon lacks a part for {provider}; get it with: pip install 'dns-lexicon[{provider}]'"
    return ""
