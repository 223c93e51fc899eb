# Behind the table of verbs, _worldctl_table: a line each, with tabs between the name, its arguments and its
# flags, which are FLAG:VALUE (VALUE empty: it takes none). The first line is of all verbs.

# The names of rooms, shards, nodes or servers; nothing when the world does not answer soon.
_worldctl_names() {
    timeout 3 "$_worldctl_program" "${_worldctl_asked[@]}" "$1" list -q 2>/dev/null </dev/null
}

# What may stand where the table says that: _worldctl_kind ROOM
_worldctl_kind() {
    case $1 in
    *ROOM*) _worldctl_names rooms ;;
    *SHARD*) _worldctl_names shards ;;
    *NODE*) _worldctl_names nodes ;;
    *ORIGIN*) _worldctl_names servers ;;
    *FILE*) compgen -f -- "$_worldctl_word" ;;
    PROCESS) printf '%s\n' world shard ;;
    LEVEL) printf '%s\n' error warn info debug ;;
    SCOPE) printf '%s\n' admin read ;;
    FORM) printf '%s\n' table json ;;
    SHELL) printf '%s\n' bash ;;
    esac
}

# The VALUE of a flag of the verb; 1: there is no such flag, or it takes none.
_worldctl_value_of() {
    local flag
    for flag in $_worldctl_flags; do
        if [[ $flag == "$1:"?* ]]; then
            printf '%s' "${flag#*:}"
            return 0
        fi
    done
    return 1
}

# Finds the row of the verb that the words name: sets _worldctl_arguments, _worldctl_flags, _worldctl_verb.
_worldctl_find() {
    local name arguments flags
    _worldctl_verb='' _worldctl_arguments='' _worldctl_flags=''
    while IFS=$'\t' read -r name arguments flags; do
        if [[ $name == '*' ]]; then
            _worldctl_flags=$flags
        elif [[ $name == "$*" || $name == "$1" || $name == "$1 ${2-}" ]]; then
            _worldctl_verb=$name _worldctl_arguments=${arguments#-} _worldctl_flags+=" $flags"
            return
        fi
    done < <(_worldctl_table)
}

# Reads the words before the one that is asked for.
_worldctl_read() {
    local word value=''
    _worldctl_positional=() _worldctl_asked=() _worldctl_value=''
    for word in "$@"; do
        if [[ -n $value ]]; then
            [[ $value == --@(url|world|token|token-file|ca) ]] && _worldctl_asked+=("$value" "$word")
            value=''
        elif [[ $word == -* ]]; then
            [[ $word == --@(url|world|token|token-file|ca)=* ]] && _worldctl_asked+=("$word")
            _worldctl_value_of "$word" >/dev/null && value=$word
        else
            _worldctl_positional+=("$word")
            _worldctl_find "${_worldctl_positional[@]}"
        fi
    done
    [[ -n $value ]] && _worldctl_value=$(_worldctl_value_of "$value")
}

# What fits at the word, whether it begins like it or not.
_worldctl_offers() {
    local -a arguments
    local count=${#_worldctl_positional[@]} name at
    if [[ -n $_worldctl_value ]]; then
        _worldctl_kind "$_worldctl_value"
    elif [[ $_worldctl_word == -* ]]; then
        for name in $_worldctl_flags; do printf '%s\n' "${name%%:*}"; done
    elif [[ -z $_worldctl_verb ]]; then
        while IFS=$'\t' read -r name _; do
            [[ $name == '*' ]] && continue
            ((count == 0)) && printf '%s\n' "${name%% *}"
            ((count == 1)) && [[ $name == "${_worldctl_positional[0]} "* ]] && printf '%s\n' "${name#* }"
        done < <(_worldctl_table) | sort -u
    else
        read -ra arguments <<<"$_worldctl_arguments"
        at=$count
        [[ $_worldctl_verb == *' '* ]] && at=$((at - 1))
        _worldctl_kind "${arguments[at - 1]-}"
    fi
}

_worldctl() {
    local _worldctl_program=$1 _worldctl_word='' _worldctl_value _worldctl_verb _worldctl_arguments _worldctl_flags
    local -a words _worldctl_positional _worldctl_asked
    local offer before line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    if [[ $line != *[[:blank:]] ]]; then
        _worldctl_word=${words[-1]}
        unset 'words[-1]'
    fi
    _worldctl_find
    _worldctl_read "${words[@]:1}"
    # readline has cut the word at colons and equal signs: only what is behind them is asked for.
    before=${_worldctl_word%"${_worldctl_word##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r offer; do
        [[ $offer == "$_worldctl_word"* ]] || continue
        offer=$(printf '%q' "$offer")
        COMPREPLY+=("${offer#"$before"}")
    done < <(_worldctl_offers)
}
complete -F _worldctl worldctl
