"""The library that speaks with DNS providers, dns-lexicon: whether it is there."""

from __future__ import annotations


def obstacle(provider: str) -> str:
    """Why records cannot be published at this provider from here, in one sentence; empty where they can."""
    import importlib.util

    if importlib.util.find_spec("lexicon") is None:
        return (
            "--provider needs dns-lexicon, which is not installed; get it with: "
            "pip install 'mailcow-wizard[providers]'"
        )
    return ""
