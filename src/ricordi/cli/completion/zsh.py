"""The completion script for zsh."""

from __future__ import annotations

from ricordi.cli.completion.model import LEVEL_KIND, CompletedVerb, global_options, value_cases

_HEAD = """\
#compdef ricordi
# Completion of ricordi for zsh, generated from the tree of verbs: `ricordi completion zsh`.
# Put it as _ricordi into a folder of $fpath, or: source <(ricordi completion zsh)
"""

_TAIL = r"""
_ricordi() {
    local cur=${words[CURRENT]} where='' word kind='' named='' i skip=0
    local -a subs opts names
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if [[ $word == -* ]]; then
            _ricordi_value "$where" "$word"
            [[ $word == --profile=* ]] && named=${word#--profile=}
            skip=$((${#kind} > 0))
            continue
        elif ((skip)); then
            [[ $kind == profile ]] && named=$word
            [[ $kind == \** ]] || skip=0 # several values may follow
            continue
        fi
        _ricordi_words "$where"
        [[ -n ${subs[(r)$word:*]} ]] && where="${where:+$where }$word"
    done
    _ricordi_words "$where"
    if [[ $cur == --*=* ]]; then
        _ricordi_value "$where" "${cur%%=*}"
        compset -P '*='
    elif [[ $cur == -* ]]; then
        _describe -o option opts
        return
    elif ((!skip)); then
        if ((${#subs})); then
            _describe verb subs
            return
        else
            _ricordi_value "$where" ''
        fi
    fi
    kind=${kind#\*}
    case $kind in
        words:*) names=(${=kind#words:}); compadd -a names ;;
        file) _files ;;
        folder) _files -/ ;;
        any | '') ;;
        *) names=("${(@f)$(${words[1]} _names "$kind" "${(Q)PREFIX}" "$named" 2>/dev/null)}"); compadd -a names ;;
    esac
}

if [[ $funcstack[1] == _ricordi ]]; then
    _ricordi "$@"
else
    compdef _ricordi ricordi
fi
"""


def zsh_script(verbs: list[CompletedVerb], branches: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The script as text."""
    lines = [_HEAD, '# What may follow the words in $1: sets subs and opts.', '_ricordi_words() {', '    subs=()']
    lines += [f'    opts=({_described(global_options())})', '    case $1 in']
    for path, words in branches:
        lines.append(f'        {_quote(path)}) subs=({_described(words)}) ;;')
    for verb in verbs:
        pairs = [(name, option.line) for option in verb.options for name in option.names]
        lines.append(f'        {_quote(verb.path)}) opts=({_described(pairs)}) ;;')
    lines += [
        '    esac',
        '}',
        '',
        '# What the option $2 after the words in $1 takes (no option: an argument): sets kind.',
    ]
    lines += ['_ricordi_value() {', "    kind=''", '    case "$1|$2" in']
    for patterns, kind in value_cases(verbs):
        lines.append(f'        {"|".join(map(_quote, patterns))}) kind={_quote(kind)} ;;')
    lines += [
        "        *'|-p' | *'|--profile') kind=profile ;;",
        "        *'|--archive') kind=file ;;",
        f"        *'|--verbosity') kind='{LEVEL_KIND}' ;;",
        '    esac',
        '}',
    ]
    return '\n'.join(lines) + '\n' + _TAIL


def _described(pairs: list[tuple[str, str]]) -> str:
    return ' '.join(_quote(f'{word}:{line.replace(":", chr(92) + ":")}') for word, line in pairs)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
