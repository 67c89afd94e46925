"""The completion script for fish."""

from __future__ import annotations

from ricordi.cli.completion_model import CompletedOption, CompletedVerb, Value

_HEAD = """\
# Completion of ricordi for fish, generated from the tree of verbs: `ricordi completion fish`.
# Put it into ~/.config/fish/completions/ricordi.fish, or: ricordi completion fish | source

function __ricordi_words --description 'The words of the command line that are neither options nor their values'
    set -l words
    set -l skip 0
    for token in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $token
            set -l key "$words|$token"
            if contains -- $key $__ricordi_valued
                set skip 1
            else if contains -- $token -p --profile; and not contains -- $key $__ricordi_flags
                set skip 1
            end
        else
            set -a words $token
        end
    end
    string join ' ' $words
end

function __ricordi_at --description 'Whether exactly these words stand before the cursor'
    test (__ricordi_words) = "$argv"
end

function __ricordi_in --description 'Whether the command line began with these words'
    set -l words (__ricordi_words)
    test "$words" = "$argv"; or string match -q -- "$argv *" "$words"
end

complete -c ricordi -f
"""


def fish_script(verbs: list[CompletedVerb], branches: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The script as text."""
    valued, flags = [], []
    for verb in verbs:
        for option in verb.options:
            if option.value is not None:
                valued += [f'{verb.path}|{name}' for name in option.names]
            elif '-p' in option.names:
                flags.append(f'{verb.path}|-p')
    lines = [_HEAD]
    lines.append(f'set -g __ricordi_valued {" ".join(map(_quote, valued))}')
    lines.append(f'set -g __ricordi_flags {" ".join(map(_quote, flags))}')
    lines.append('')
    for path, words in branches:
        for word, line in words:
            lines.append(f'complete -c ricordi -n {_quote(f"__ricordi_at {path}".strip())} -a {word} -d {_quote(line)}')
        if path:
            lines.append('')
    at_top = "-n '__ricordi_at'"
    lines.append(f"complete -c ricordi {at_top} -s p -l profile -x -a '(ricordi _names profile)' -d 'The profile to work on'")
    lines.append(f"complete -c ricordi {at_top} -l version -d 'Show the version'")
    lines.append(f"complete -c ricordi {at_top} -s h -l help -d 'Show help'")
    for verb in verbs:
        lines.append('')
        condition = f'-n {_quote(f"__ricordi_in {verb.path}")}'
        lines += [f'complete -c ricordi {condition} {_option(option)}' for option in verb.options]
        if verb.argument is not None and verb.argument.kind != 'any':
            lines.append(f'complete -c ricordi {condition} {_value(verb.argument)}')
    return '\n'.join(lines) + '\n'


def _option(option: CompletedOption) -> str:
    names = ' '.join(
        f'-l {name.removeprefix("--")}' if name.startswith('--') else f'-s {name.removeprefix("-")}'
        for name in option.names
    )
    value = f' -r {_value(option.value)}' if option.value is not None else ''
    return f'{names}{value} -d {_quote(option.line)}'


def _value(value: Value) -> str:
    if value.kind == 'words':
        return f'-x -a {_quote(" ".join(value.words))}'
    if value.kind in ('file', 'folder'):
        return '-F' if value.kind == 'file' else "-x -a '(__fish_complete_directories)'"
    return '-x' if value.kind == 'any' else f"-x -a '(ricordi _names {value.kind})'"


def _quote(text: str) -> str:
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"
