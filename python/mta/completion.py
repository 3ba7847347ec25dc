# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Scripts for bash and zsh that complete the command lines of `mta` and of the tools.

What `mta` takes is written into the script; the tools are asked for their options
whenever one is completed, as they are known only to them.
"""

import argparse

SHELLS = ("bash", "zsh")
#: The programs whose `--help` lists their options.
TOOLS = ("mta-lsp-server", "mta-opt", "mta-ptx-run", "mta-translate")

# zsh runs bash's functions, with its own word splitting, and does not break words at `=`.
_ZSH = """\
autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
"""

# `--option=value` is three words for bash and one for zsh. Options of a tool begin in
# one of the first columns of its help: those of passes, further right, are none of
# the tool. Values follow their option, each after a `=`.
_TOOLS = """\
_mta_split() {
  word="$2" option="" prefix=""
  if [ "$word" = "=" ]; then
    word="" option="$3"
  elif [ "$3" = "=" ]; then
    option="${COMP_WORDS[COMP_CWORD-2]}"
  elif [ "${word#-*=}" != "$word" ]; then
    option="${word%%=*}" prefix="${word%%=*}=" word="${word#*=}"
  fi
}
_mta_tool() {
  local word option prefix
  _mta_split "$@"
  [ -n "$option" ] || [ "${word#-}" != "$word" ] || return
  COMPREPLY=($(compgen -P "$prefix" -W "$("$1" --help 2>/dev/null | awk -v option="$option" '
    match($0, /^ +--?[a-zA-Z]/) && RLENGTH <= 9 {
      name = $1
      sub(/[=<[].*/, "", name)
      if (option == "") print name
      next
    }
    option == name && /^ +=/ { print substr($1, 2) }
  ')" -- "$word"))
}
"""


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """What `eval` in the shell makes complete; `parser` is that of `mta`."""
    words, values = {"": _options(parser)}, {}
    for command, subparser in _commands(parser).items():
        words[""].append(command)
        words[command] = _options(subparser)
        for action in subparser._actions:
            if action.choices is None:
                continue
            if not action.option_strings:
                words[command] += action.choices
            for name in action.option_strings:
                values[f"{command} {name}"] = list(action.choices)
    text = _ZSH if shell == "zsh" else ""
    text += _TOOLS + _mta_function(words, values)
    return text + f"complete -o default -F _mta mta\ncomplete -o default -F _mta_tool {' '.join(TOOLS)}\n"


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    action, = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [name for action in parser._actions for name in action.option_strings]


def _mta_function(words: dict[str, list[str]], values: dict[str, list[str]]) -> str:
    commands = "|".join(name for name in words if name)
    lines = [
        "_mta() {",
        '  local word option prefix command="" words="" i',
        '  _mta_split "$@"',
        "  for ((i = 1; i < COMP_CWORD; i++)); do",
        '    case "${COMP_WORDS[i]}" in',
        f'    {commands}) command="${{COMP_WORDS[i]}}"; break ;;',
        "    esac",
        "  done",
        '  case "$command ${option:-$3}" in',
        *(f'  "{name}") words="{" ".join(choices)}" ;;' for name, choices in values.items()),
        "  *)",
        '    case "$command" in',
        *(f'    "{name}") words="{" ".join(options)}" ;;' for name, options in words.items()),
        "    esac ;;",
        "  esac",
        '  COMPREPLY=($(compgen -P "$prefix" -W "$words" -- "$word"))',
        "}",
        "",
    ]
    return "\n".join(lines)
