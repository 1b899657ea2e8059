import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { writeText } from '../../actions/files/files.js'
import { PerfdbError } from '../../errors.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The shell that $SHELL names. Throws BAD_OPTION for another. */
export function usualShell<Shell extends string>({ SHELL = '' }: Environment, shells: readonly Shell[]): Shell {
  const name = basename(SHELL)
  const found = shells.find((one) => one === name)
  if (found !== undefined) return found
  const message = name === '' ? 'SHELL is not set: name the shell' : `there is no completion for ${name}`
  throw new PerfdbError('BAD_OPTION', message, { hint: `perfdb completion ${shells.join(' | ')}` })
}

/**
 * Writes the script where the shell looks for those of its user, over none but perfdb's own, and gives what to say. Files that the user wrote, such as
 * .zshrc, are never changed. Throws FILE_EXISTS and BAD_OPTION.
 */
export async function installScript(shell: string, script: string, environment: Environment): Promise<string> {
  const home = environment['HOME'] ?? homedir()
  const data = environment['XDG_DATA_HOME'] ?? join(home, '.local/share')
  const config = environment['XDG_CONFIG_HOME'] ?? join(home, '.config')
  const files: Readonly<Record<string, string>> = {
    bash: join(data, 'bash-completion/completions/perfdb'),
    zsh: join(data, 'zsh/site-functions/_perfdb'),
    fish: join(config, 'fish/completions/perfdb.fish'),
  }
  const file = files[shell] ?? ''
  const before = await readFile(file, 'utf8').catch(() => '# perfdb completion')
  if (!before.includes('# perfdb completion'))
    throw new PerfdbError('FILE_EXISTS', `${file} exists already, and is not perfdb's`)
  await writeText(file, script, dirname(file))
  return `${file} is written. ${nextStep(shell, file)}`
}

function nextStep(shell: string, file: string): string {
  switch (shell) {
    case 'bash':
      return 'New shells complete perfdb where the package bash-completion is loaded.'
    case 'zsh':
      return `New shells complete perfdb with this line in .zshrc, before compinit: fpath+=(${join(file, '..')})`
    default:
      return 'New shells complete perfdb.'
  }
}
