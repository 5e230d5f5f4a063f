"""docker compose, as mailcow is driven: its words, its progress, what it knows of the services."""

from __future__ import annotations

import json
from collections.abc import Callable

from mailcow_wizard.facts.compose import compose as installed
from mailcow_wizard.facts.compose_files import COMMANDS
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.troubles import KILLED, of_end
from mailcow_wizard.language import _
from mailcow_wizard.redaction import of_compose
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_SHORT_S = 60.0
_PAUSE_S = 3.0


class Compose:
    """The Compose that this machine has, working in mailcow's directory."""

    def __init__(self, job: Job) -> None:
        """Raises Failed where there is none that mailcow takes."""
        self._job = job
        self.flavour = job.facts().get(installed).flavour
        if not self.flavour:
            raise Failed(
                _("there is no Docker Compose 2"), (_("./wizard fix docker.compose shows what can be done."),)
            )
        self._command = COMMANDS[self.flavour]
        self._json: bool | None = None

    def argv(self, *words: str) -> tuple[str, ...]:
        """A whole command."""
        return (*self._command, *words)

    def with_progress(self, *words: str) -> tuple[str, ...]:
        """A whole command that tells its progress: as JSON where this Compose can."""
        if self._json is None:
            help_lines = " ".join(self.says("--help"))
            self._json = "json" in help_lines.partition("--progress")[2][:200]
        return self.argv("--ansi", "never", "--progress", "json" if self._json else "plain", *words)

    def run(
        self,
        argv: tuple[str, ...],
        timeout: float,
        listen: Callable[[str], None],
        watch: Callable[[], None] = lambda: None,
    ) -> int:
        """Runs a command that may be ended at any moment; its exit code."""
        return self._job.run(
            argv, timeout, listen, directory=self._job.directory, talkative=True, watch=watch
        )

    def says(self, *words: str) -> list[str]:
        """What a short command says; one that was killed is tried once more. Raises Failed where it fails."""
        code, said = self._said(words)
        if code and of_end(code, said).kind == KILLED:
            self._job.wait(_PAUSE_S)
            code, said = self._said(words)
        if code:
            command = f"docker compose {' '.join(words)}"
            trouble = of_end(code, said)
            killed = trouble.kind == KILLED
            last = of_compose(said[-1]) if said and not killed else trouble.words
            remedies = trouble.remedies if killed else ("./wizard conf lint",)
            raise Failed(_("{command} failed: {last}", command=command, last=last), remedies)
        return said

    def _said(self, words: tuple[str, ...]) -> tuple[int, list[str]]:
        said: list[str] = []
        # Compose before 2.26 writes its JSON in one line.
        code = self._job.run(
            self.argv(*words),
            _SHORT_S,
            said.append,
            directory=self._job.directory,
            whole=True,
            patience=_SHORT_S,
        )
        return code, said

    def services(self) -> dict[str, dict[str, Any]]:
        """The services as Compose reads them, with docker-compose.override.yml. Raises Failed."""
        text = "\n".join(self.says("config", "--format", "json"))
        try:
            found = json.loads(text[text.index("{") :])["services"].items()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Failed(_("docker compose config gives nothing that can be read")) from None
        return {str(name): one for name, one in found if isinstance(one, dict)}
