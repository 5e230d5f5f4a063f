"""The command `completion`: what a shell needs to complete this program's words."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard import checks
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import COMMANDS, FLAG_NAMES, VALUE_NAMES, Options
from mailcow_wizard.model import STEPS

_NAME = "mailcow-wizard"
_FILES = ("--host", "--record", "--log", "--tsig", "--answers")
_DIRECTORIES = ("--dir", "--state-dir")
_OF_CHECKS = ("fix", "ack", "explain")


def completion(options: Options, write: Callable[[str], None]) -> int:
    """Writes the script for the shell that is named; returns the exit code."""
    scripts = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    write(scripts[options.words[0]]())
    return exit_codes.OK


def _ids() -> str:
    return " ".join(check.id for check in checks.all_checks())


def _options() -> str:
    return " ".join(f"--{name}" for name in (*FLAG_NAMES, *VALUE_NAMES))


def _bash() -> str:
    steps = " ".join(one.id for one in STEPS)
    return f"""\
# bash completion for {_NAME}; put it into /etc/bash_completion.d/{_NAME}
_mailcow_wizard() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= one
    local commands="{" ".join(COMMANDS)}"
    for one in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case " $commands " in *" $one "*) command=$one; break ;; esac
    done
    case $before in
        {"|".join(_FILES)}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        {"|".join(_DIRECTORIES)}) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    esac
    local words
    case $word in
        -*) words="{_options()}" ;;
        *)
            case $command in
                "") words=$commands ;;
                check) words="{steps} {_ids()}" ;;
                {"|".join(_OF_CHECKS)}) words="{_ids()}" ;;
                conf) words="get set lint new" ;;
                completion) words="bash zsh fish" ;;
                schema) words="answers" ;;
                *) words= ;;
            esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _mailcow_wizard {_NAME} wizard
"""


def _zsh() -> str:
    return f"""\
#compdef {_NAME}
# zsh completion for {_NAME}; put it into a directory of $fpath as _{_NAME}
autoload -U +X bashcompinit && bashcompinit
{_bash()}"""


def _fish() -> str:
    lines = [
        f"# fish completion for {_NAME}; put it into ~/.config/fish/completions/{_NAME}.fish",
        f"complete -c {_NAME} -f",
        f"complete -c {_NAME} -n __fish_use_subcommand -a '{' '.join(COMMANDS)}'",
        f"complete -c {_NAME} -n '__fish_seen_subcommand_from check {' '.join(_OF_CHECKS)}' -a '{_ids()}'",
        f"complete -c {_NAME} -n '__fish_seen_subcommand_from conf' -a 'get set lint new'",
        f"complete -c {_NAME} -n '__fish_seen_subcommand_from schema' -a answers",
        *(f"complete -c {_NAME} -l {name}" for name in FLAG_NAMES),
        *(
            f"complete -c {_NAME} -l {name} -r{' -F' if f'--{name}' in (*_FILES, *_DIRECTORIES) else ''}"
            for name in VALUE_NAMES
        ),
    ]
    return "".join(f"{line}\n" for line in lines)
