import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { expect, test } from 'vitest'

/*
 * "How to add" of src/README.md, done: a format, a finding and an option are added to a copy of the sources, in as many files as it says. The copy must compile,
 * and what was added must be there wherever a user would meet it.
 */

const root = join(import.meta.dirname, '..')

interface Edit {
  readonly file: string
  /** Put behind this text; a new file without. */
  readonly behind?: string
  readonly text: string
}

const additions: Readonly<Record<'a format' | 'a finding' | 'an option', readonly Edit[]>> = {
  'a format': [
    {
      file: 'src/report/machine/csv.ts',
      text: `import type { Result } from '../../result/results.js'

export function renderCsv(result: Result): string {
  return \`command,exit_code\\n\${result.command},\${result.exit_code}\\n\`
}
`,
    },
    {
      file: 'src/report/render.ts',
      behind: "    case 'jsonl':\n      return (await import('./machine/jsonl.js')).renderJsonLines(result)\n",
      text: "    case 'csv':\n      return (await import('./machine/csv.js')).renderCsv(result)\n",
    },
    { file: 'src/report/machine/log-commands.ts', behind: "    case 'markdown':\n", text: "    case 'csv':\n" },
    { file: 'src/options/rows/formats.ts', behind: "  'gitlab',\n", text: "  'csv',\n" },
  ],
  'a finding': [
    {
      file: 'src/codes/help/queries.ts',
      behind: 'export const queryTexts = {\n',
      text: `  TOO_SLOW_FOR_TEA: {
    text: 'a query takes longer than tea',
    why: 'Nobody waits that long.',
    rule: 'More than three minutes.',
    todo: 'Drink coffee.',
  },
`,
    },
    {
      file: 'src/measure/rules/missing-options.ts',
      behind: "import type { Rule, RuleFinding } from './rule.js'\n",
      text: `
export const tea: RuleFinding = { code: 'TOO_SLOW_FOR_TEA', severity: 'info', message: 'tea is ready', hint: 'drink it' }
`,
    },
  ],
  'an option': [
    {
      file: 'src/options/rows/build.ts',
      behind: 'export const buildRows = [\n',
      text: `  {
    flags: '--nap <duration>',
    read: 'duration',
    help: 'rest before the first build',
    commands: ['apply'],
    default: '3s',
    setting: 'Rest before the first build; 3s when left out',
  },
`,
    },
    {
      file: 'src/actions/files/inputs.ts',
      behind: '    retries: options.retries,\n',
      text: '    napMs: options.nap,\n',
    },
    {
      file: 'src/commands/apply/build-context.ts',
      behind: 'export interface BuildOptions {\n',
      text: '  readonly napMs: number\n',
    },
  ],
}

test('a format, a finding and an option are added in as many files as the map says', async () => {
  await using copy = await copyOfSources()
  for (const edit of Object.values(additions).flat()) await make(copy.path, edit)
  const map = await readFile(join(root, 'src/README.md'), 'utf8')
  for (const [what, edits] of Object.entries(additions)) {
    const [, files] = new RegExp(`^- \\*\\*${what}\\*\\* \\((\\d+)\\)`, 'm').exec(map) ?? []
    expect({ what, files: Number(files) }).toEqual({ what, files: new Set(edits.map(({ file }) => file)).size })
  }
  // Beside what follows: it takes most of the time.
  const complaints = promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', copy.path, '--noEmit']).then(
    () => '',
    (failure: { readonly stdout: string }) => failure.stdout,
  )

  const { render } = await copy.load('src/report/render.ts')
  const layout = { width: 80, color: false, unicode: true, verbose: false }
  const config = { command: 'config', exit_code: 0, ok: true, perfdb: '0', file: null, settings: [] }
  expect(await render(config, 'csv', layout)).toBe('command,exit_code\nconfig,0\n')

  const { knownCodes } = await copy.load('src/codes/help-texts.ts')
  expect(knownCodes.get('TOO_SLOW_FOR_TEA')).toMatchObject({ kind: 'findings about queries', todo: 'Drink coffee.' })

  const { buildProgram } = await copy.load('src/cli/program.ts')
  const { completionTree } = await copy.load('src/cli/completion/completion-tree.ts')
  const { manPage } = await copy.load('src/cli/help/man.ts')
  const { configSchema } = await copy.load('src/options/config-schema.ts')
  const { checkOptions } = await copy.load('src/library/known-options.ts')
  const { resolveSettings } = await copy.load('src/settings/resolve.ts')
  const program = buildProgram()
  const apply = program.commands.find((command: Command) => command.name() === 'apply')
  expect(apply.helpInformation()).toContain('rest before the first build')
  expect(completionTree(program).flatMap(({ options }: { options: unknown }) => options)).toContainEqual(
    expect.objectContaining({ long: '--nap' }),
  )
  expect(manPage(program)).toContain('\\-\\-nap <duration>')
  expect(configSchema.safeParse({ version: 1, nap: '5s' }).success).toBe(true)
  checkOptions('apply', { napMs: 5000 })
  expect(() => checkOptions('apply', { napMs: 'long' })).toThrow('the option napMs of apply must be a number')
  const { options } = await resolveSettings('apply', new Map(), copy.path, { PERFDB_NAP: '7s' })
  expect(options.nap).toBe(7000)
  expect(await complaints).toBe('')
})

async function copyOfSources() {
  const path = await mkdtemp(join(tmpdir(), 'perfdb-how-to-add-'))
  for (const folder of ['src', 'migrations']) await cp(join(root, folder), join(path, folder), { recursive: true })
  for (const file of ['package.json', 'tsconfig.json']) await cp(join(root, file), join(path, file))
  await symlink(join(root, 'node_modules'), join(path, 'node_modules'))
  return {
    path,
    // oxlint-disable-next-line typescript/no-explicit-any
    load: async (file: string) => import(join(path, file)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

async function make(folder: string, { file, behind, text }: Edit): Promise<void> {
  const path = join(folder, file)
  if (behind === undefined) return writeFile(path, text, { flag: 'wx' })
  const [before, after, more] = (await readFile(path, 'utf8')).split(behind)
  expect({ file, found: after !== undefined, once: more === undefined }).toEqual({ file, found: true, once: true })
  await writeFile(path, `${before}${behind}${text}${after}`)
}
