"""The command `completion`: what a shell needs to complete this program's words."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard import checks
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import (
    COMMANDS,
    CONF_WORDS,
    FLAG_NAMES,
    FORMATS,
    ONLY_FOR,
    VALUE_NAMES,
    Options,
)
from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.fixes import IDS
from mailcow_wizard.language import LANGUAGES

_NAME = "mailcow-wizard"
_SHELLS = ("bash", "zsh", "fish")
_FILES = ("host", "record", "log", "tsig", "answers", "password-file", "far-password-file")
_DIRECTORIES = ("dir", "state-dir")
_OF_CHECKS = ("fix", "ack", "explain")


def completion(options: Options, write: Callable[[str], None]) -> int:
    """Writes the script for the shell that is named; returns the exit code."""
    scripts = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    write(scripts[options.words[0]]())
    return exit_codes.OK


def _ids() -> str:
    return " ".join(check.id for check in checks.all_checks())


def _options_of(command: str) -> str:
    """The options that make sense with a command."""
    names = (one for one in (*FLAG_NAMES, *VALUE_NAMES) if command in ONLY_FOR.get(one, (command,)))
    return " ".join(f"--{name}" for name in names)


def _fixes(topic: str) -> str:
    """The fixes of a topic's checks; what only begins ids is left out."""
    return " ".join(one for one in IDS[topic] if not one.endswith("-"))


def _bash() -> str:
    steps = " ".join(checks.STEPS)
    plain = [f"--{one}" for one in VALUE_NAMES if one not in (*_FILES, *_DIRECTORIES, "format", "lang")]
    options = "".join(f"""
            {one}) words="{_options_of(one)}" ;;""" for one in COMMANDS)  # fmt: skip
    formats = "".join(f"""
            {one}) words="{" ".join(some)}" ;;""" for one, some in FORMATS.items())  # fmt: skip
    fixes = "".join(f"""
                {one}) words="{_fixes(one)}" ;;""" for one in IDS)  # fmt: skip
    return f"""\
# bash completion for {_NAME}; put it into /etc/bash_completion.d/{_NAME}
_mailcow_wizard() {{
    local IFS=$' \\t\\n' word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[$((COMP_CWORD-1))]}}
    local command= first= second= value= words= one
    for one in "${{COMP_WORDS[@]:1:$((COMP_CWORD-1))}}"; do
        if [ -n "$value" ]; then value=; continue; fi
        case $one in
        {"|".join(f"--{one}" for one in VALUE_NAMES)}) value=1 ;;
        -*) ;;
        *)
            if [ -z "$command" ]; then command=$one
            elif [ -z "$first" ]; then first=$one
            else second=$one; fi ;;
        esac
    done
    case $before in
    {"|".join(f"--{one}" for one in _FILES)})
        IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$word")); return ;;
    {"|".join(f"--{one}" for one in _DIRECTORIES)})
        IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$word")); return ;;
    --lang) words="{" ".join(LANGUAGES)}" ;;
    --format) case $command in{formats}
        esac ;;
    {"|".join(plain)}) COMPREPLY=(); return ;;
    *) case $word in
        -*) case $command in
            "") words="{_options_of("")}" ;;{options}
            esac ;;
        *) case $command in
            "") words="{" ".join(COMMANDS)}" ;;
            check) words="{steps} {_ids()}" ;;
            fix)
                if [ -z "$first" ]; then words="{_ids()}"
                elif [ -z "$second" ]; then case ${{first%%.*}} in{fixes}
                esac; fi ;;
            {"|".join(one for one in _OF_CHECKS if one != "fix")}) [ -n "$first" ] || words="{_ids()}" ;;
            conf) case $first in
                "") words="{" ".join(CONF_WORDS)}" ;;
                get) words="{" ".join(KEYS)}" ;;
                lint) IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$word")); return ;;
                esac ;;
            completion) words="{" ".join(_SHELLS)}" ;;
            schema) words="answers" ;;
            build) IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$word")); return ;;
            esac ;;
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
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
    before = "string match -q -- '{pattern}' (commandline -cp)"
    fixes = (
        _fish_line(
            f"__fish_seen_subcommand_from fix; and {before.format(pattern=f'* {one}.* *')}", _fixes(one)
        )
        for one in IDS
    )
    first = f"and not {before.format(pattern='*.* *')}"
    lines = [
        f"# fish completion for {_NAME}; put it into ~/.config/fish/completions/{_NAME}.fish",
        f"complete -c {_NAME} -f",
        _fish_line("__fish_use_subcommand", " ".join(COMMANDS)),
        _fish_line("__fish_seen_subcommand_from check", f"{' '.join(checks.STEPS)} {_ids()}"),
        *(_fish_line(f"__fish_seen_subcommand_from {one}; {first}", _ids()) for one in _OF_CHECKS),
        *fixes,
        _fish_line(
            f"__fish_seen_subcommand_from conf; and not __fish_seen_subcommand_from {' '.join(CONF_WORDS)}",
            " ".join(CONF_WORDS),
        ),
        _fish_line("__fish_seen_subcommand_from conf; and __fish_seen_subcommand_from get", " ".join(KEYS)),
        _fish_line("__fish_seen_subcommand_from schema", "answers"),
        _fish_line("__fish_seen_subcommand_from completion", " ".join(_SHELLS)),
        f"complete -c {_NAME} -n '__fish_seen_subcommand_from build lint' -F",
        *(
            f"complete -c {_NAME}{_fish_condition(name)} -l {name}{_fish_value(name)}"
            for name in (*FLAG_NAMES, *VALUE_NAMES)
            if name != "format"
        ),
        *(
            f"complete -c {_NAME} -n '__fish_seen_subcommand_from {one}' -l format -x -a '{' '.join(some)}'"
            for one, some in FORMATS.items()
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def _fish_line(condition: str, words: str) -> str:
    return f"complete -c {_NAME} -n \"{condition}\" -a '{words}'"


def _fish_condition(name: str) -> str:
    """When an option is offered: with the commands that take it."""
    commands = [one for one in ONLY_FOR.get(name, ()) if one]
    return f" -n '__fish_seen_subcommand_from {' '.join(commands)}'" if commands else ""


def _fish_value(name: str) -> str:
    if name == "lang":
        return f" -x -a '{' '.join(LANGUAGES)}'"
    if name in (*_FILES, *_DIRECTORIES):
        return " -r -F"
    return " -x" if name in VALUE_NAMES else ""
