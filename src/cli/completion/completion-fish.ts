import type { Completed, CompletedCommand, CompletedOption } from './completion-tree.js'

/** Completion for fish. https://fishshell.com/docs/current/completions.html */
export function fishScript(tree: readonly CompletedCommand[]): string {
  const lines = tree.flatMap(({ name, description, options, rest }) => [
    `complete -c perfdb -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => optionLine(name, option)),
    ...(rest.kind === 'nothing' ? [] : [`complete -c perfdb -n ${within(name)} ${completing(rest)}`]),
  ])
  return `# perfdb completion fish: for this shell   perfdb completion fish | source
# for every shell   perfdb completion fish > ~/.config/fish/completions/perfdb.fish

complete -c perfdb -f
complete -c perfdb -n __fish_use_subcommand -s h -l help -d 'print help'
complete -c perfdb -n __fish_use_subcommand -s V -l version -d 'print the version'
${lines.join('\n')}
`
}

function optionLine(command: string, { long, short, description, value, optional }: CompletedOption): string {
  const flags = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  const takes = value === null || optional ? '' : ` -r ${completing(value)}`
  return `complete -c perfdb -n ${within(command)} ${flags}${takes} -d ${quoted(description)}`
}

function within(command: string): string {
  return quoted(`__fish_seen_subcommand_from ${command}`)
}

function completing(value: Completed): string {
  switch (value.kind) {
    case 'nothing':
      return '-f'
    case 'files':
      return '-F'
    case 'folders':
      return "-f -a '(__fish_complete_directories (commandline -ct))'"
    case 'words':
      return `-f -a ${quoted(value.list ? `(__fish_append , ${value.words.join(' ')})` : value.words.join(' '))}`
    case 'reports':
      return `-F -a ${quoted(value.formats.map((format) => `${format}=`).join(' '))}`
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (found) => `\\${found}`)}'`
}
