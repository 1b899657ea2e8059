import { execFile, execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { knownCodes } from '../../src/codes/help-texts.js'
import { manPage } from '../../src/cli/help/man.js'
import { environment } from '../../src/cli/help/man-texts.js'
import { buildProgram } from '../../src/cli/program.js'
import { folder } from './perfdb.js'

const run = promisify(execFile)

const installed = (tool: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`])
    return true
  } catch {
    return false
  }
}

/** The page as a reader sees it, without bold and underlined letters. */
async function formatted(tool: 'man' | 'groff'): Promise<{ readonly text: string; readonly warnings: string }> {
  await using at = await folder({ 'perfdb.1': manPage(buildProgram()) })
  const file = join(at.path, 'perfdb.1')
  const command =
    tool === 'man'
      ? (['man', ['--warnings', '-E', 'UTF-8', '-l', '-P', 'cat', file]] as const)
      : (['groff', ['-man', '-Tutf8', '-ww', '-P-c', file]] as const)
  const { stdout, stderr } = await run(command[0], [...command[1]], {
    env: { PATH: process.env['PATH'], HOME: at.path, MANWIDTH: '100', LC_ALL: 'C.UTF-8', MAN_KEEP_FORMATTING: '' },
  })
  // Bold is a letter over itself, underlined a letter over a line.
  const parts = stdout.split('\b')
  const text = parts.map((part, at) => (at < parts.length - 1 ? part.slice(0, -1) : part)).join('')
  return { text, warnings: stderr }
}

test.each((['man', 'groff'] as const).filter(installed))('%s reads it without a warning', async (tool) => {
  const { text, warnings } = await formatted(tool)
  expect(warnings).toBe('')
  // Where the distribution has no manual pages, man says so instead.
  if (!text.includes('SYNOPSIS')) return
  const words = text.replace(/-\n\s*/g, '-').replace(/\s+/g, ' ')
  for (const command of buildProgram().commands) expect(words).toContain(`perfdb ${command.name()}`)
  for (const code of knownCodes.keys()) expect(words).toContain(code)
  for (const [name] of environment) expect(words).toContain(name)
  expect(words).toContain('--exit-code exit 1 when there is something to do')
  expect(words).toContain('130, 143')
  expect(words).toContain("(default: the tool's own folder)")
})

test('every option of every command is in it, those that all have once', () => {
  const page = manPage(buildProgram())
  for (const command of buildProgram().commands)
    for (const { long } of command.options.filter(() => command.name() !== 'config'))
      expect(page).toContain(long?.replaceAll('-', '\\-'))
  expect(page.split('.B \\-\\-url').length).toBe(2)
  expect(page).toMatch(/^[\n -~]*$/)
})

test('each environment variable of perfdb that the sources read is in it', async () => {
  const root = join(import.meta.dirname, '..', '..', 'src')
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const texts = await Promise.all(names.map(async (name) => readFile(join(root, name), 'utf8')))
  const read = new Set(texts.flatMap((text) => text.match(/(?<=environment\[')PERFDB_\w+(?='\])/g) ?? []))
  const page = environment.map(([name]) => name).join(' ')
  for (const name of read) expect(page).toContain(name)
})
