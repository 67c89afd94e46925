"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterable

from ricordi.cli.completion.model import LEVEL_KIND, CompletedVerb, global_options, value_cases

_HEAD = """\
# Completion of ricordi for fish, generated from the tree of verbs: `ricordi completion fish`.
# In ~/.config/fish/config.fish: ricordi completion fish | source. Or put it into the folder completions there.
"""

_TAIL = r"""
function __ricordi_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l words
    set -l kind ''
    set -l named ''
    for token in $tokens[2..-1]
        if string match -q -- '-*' $token
            set kind (__ricordi_value "$words|$token")
            string match -q -- '--profile=*' $token; and set named (string replace -- '--profile=' '' $token)
        else if test -n "$kind"
            test "$kind" = profile; and set named $token
            string match -q -- '\**' $kind; or set kind '' # several values may follow
        else if contains -- $token (__ricordi_words "$words" | string replace -r '\t.*' '')
            set -a words $token
        end
    end
    set -l before ''
    if string match -qr -- '^--[^=]+=' $current
        set before (string replace -r -- '=.*' '=' $current)
        set current (string replace -- $before '' $current)
        set kind (__ricordi_value "$words|"(string trim -r -c '=' -- $before))
        test -n "$kind"; or return
    else if string match -q -- '-*' $current
        __ricordi_options "$words"
        return
    end
    if test -z "$kind"
        set -l below (__ricordi_words "$words")
        if test -n "$below"
            printf '%s\n' $below
            return
        end
        set kind (__ricordi_value "$words|")
    end
    set kind (string replace -r -- '^[*]' '' "$kind")
    __ricordi_values "$kind" "$current" "$named" $tokens[1] | string replace -r -- '^' $before
end

# What may be a value: its kind, its beginning, the profile, the program.
function __ricordi_values -a kind current named program
    switch "$kind"
        case 'words:*'
            string split ' ' (string replace 'words:' '' $kind)
        case file
            __fish_complete_path $current
        case folder
            __fish_complete_directories $current
        case any ''
            return
        case '*'
            command -q $program; and $program _names $kind "$current" "$named" 2>/dev/null
    end
end

complete -c ricordi -f -a '(__ricordi_complete)'
"""

_PROFILE_OPTION = (
    r"""        string match -rq '\|(-p|--profile)$' -- $argv[1]; and echo profile
        string match -q '*|--archive' -- $argv[1]; and echo file
        string match -q '*|--verbosity' -- $argv[1]; and echo """
    + f"'{LEVEL_KIND}'"
)


def fish_script(verbs: list[CompletedVerb], branches: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The script as text."""
    nouns = [f'    case {_quote(path)}\n{_printed(words)}' for path, words in branches]
    options = [
        f'    case {_quote(verb.path)}\n'
        + _printed((name, option.line) for option in verb.options for name in option.names)
        for verb in verbs
    ]
    values = [
        f'    case {" ".join(map(_quote, patterns))}\n        echo {_quote(kind)}'
        for patterns, kind in value_cases(verbs)
    ]
    return '\n'.join(
        [
            _HEAD,
            *_function('__ricordi_words', 'The words that may follow those in the argument', nouns),
            *_function('__ricordi_options', 'The options after these words', options, _printed(global_options())),
            *_function('__ricordi_value', 'What `words|option` takes', values, _PROFILE_OPTION),
            _TAIL.strip('\n'),
            '',
        ]
    )


def _function(name: str, description: str, cases: list[str], otherwise: str | None = None) -> list[str]:
    last = [f"    case '*'\n{otherwise}"] if otherwise else []
    return [
        f'function {name} --description {_quote(description)}',
        '    switch $argv[1]',
        *cases,
        *last,
        '    end',
        'end',
        '',
    ]


def _printed(pairs: Iterable[tuple[str, str]]) -> str:
    return "        printf '%s\\t%s\\n' " + ' '.join(f'{word} {_quote(line)}' for word, line in pairs)


def _quote(text: str) -> str:
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"
