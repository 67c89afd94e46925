"""The completion script for bash."""

from __future__ import annotations

import shlex

from ricordi.cli.completion_model import CompletedVerb, global_options, value_cases

_HEAD = """\
# Completion of ricordi for bash, generated from the tree of verbs: `ricordi completion bash`.
# Put it into ~/.local/share/bash-completion/completions/ricordi, or: source <(ricordi completion bash)
"""

_TAIL = r"""
_ricordi() {
    local cur=${COMP_WORDS[COMP_CWORD]} path='' word kind='' named='' subs opts i
    local -i skip=0
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -* ]]; then
            _ricordi_value "$path" "$word"
            skip=$((${#kind} > 0))
            continue
        elif ((skip)); then
            [[ $word == = ]] && continue
            [[ $kind == profile ]] && named=$word
            skip=0
            continue
        fi
        _ricordi_words "$path"
        [[ " $subs " == *" $word "* ]] && path="${path:+$path }$word"
    done
    COMPREPLY=()
    [[ $cur == = ]] && cur=''
    _ricordi_words "$path"
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
        return
    elif ((!skip)); then
        if [[ -n $subs ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$subs" -- "$cur")
            return
        fi
        _ricordi_value "$path" ''
    fi
    case $kind in
        words:*) mapfile -t COMPREPLY < <(compgen -W "${kind#words:}" -- "$cur") ;;
        file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        any | '') ;;
        *) mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" _names "$kind" "$cur" "$named" 2>/dev/null) ;;
    esac
}

complete -F _ricordi ricordi
"""


def bash_script(verbs: list[CompletedVerb], branches: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The script as text."""
    lines = [_HEAD, '# What may follow the words in $1: sets subs and opts.', '_ricordi_words() {', "    subs=''"]
    lines += [f'    opts={shlex.quote(" ".join(name for name, _ in global_options()))}', '    case $1 in']
    for path, words in branches:
        subs = shlex.quote(' '.join(word for word, _ in words))
        lines.append(f'        {shlex.quote(path)}) subs={subs} ;;')
    for verb in verbs:
        names = ' '.join(name for option in verb.options for name in option.names)
        lines.append(f'        {shlex.quote(verb.path)}) opts={shlex.quote(names)} ;;')
    lines += [
        '    esac',
        '}',
        '',
        '# What the option $2 after the words in $1 takes (no option: an argument): sets kind.',
    ]
    lines += ['_ricordi_value() {', "    kind=''", '    case "$1|$2" in']
    for patterns, kind in value_cases(verbs):
        lines.append(f'        {"|".join(map(shlex.quote, patterns))}) kind={shlex.quote(kind)} ;;')
    lines += ["        *'|-p' | *'|--profile') kind=profile ;;", "        *'|--archive') kind=file ;;", '    esac', '}']
    return '\n'.join(lines) + '\n' + _TAIL
