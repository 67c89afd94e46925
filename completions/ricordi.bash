# Completion of ricordi for bash, generated from the tree of verbs: `ricordi completion bash`.
# Put it into ~/.local/share/bash-completion/completions/ricordi, or: source <(ricordi completion bash)

# What may follow the words in $1: sets subs and opts.
_ricordi_words() {
    subs=''
    opts='-p --profile -v --verbose -q --quiet --debug --version -h --help'
    case $1 in
        '') subs='profile storage tour completion' ;;
        profile) subs='list show set-default' ;;
        storage) subs='info version migrate maintain locks unlock' ;;
        'profile list') opts='--format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'profile show') opts='--format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'profile set-default') opts='--profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage info') opts='--detailed --format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage version') opts='--format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage migrate') opts='--yes --force -y -f --wait --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage maintain') opts='--full --dry-run --repack --no-repack --max-waste --compress --wait --max-runtime --yes --force -y -f --format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage locks') opts='--format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        'storage unlock') opts='--dry-run --yes --force -y -f --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        tour) opts='--keep --format --profile -p --verbose -v --quiet -q --debug --help -h' ;;
        completion) opts='--profile -p --verbose -v --quiet -q --debug --help -h' ;;
    esac
}

# What the option $2 after the words in $1 takes (no option: an argument): sets kind.
_ricordi_value() {
    kind=''
    case "$1|$2" in
        'profile list|--format') kind='words:table json jsonl csv yaml' ;;
        'profile show|--format') kind='words:table json jsonl csv yaml' ;;
        'profile show|') kind=profile ;;
        'profile set-default|') kind=profile ;;
        'storage info|--format') kind='words:table json jsonl csv yaml' ;;
        'storage version|--format') kind='words:table json jsonl csv yaml' ;;
        'storage migrate|--wait') kind=any ;;
        'storage maintain|--repack') kind='words:auto all none' ;;
        'storage maintain|--max-waste') kind=any ;;
        'storage maintain|--compress') kind='words:auto yes no keep' ;;
        'storage maintain|--wait') kind=any ;;
        'storage maintain|--max-runtime') kind=any ;;
        'storage maintain|--format') kind='words:table json jsonl csv yaml' ;;
        'storage locks|--format') kind='words:table json jsonl csv yaml' ;;
        'tour|--format') kind='words:table json jsonl csv yaml' ;;
        'completion|') kind='words:bash zsh fish' ;;
        *'|-p' | *'|--profile') kind=profile ;;
    esac
}

_ricordi() {
    local cur=${COMP_WORDS[COMP_CWORD]} path='' word kind='' subs opts i
    local -i skip=0
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -* ]]; then
            _ricordi_value "$path" "$word"
            skip=$((${#kind} > 0))
            continue
        elif ((skip)); then
            [[ $word == = ]] || skip=0
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
        *) mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" _names "$kind" "$cur" 2>/dev/null) ;;
    esac
}

complete -F _ricordi ricordi
