import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EmbeddedServer } from '../../src/server/embedded/embedded.js'
import { build, folder, shell } from '../cli/perfdb.js'
import { isAsShown, readPages, root, typedIn, type Block, type Page } from './read-page.js'
import { fill, stages } from './stage.js'
import { startServer } from '../support/server.js'

/*
 * What README.md and docs/ show is what happens: each command is typed in a folder with the files that its page is about, each file is read by
 * the command that reads it, each link leads somewhere, and each option and code that is named exists.
 */

/** Blocks that are run elsewhere, by their first line: what they need is an installed package, a clean clone, or roles. */
const elsewhere: Readonly<Record<string, string>> = {
  '$ npm ci && npm run demo': 'test/package.test.ts',
  '$ npm install --save-dev perfdb': 'test/package.test.ts',
  '$ npm ci': '.ci/run',
  '# .github/workflows/perfdb.yml': 'test/cli/pipelines.test.ts',
  "import { apply, plan, PerfdbError } from 'perfdb'": 'test/package.test.ts',
  "import { test } from 'node:test'": 'test/package.test.ts',
  "import { open } from 'perfdb/runtime'": 'test/package.test.ts',
  'create role perfdb_read login;': 'test/commands/permissions.test.ts',
  'create role perfdb_deploy login;': 'test/commands/permissions.test.ts',
}

const isElsewhere = ({ text }: Block) => Object.keys(elsewhere).some((start) => text.startsWith(start))

const isConsole = ({ language }: Block) => language === 'console'

let pages: readonly Page[]
let server: EmbeddedServer

beforeAll(async () => {
  await build()
  pages = await readPages()
  server = await startServer({ shared_preload_libraries: 'pg_stat_statements' })
  const sql = postgres(server.url, { max: 1 })
  await sql.unsafe('set allow_in_place_tablespaces = on')
  await sql.unsafe("create tablespace fast location ''")
  await sql.end()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

/** What stands below a block says in plain sight why no test runs it. */
function isSaidNotRun({ text }: Page, block: Block): boolean {
  const below = text.split('\n').slice(block.line + block.text.split('\n').length)
  return /^\*Not run by a test: .{10,}\*$/.test(below.find((line) => line !== '') ?? '')
}

const blocksToRun = (page: Page) => page.blocks.filter((block) => !isElsewhere(block) && !isSaidNotRun(page, block))

describe('blocks', () => {
  test('each is typed, read as a file, run by another test, or says why not', async () => {
    const left = pages.flatMap((page) => {
      const files = blocksToRun(page).filter((block) => !isConsole(block))
      return files.slice(stages[page.name]?.saved?.length ?? 0).map(({ line }) => `${page.name}:${line}`)
    })
    expect(left).toEqual([])
    const starts = pages.flatMap(({ blocks }) => blocks.map(({ text }) => text))
    for (const [start, file] of Object.entries(elsewhere)) {
      expect(
        starts.filter((text) => text.startsWith(start)),
        start,
      ).not.toEqual([])
      await access(join(root, file))
    }
    // A block by indentation alone would be passed over.
    for (const { name, text } of pages) expect(text.replaceAll(/^```[^]*?^```$/gm, ''), name).not.toMatch(/\n\n {4}\S/)
  })

  test('commands end as they should, and print what is shown', { timeout: 480_000 }, async () => {
    const wrong = await Promise.all(pages.map(typeAll))
    expect(wrong.flat()).toEqual([])
  })

  test('the scripts of package.json that are named exist', async () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    )
    const named = pages.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name))
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
  })
})

/** Types the commands of a page one after the other; what went otherwise than the page says. */
async function typeAll(page: Page, at: number): Promise<readonly string[]> {
  const { files, saved = [], first = [], last = [], codes = {}, environment } = stages[page.name] ?? {}
  const blocks = blocksToRun(page)
  const typed = [...first.map(bare), ...blocks.filter(isConsole).flatMap(typedIn), ...last.map(bare)]
  if (typed.length === 0) return []
  const url = await fill(server.url, `page_${at}`)
  await using home = await folder(files?.(url))
  for (const [index, { text }] of blocks.filter((block) => !isConsole(block)).entries()) {
    const { name = '', before = '' } = saved[index] ?? {}
    await home.write({ [name]: before + text })
  }
  const wrong: string[] = []
  for (const { command, output } of typed) {
    const { code, stdout, stderr } = await shell(`npx() { "$@"; }; ${command}`, {
      cwd: home.path,
      environment: environment ?? { DATABASE_URL: url, PERFDB_TIME_BUDGET: '200ms' },
    })
    if (code !== (codes[command] ?? 0)) wrong.push(`${page.name}: ${command}: exit code ${code}\n${stdout}${stderr}`)
    if (output.length > 0 && !isAsShown(output, stdout.trimEnd().split('\n')))
      wrong.push(`${page.name}: ${command}:\n${stdout}`)
  }
  return wrong
}

const bare = (command: string) => ({ command, output: [] })

describe('names', () => {
  test('links lead to files and headings', async () => {
    const missing: string[] = []
    for (const { name, text } of pages)
      for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
        const file = path === '' ? join(root, name) : join(root, dirname(name), path)
        const there = await access(file).then(
          () => true,
          () => false,
        )
        const hasAnchor = async () => headings(await readFile(file, 'utf8')).includes(anchor ?? '')
        if (!there || (anchor !== undefined && !(await hasAnchor()))) missing.push(`${name}: ${path}#${anchor}`)
      }
    expect(missing).toEqual([])
  })

  test('each page is linked from the README', () => {
    const [readme] = pages
    const names = pages.slice(1).map(({ name }) => name)
    const internal = ['docs/facts.md']
    expect(names.filter((name) => !internal.includes(name) && !readme?.text.includes(`(${name})`))).toEqual([])
  })

  test('options and codes exist', async () => {
    const read = async (name: string) => readFile(join(root, 'docs', name), 'utf8')
    const options = new Set((await read('commands.md')).match(/--[a-z][a-z-]*/g))
    const codes = new Set([...(await read('troubleshooting.md')).matchAll(/^### (\S+)$/gm)].map(([, code]) => code))
    const unknown = pages.flatMap(({ name, text }) => {
      const words = text.replaceAll(
        /^password_command.*$|docker build [^`]*|npm install --save-dev|pg_dump --schema-only/gm,
        '',
      )
      return [
        ...(words.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []).filter((option) => !options.has(option)),
        ...(words.match(/(?<![\w${-])[A-Z][A-Z0-9]*_[A-Z_0-9]+\b/g) ?? []).filter((code) => !codes.has(code)),
      ]
        .filter((word) => !/^PERFDB_|^DATABASE_URL$|^CONNECTION_CLOSED$|^XDG_CACHE_HOME$/.test(word))
        .map((word) => `${name}: ${word}`)
    })
    expect(unknown).toEqual([])
  })

  test('each command takes the options that are typed behind it', async () => {
    const reference = await readFile(join(root, 'docs', 'commands.md'), 'utf8')
    const [common = '', ...sections] = reference.split('<details><summary><code>perfdb ')
    const helped = new Map(sections.map((text) => [/^[a-z-]+/.exec(text)?.[0] ?? '', text + common]))
    const lines = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/perfdb ([a-z-]+)((?: (?:--?)?[^\s`|&#]+)*)/g)].map(([line, command = '', rest = '']) => ({
        line: `${name}: ${line}`,
        command,
        rest,
      })),
    )
    const wrong = lines.filter(({ command, rest }) => {
      const options = rest.match(/(?<= )--[a-z][a-z-]*/g) ?? []
      return options.some((option) => !new RegExp(`${option}(?![\\w-])`).test(helped.get(command) ?? ''))
    })
    expect(lines.length).toBeGreaterThan(30)
    expect(wrong.map(({ line }) => line)).toEqual([])
  })
})

/** The anchors that GitHub gives to the headings of a page. */
function headings(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
