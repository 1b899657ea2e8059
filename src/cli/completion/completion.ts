import { Argument, type Command } from 'commander'
import { PerfdbError } from '../../errors.js'
import type { Outside } from '../../settings/outside.js'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Adds `perfdb completion SHELL`, which prints a script written from the program's own commands and options, or with --install puts it where the shell looks. */
export function addCompletion(program: Command, { environment, streams }: Outside): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and codes: bash, zsh or fish')
    .addArgument(new Argument('[shell]', 'whose script; with --install that of $SHELL when left out').choices(shells))
    .option('--install', "write it where the shell looks for its user's scripts")
    .action(async (name: string | undefined, { install = false }: { readonly install?: boolean }) => {
      const { installScript, usualShell } = await import('./install.js')
      const named = shells.find((one) => one === name)
      if (named === undefined && !install)
        throw new PerfdbError('BAD_OPTION', "missing required argument 'shell'", {
          hint: `perfdb completion ${shells.join(' | ')}, or perfdb completion --install`,
        })
      const shell = named ?? usualShell(environment, shells)
      const script = await completionScript(program, shell)
      streams.stdout.write(install ? `${await installScript(shell, script, environment)}\n` : script)
    })
}

/** The script of one shell; it starts no Node when a key is pressed. */
export async function completionScript(program: Command, shell: Shell): Promise<string> {
  const { completionTree } = await import('./completion-tree.js')
  const tree = completionTree(program)
  switch (shell) {
    case 'bash':
      return (await import('./completion-bash.js')).bashScript(tree)
    case 'zsh':
      return (await import('./completion-zsh.js')).zshScript(tree)
    case 'fish':
      return (await import('./completion-fish.js')).fishScript(tree)
  }
}
