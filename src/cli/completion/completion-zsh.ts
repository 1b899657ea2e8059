import type { Completed, CompletedCommand, CompletedOption } from './completion-tree.js'

/** Completion for zsh by _arguments. https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
export function zshScript(tree: readonly CompletedCommand[]): string {
  const commands = tree.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`)
  const cases = tree.map(({ name, options, rest }) => {
    const specs = [...options.flatMap(optionSpecs), ...restSpecs(rest)]
    return `      ${name})\n        _arguments -s ${specs.map((spec) => `\\\n          ${spec}`).join(' ')}\n        ;;`
  })
  return `#compdef perfdb
# perfdb completion zsh: for this shell   source <(perfdb completion zsh)
# for every shell   perfdb completion zsh > "\${fpath[1]}/_perfdb"

_perfdb() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${commands.join('\n')}
  )
  _arguments -C '(- *)--help[print help]' '(- *)--version[print the version]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands 'perfdb command' commands ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}

if [ "$funcstack[1]" = "_perfdb" ]; then
  _perfdb "$@"
else
  compdef _perfdb perfdb
fi
`
}

function optionSpecs({ long, short, description, repeatable, value, optional }: CompletedOption): readonly string[] {
  const text = description.replaceAll(/[[\]\\]/g, (found) => `\\${found}`)
  const after = value === null ? '' : `${optional ? '::' : ':'}${long.slice(2)}:${action(value)}`
  return [long, ...(short === null ? [] : [short])].map((flag) => {
    const takes = value === null ? '' : flag.startsWith('--') ? '=' : '+'
    return quoted(`${repeatable ? '*' : ''}${flag}${takes}[${text}]${after}`)
  })
}

function restSpecs(rest: Completed): readonly string[] {
  return rest.kind === 'nothing' ? [] : [quoted(`*: :${action(rest)}`)]
}

function action(value: Completed): string {
  switch (value.kind) {
    case 'nothing':
      return ' '
    case 'files':
      return '_files'
    case 'folders':
      return '_files -/'
    case 'words':
      return value.list ? `{_values -s , value ${value.words.join(' ')}}` : `(${value.words.join(' ')})`
    case 'reports':
      return `(${value.formats.map((format) => `${format}=`).join(' ')})`
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
