import type { Completed, CompletedCommand } from './completion-tree.js'

/**
 * Completion for bash 3.2 and later. COMP_WORDBREAKS holds `=`, so that `--format=te` comes as three words.
 * https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html
 */
export function bashScript(tree: readonly CompletedCommand[]): string {
  const values = tree.flatMap(({ name, options }) =>
    options.flatMap(({ long, short, value }) => {
      if (value === null) return []
      const patterns = [long, ...(short === null ? [] : [short])].map((flag) => `'${name} ${flag}'`)
      return [`    ${patterns.join('|')}) ${completing(value)}; return ;;`]
    }),
  )
  const rests = tree.map(({ name, options, rest }) => {
    const flags = options.flatMap(({ long, short }) => [long, ...(short === null ? [] : [short])])
    return `    ${name}) flags='${flags.join(' ')}'; [[ $cur == -* ]] || { ${completing(rest)}; return; } ;;`
  })
  return `# perfdb completion bash: for this shell   eval "$(perfdb completion bash)"
# for every shell   perfdb completion bash > ~/.local/share/bash-completion/completions/perfdb

_perfdb_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_perfdb_list() {
  local before=
  [[ $cur == *,* ]] && before=\${cur%,*},
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "\${cur##*,}"))
  compopt -o nospace 2>/dev/null
}

_perfdb_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$cur"))
  compopt -o filenames 2>/dev/null
}

_perfdb() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= flags= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] || { command=$word; break; }
  done
  if [[ -z $command ]]; then
    _perfdb_words '${tree.map(({ name }) => name).join(' ')} --help --version'
    return
  fi
  if [[ $cur == = || $prev == = ]]; then
    local at=$((COMP_CWORD - 1))
    [[ $prev == = ]] && at=$((COMP_CWORD - 2))
    [[ $cur == = ]] && cur=
    prev=\${COMP_WORDS[at]}
    if [[ \${COMP_WORDS[at-1]} == --report ]]; then _perfdb_files -f; return; fi
  fi
  case "$command $prev" in
${values.join('\n')}
  esac
  case $command in
${rests.join('\n')}
  esac
  _perfdb_words "$flags"
}

complete -F _perfdb perfdb
`
}

function completing(value: Completed): string {
  switch (value.kind) {
    case 'nothing':
      return ':'
    case 'files':
      return '_perfdb_files -f'
    case 'folders':
      return '_perfdb_files -d'
    case 'words':
      return `${value.list ? '_perfdb_list' : '_perfdb_words'} '${value.words.join(' ')}'`
    case 'reports':
      return `_perfdb_words '${value.formats.map((format) => `${format}=`).join(' ')}'; compopt -o nospace 2>/dev/null`
  }
}
