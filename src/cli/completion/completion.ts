import { Argument, type Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Adds `perfdb completion SHELL`, which prints a script written from the program's own commands and options. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and codes: bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'whose script').choices(shells))
    .action(async (name: string) => {
      const shell = shells.find((one) => one === name)
      if (shell !== undefined) process.stdout.write(await completionScript(program, shell))
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
