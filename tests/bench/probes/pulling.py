"""The wizard on the demo machine, in which `i` shows a pull of mailcow's 18 images, five layers each.

What docker compose would say of it is made up here, five times a second; all from there on is the wizard's.
What follows is the wizard's own command line.
"""

import json
import time

from mailcow_wizard.install.following import Heard, Listen
from mailcow_wizard.install.pulling import Pulling
from mailcow_wizard.install.stages import STAGES
from mailcow_wizard.install.standing import Choices, Progress, Stand, Standing
from mailcow_wizard.tui import installing, reach

_IMAGES, _LAYERS, _LAYER_BYTES = 18, 5, 40_000_000
_SECONDS = 30.0
_PER_SECOND = 5


def pulled(listen: Listen) -> Standing:
    """Goes on for half a minute."""
    stages = tuple(Stand(one.id, "running" if one.id == "pull" else "waiting") for one in STAGES)
    standing = Standing("1", "running", "", "/opt/mailcow", "mail.example.org", {}, Choices(), stages)
    pulling = Pulling(_IMAGES)
    ticks = int(_SECONDS * _PER_SECOND)
    for tick in range(ticks):
        lines = []
        for image in range(_IMAGES):
            for layer in range(_LAYERS):
                part = min(1.0, max(0.0, (tick / ticks * (_IMAGES + 6) - image * 0.9) / 6))
                said = {
                    "id": f"{image:06x}{layer:06x}",
                    "parent_id": f"service-{image}",
                    "text": "Downloading" if part < 1 else "Pull complete",
                    "current": int(part * _LAYER_BYTES),
                    "total": _LAYER_BYTES,
                }
                pulling.hear(json.dumps(said), time.monotonic())
            if part >= 1:
                lines.append(pulling.hear(json.dumps({"id": f"service-{image}", "text": "Pulled"}), 0.0))
        new = tuple(f"pull:   {line}" for line in lines if line)
        listen(Heard(new, standing, Progress("pull", pulling.words(), len(pulling.pulled), _IMAGES)))
        time.sleep(1 / _PER_SECOND)
    return standing


reach.show = lambda app: installing._follow(app, pulled)

from mailcow_wizard.__main__ import main  # noqa: E402

main()
