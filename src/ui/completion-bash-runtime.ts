import { placeFlags } from './completion-model.js';

// `\$` is `$` in the script: a template would take that for its own.

/** What reads the tables of the script: finds the command at hand and what can be typed there. */
export const bashRuntime = String.raw`
# What $1 stands for and begins with $2.
__bkp_words() {
  local IFS=$'\n'
  case $1 in
  @folder) compgen -d -- "$2" ;;
  @file) compgen -f -- "$2" ;;
  @backup)
    case $2 in
    */* | .*) compgen -f -- "$2" ;;
    *) compgen -W "$("$bkp" completion --backups "\${place[@]}" 2>/dev/null)" -- "$2" ;;
    esac
    ;;
  @schedule) compgen -W "$("$bkp" completion --schedules "\${place[@]}" 2>/dev/null)" -- "$2" ;;
  @nothing) ;;
  *) compgen -W "$(printf '%s' "$1" | tr ', ' '\n\n')" -- "$2" ;;
  esac
}

# A word as the shell will take it, without running what may stand in it.
__bkp_unquote() {
  word=\${1//[\\\"\']/}
  [[ $word == '~/'* ]] && word=$HOME\${word#'~'}
}

# Bash takes words apart at "=" and ":": puts them together again, in words, for as far as the cursor.
__bkp_split() {
  local i word last=''
  words=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = && $last == --* ]]; then
      last=$word
      ((i == COMP_CWORD)) && words+=('')
    elif [[ \${#words[@]} -gt 0 && ($word == : || $last == *:) && $COMP_WORDBREAKS == *:* ]]; then
      last+=$word
      words[\${#words[@]} - 1]=$last
    else
      last=$word
      words+=("$word")
    fi
  done
}

# Reads what was typed before the cursor: which command, which option waits for its value, where the backups lie.
__bkp_read() {
  local i word flag=''
  for ((i = 0; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ -n $value ]]; then
      value=''
      __bkp_unquote "$word"
      [[ -n $flag ]] && place+=("$flag" "$word")
      flag=''
    elif [[ -z $only && $word == -- ]]; then
      only=1
    elif [[ -z $only && $word == -* ]]; then
      __bkp_value "$at" "$word"
      case $word in
      ${placeFlags.join(' | ')}) flag=$word ;;
      --root=* | --config=* | --storage=*)
        __bkp_unquote "$word"
        place+=("$word")
        ;;
      esac
    else
      __bkp_subcommand "$at" "$word"
      if [[ -n $next ]]; then at=$next; else count=$((count + 1)); fi
    fi
  done
}

_bkp() {
  local bkp=$1 at=bkp cur word value='' next='' only='' kind='' prefix='' strip='' count=0 commands options arguments
  local -a words=() place=()
  COMPREPLY=()
  __bkp_split
  cur=\${words[\${#words[@]} - 1]}
  __bkp_read
  if [[ -z $value && -z $only && $cur == --*=* ]]; then
    prefix=\${cur%%=*}=
    __bkp_value "$at" "\${cur%%=*}"
    cur=\${cur#*=}
  fi
  __bkp_command "$at"
  if [[ -n $value ]]; then
    kind=$value
  elif [[ -z $only && $cur == -* ]]; then
    kind=$options
  elif [[ -n $commands ]]; then
    ((count == 0)) && kind=$commands
  elif [[ -n $arguments ]]; then
    set -- $arguments
    ((count >= $#)) && count=$(($# - 1))
    shift "$count"
    kind=$1
  fi
  [[ -z $kind ]] && return
  __bkp_unquote "$cur"
  cur=$word
  case $kind in @folder | @file | @backup) compopt -o filenames 2>/dev/null ;; esac
  [[ $kind == @backup ]] && compopt -o nosort 2>/dev/null
  # What stands before a ":" is not replaced.
  [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && strip=\${cur%"\${cur##*:}"}
  while IFS= read -r word; do COMPREPLY+=("$prefix\${word#"$strip"}"); done < <(__bkp_words "$kind" "$cur")
}

complete -F _bkp bkp
`.replaceAll('\\$', '$');
