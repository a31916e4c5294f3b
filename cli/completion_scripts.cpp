// Each script asks `zell __complete` for what fits: lines "WORD<tab>HELP", and one of ":files", ":folders", ":command"
// for what the shell knows better.

#include "cli/completion.h"

namespace zell::cli {
namespace {

// Bash takes words apart at = and : (COMP_WORDBREAKS); they are put together again, and the part of an offer that is
// before the last of these must not be in COMPREPLY.
constexpr std::string_view bash = R"script(# bash completion for zell: eval "$(zell completion bash)"
_zell() {
  local words=() word before="" glue=0 i line last prefix=""
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && { [[ $word == [=:] ]] || ((glue)); }; then
      words[${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    glue=0
    [[ $word == [=:] ]] && glue=1
  done
  last=${words[${#words[@]}-1]}
  word=${COMP_WORDS[COMP_CWORD]}
  if [[ $word == [=:] ]]; then
    prefix=$last
  else
    prefix=${last%"$word"}
  fi
  # What is quoted is looked for without its quotes.
  for i in "${!words[@]}"; do
    words[i]=${words[i]//[\"\'\\]/}
  done
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files | :folders | :command)
        local kind=-f
        [[ $line == :folders ]] && kind=-d
        [[ $line == :command ]] && kind=-c
        [[ $kind == -c ]] || compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen $kind -- "${last#"$prefix"}")
        ;;
      *)
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$prefix"}")
        ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _zell zell
)script";

constexpr std::string_view zsh = R"script(#compdef zell
# zsh completion for zell: in a folder of $fpath as _zell, or eval "$(zell completion zsh)" after compinit
_zell() {
  local -a before words_with_help
  local line word help files=""
  before=("${(@Q)words[2,CURRENT-1]}")
  while IFS= read -r line; do
    case $line in
      :files|:folders|:command) files=$line ;;
      *)
        word=${line%%$'\t'*}
        help=${line#*$'\t'}
        words_with_help+=("${word//:/\\:}${help:+:$help}")
        ;;
    esac
  done < <("${(Q)words[1]}" __complete -- "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)
  (( $#words_with_help )) && _describe -V zell words_with_help
  case $files in
    :files) [[ $PREFIX == --*=* ]] && compset -P 1 '*='; _files ;;
    :folders) [[ $PREFIX == --*=* ]] && compset -P 1 '*='; _files -/ ;;
    :command) _command_names -e ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _zell "$@"
else
  compdef _zell zell
fi
)script";

constexpr std::string_view fish = R"script(# fish completion for zell: zell completion fish | source
function __zell_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    for line in ($words[1] __complete -- $words[2..] "$current" 2>/dev/null)
        switch $line
            case ':files' ':command'
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current")
            case ':folders'
                __fish_complete_directories (string replace -r -- '^--[^=]*=' '' "$current")
            case '*'
                echo $line
        end
    end
end
complete -c zell -f -a '(__zell_complete)'
)script";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? bash : shell == "zsh" ? zsh : fish;
}

}  // namespace zell::cli
