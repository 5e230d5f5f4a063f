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
from mailcow_wizard.host.files.state import FOR_ROOT
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
    known = (*_FILES, *_DIRECTORIES, "format", "lang", "resume")
    plain = [f"--{one}" for one in VALUE_NAMES if one not in known]
    options = "".join(f"""
            {one}) words="{_options_of(one)}" ;;""" for one in COMMANDS)  # fmt: skip
    formats = "".join(f"""
            {one}) words="{" ".join(some)}" ;;""" for one, some in FORMATS.items())  # fmt: skip
    fixes = "".join(f"""
                {one}) words="{_fixes(one)}" ;;""" for one in IDS)  # fmt: skip
    return f"""\
# bash completion for {_NAME}; put it into /etc/bash_completion.d/{_NAME}
_mailcow_wizard() {{
    local IFS=$' \\t\\n' command= first= second= value= words= one rest=$COMP_LINE n=-1 begin=
    local place={FOR_ROOT}
    [ "$(id -u)" = 0 ] || place=${{XDG_STATE_HOME:-$HOME/.local/state}}/mailcow-wizard
    local -a said=()
    # bash ends words at = and : too: what no blank parts is one word.
    for one in "${{COMP_WORDS[@]:0:$((COMP_CWORD+1))}}"; do
        case $rest in
        [[:space:]]*) rest=${{rest#"${{rest%%[![:space:]]*}}"}}; n=$((n+1)) ;;
        *) [ $n -ge 0 ] || n=0 ;;
        esac
        said[$n]=${{said[$n]-}}$one rest=${{rest#"$one"}}
    done
    local word=${{said[$n]}} before=
    [ $n -gt 0 ] && before=${{said[$((n-1))]}}
    case $word in
    --*=*)
        before=${{word%%=*}}
        # What is put in the place of a whole word begins like it.
        case ${{COMP_WORDS[$COMP_CWORD]}} in --*=*) begin=$before= ;; esac
        word=${{word#*=}} ;;
    esac
    for one in "${{said[@]:1:$((n > 0 ? n - 1 : 0))}}"; do
        if [ -n "$value" ]; then
            [ "$value" != --state-dir ] || place=$one
            value=; continue
        fi
        case $one in
        {"|".join(f"--{one}" for one in VALUE_NAMES)}) value=$one ;;
        --state-dir=*) place=${{one#*=}} ;;
        -*) ;;
        *)
            if [ -z "$command" ]; then command=$one
            elif [ -z "$first" ]; then first=$one
            else second=$one; fi ;;
        esac
    done
    case $before in
    {"|".join(f"--{one}" for one in _FILES)}) _mailcow_wizard_paths -f; return ;;
    {"|".join(f"--{one}" for one in _DIRECTORIES)}) _mailcow_wizard_paths -d; return ;;
    --lang) words="{" ".join(LANGUAGES)}" ;;
    --resume) words=$(_mailcow_wizard_changes) ;;
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
                lint) _mailcow_wizard_paths -f; return ;;
                esac ;;
            undo) [ -n "$first" ] || words=$(_mailcow_wizard_changes) ;;
            completion) words="{" ".join(_SHELLS)}" ;;
            schema) words="answers" ;;
            build) _mailcow_wizard_paths -f; return ;;
            esac ;;
        esac ;;
    esac
    COMPREPLY=($(compgen -P "$begin" -W "$words" -- "$word"))
}}
_mailcow_wizard_changes() {{
    # Numbers only: compgen would run what another name holds, $(…) say, whoever gave it.
    command ls "$place/changes" 2>/dev/null | LC_ALL=C command grep -Ex '[0-9]+'
}}
_mailcow_wizard_paths() {{
    # A directory goes on, and a blank is quoted; not in zsh, which does so itself, nor in bash 3.
    type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
    local IFS=$'\\n' IPREFIX= PREFIX=$word # zsh looks for files that begin like these
    COMPREPLY=($(compgen -P "$begin" $1 -- "$word"))
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
    fixes = (_fish_line(f"fix 1; and __mailcow_wizard_first '{one}.*'", _fixes(one)) for one in IDS)
    values = " ".join(f"--{one}" for one in VALUE_NAMES)
    return f"""\
# fish completion for {_NAME}; put it into ~/.config/fish/completions/{_NAME}.fish
function __mailcow_wizard_words # before the cursor, without options and their values
    set -l value
    for one in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value
        else if contains -- $one {values}
            set value $one
        else if not string match -q -- '-*' $one
            echo $one
        end
    end
end
function __mailcow_wizard_changes # by their numbers
    set -l place {FOR_ROOT}
    set -l base $HOME/.local/state
    set -q XDG_STATE_HOME; and set base $XDG_STATE_HOME
    test (id -u) = 0; or set place $base/mailcow-wizard
    set -l before
    for one in (commandline -opc)
        string match -q -- '--state-dir=*' $one; and set place (string replace -- --state-dir= '' $one)
        test "$before" = --state-dir; and set place $one
        set before $one
    end
    command ls $place/changes 2>/dev/null | string match -r '^[0-9]+$'
end
function __mailcow_wizard_command # whether it is one of these
    set -l words (__mailcow_wizard_words)
    set -q words[1]; and contains -- $words[1] $argv
end
function __mailcow_wizard_at # whether it is this command, with so many words behind it
    set -l words (__mailcow_wizard_words)
    test (count $words) -eq (math $argv[2] + 1); and test $words[1] = $argv[1]
end
function __mailcow_wizard_first # whether the first word behind the command is like this
    set -l words (__mailcow_wizard_words)
    string match -q -- $argv[1] $words[2]
end
complete -c {_NAME} -f
""" + "".join(
        f"{line}\n"
        for line in (
            _fish_words("not count (__mailcow_wizard_words) >/dev/null", " ".join(COMMANDS)),
            _fish_words("__mailcow_wizard_command check", f"{' '.join(checks.STEPS)} {_ids()}"),
            *(_fish_line(f"{one} 0", _ids()) for one in _OF_CHECKS),
            *fixes,
            _fish_line("conf 0", " ".join(CONF_WORDS)),
            _fish_line("conf 1; and __mailcow_wizard_first get", " ".join(KEYS)),
            _fish_line("undo 0", "(__mailcow_wizard_changes)"),
            _fish_line("schema 0", "answers"),
            _fish_line("completion 0", " ".join(_SHELLS)),
            f"complete -c {_NAME} -n '__mailcow_wizard_command build' -F",
            f"complete -c {_NAME} -n '__mailcow_wizard_command conf; and __mailcow_wizard_first lint' -F",
            *(
                f"complete -c {_NAME}{_fish_condition(name)} -l {name}{_fish_value(name)}"
                for name in (*FLAG_NAMES, *VALUE_NAMES)
                if name != "format"
            ),
            *(
                f"complete -c {_NAME} -n '__mailcow_wizard_command {one}' -l format -x -a '{' '.join(some)}'"
                for one, some in FORMATS.items()
            ),
        )
    )


def _fish_words(condition: str, words: str) -> str:
    return f"complete -c {_NAME} -n \"{condition}\" -a '{words}'"


def _fish_line(where: str, words: str) -> str:
    """`where`: a command, the number of words behind it, and what else."""
    return _fish_words(f"__mailcow_wizard_at {where}", words)


def _fish_condition(name: str) -> str:
    """When an option is offered: with the commands that take it."""
    commands = [one for one in ONLY_FOR.get(name, ()) if one]
    return f" -n '__mailcow_wizard_command {' '.join(commands)}'" if commands else ""


def _fish_value(name: str) -> str:
    if name == "resume":
        return " -x -a '(__mailcow_wizard_changes)'"
    if name == "lang":
        return f" -x -a '{' '.join(LANGUAGES)}'"
    if name in (*_FILES, *_DIRECTORIES):
        return " -r -F"
    return " -x" if name in VALUE_NAMES else ""
