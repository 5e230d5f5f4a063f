"""A complete new mailcow.conf: every key of mailcow's current one, in its order, with a line on each."""

from collections.abc import Mapping

from mailcow_wizard.conf.document import written
from mailcow_wizard.conf.layout import GROUPS, KEYS
from mailcow_wizard.conf.reading import data_of
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.language import _

_RULE = f"# {'-' * 30}"

# Letters and digits: 28 are what generate_config.sh makes, SOGo takes 16 exactly.
SECRETS = {"DBPASS": 28, "DBROOT": 28, "REDISPASS": 28, "SOGO_URL_ENCRYPTION_KEY": 16}
"""The secrets that a new file needs, and their lengths."""

NEEDED = ("MAILCOW_HOSTNAME", "TZ", *SECRETS)
"""The keys that have no default."""


def new(values: Mapping[str, str]) -> bytes:
    """The file with these values, and mailcow's own default for every other key. Keys that mailcow does not
    show come last. Raises Unwritable."""
    missing = [key for key in NEEDED if not values.get(key)]
    if missing:
        raise Unwritable(_("{key} is needed", key=missing[0]))
    parts = []
    for group in GROUPS:
        parts.append(f"{_RULE}\n# {group.title}\n{_RULE}\n")
        for key in group.keys:
            value = values.get(key.name)
            line = written(key.name, key.default if value is None else value)
            parts.append(f"# {key.about}\n{'#' if key.off and value is None else ''}{line}\n")
    parts += [f"{written(key, value)}\n" for key, value in values.items() if key not in KEYS]
    return data_of("\n".join(parts))
