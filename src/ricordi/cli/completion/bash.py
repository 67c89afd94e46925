"""The completion script for bash."""

from __future__ import annotations

import shlex

from ricordi.cli.completion.model import LEVEL_KIND, CompletedVerb, global_options, value_cases

_HEAD = """\
# Completion of ricordi for bash, generated from the tree of verbs: `ricordi completion bash`.
# Put it into ~/.local/share/bash-completion/completions/ricordi, or: source <(ricordi completion bash)
"""

_TAIL = r"""
# The words up to the cursor: bash has cut them at signs such as @ and :, which are joined here again, but not at =.
_ricordi_split() {
    local rest=${COMP_LINE:0:COMP_POINT} piece before='' i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 && $rest != [[:space:]]* && $piece != = && $before != = ]]; then
            words[-1]+=$piece
        else
            words+=("$piece")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        ((i == COMP_CWORD)) && words[-1]=${words[-1]%"$piece"}$rest
        rest=${rest#"$piece"} before=$piece
    done
}

# Sets name to what stands for it in the line: after the quote $1, or where there is none. A label may hold $(...),
# which the shell would run. Fails for what cannot be said there.
_ricordi_quote() {
    case $1 in
        \") [[ $name == *!* && $- == *H* ]] && return 1 # which bash takes for history there, with or without \
            name=${name//\\/\\\\} name=${name//\"/\\\"} name=${name//\`/\\\`} name=${name//\$/\\\$} ;;
        \') local end="'\\''"; name=${name//\'/"$end"} ;;
        *) printf -v name %q "$name" ;;
    esac
}

# Names that the program lists: $1 is their kind, $2 the profile. Quoted as the line needs them, without what is before
# the last sign at which bash has cut.
_ricordi_names() {
    local start=${cur//\\/} breaks=${COMP_WORDBREAKS//[[:space:]\"\']/} quoted='' cut='' name
    [[ $start == [\"\']* ]] && quoted=${start:0:1} start=${start:1}
    [[ $quoted ]] || cut=${start%"${start##*[$breaks]}"} cut=${cut%@} # of the signs, @ alone begins the next word
    while IFS= read -r name; do
        name=${name#"$cut"}
        _ricordi_quote "$quoted" && COMPREPLY+=("$name")
    done < <("${words[0]}" _names "$1" "$start" "$2" 2>/dev/null)
}

_ricordi() {
    local cur path='' word kind='' named='' subs opts i
    local -a words
    local -i skip=0
    _ricordi_split
    cur=${words[-1]}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $word == -* ]]; then
            _ricordi_value "$path" "$word"
            skip=$((${#kind} > 0))
            continue
        elif ((skip)); then
            [[ $word == = ]] && continue
            [[ $kind == profile ]] && named=$word
            [[ $kind == \** ]] || skip=0 # several values may follow
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
    kind=${kind#\*}
    case $kind in
        words:*) mapfile -t COMPREPLY < <(compgen -W "${kind#words:}" -- "$cur") ;;
        file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        any | '') ;;
        *) _ricordi_names "$kind" "$named" ;;
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
    lines += [
        "        *'|-p' | *'|--profile') kind=profile ;;",
        "        *'|--archive') kind=file ;;",
        f"        *'|--verbosity') kind='{LEVEL_KIND}' ;;",
        '    esac',
        '}',
    ]
    return '\n'.join(lines) + '\n' + _TAIL
