import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatOfFile } from '../../src/options/readers.js'
import { all, parseMarkup } from '../report/markup.js'
import { folder, perfdbHere, type Ended, type Folder } from './perfdb.js'
import { formats } from '../../src/options/rows/formats.js'

const pools = `version: 1
kind: pools
servers:
  main: { max_connections: 100 }
services:
  web:
    server: main
    instances: 4
    pool: { max: 40 }
`
let home: Folder

beforeAll(async () => {
  home = await folder({ 'shop.pools.yaml': pools, 'bad.yaml': 'version: 1\nprofile: x\nindices: []\n' })
})
afterAll(async () => home[Symbol.asyncDispose]())

async function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return perfdbHere(args, { cwd: home.path, environment })
}

test('one run writes every format, each to its file, and the exit code stays', async () => {
  const reports = formats
    .filter((format) => format !== 'sql')
    .flatMap((format) => ['--report', `${format}=r.${format}`])
  const checked = await run(['check-pool', 'shop.pools.yaml', '--offline', ...reports])
  expect(checked).toMatchObject({ code: 1, stderr: '' })
  const text = async (format: string) => readFile(join(home.path, `r.${format}`), 'utf8')
  expect(all(parseMarkup(await text('html')), 'h1')[0]?.text).toContain('main')
  expect(all(parseMarkup(await text('junit')), 'failure').length).toBeGreaterThan(0)
  expect(JSON.parse(await text('sarif'))).toMatchObject({ version: '2.1.0' })
  expect(JSON.parse(await text('gitlab'))).toMatchObject([
    { check_name: 'POOL_OVER', severity: 'critical', location: { path: 'shop.pools.yaml', lines: { begin: 9 } } },
    { check_name: 'DEPLOY_UNDECLARED', severity: 'info' },
  ])
  expect(await text('github')).toMatch(/^::error file=shop\.pools\.yaml,line=\d+,col=\d+,title=perfdb POOL_OVER::/)
  expect((await text('jsonl')).trimEnd().split('\n').at(-1)).toContain('"exit_code":1')
})

test('github: the markdown is added to the summary of the step, when there is one', async () => {
  const summary = join(home.path, 'summary.md')
  const args = ['check-pool', 'shop.pools.yaml', '--offline']
  await run(args, { GITHUB_STEP_SUMMARY: summary })
  await expect(readFile(summary, 'utf8')).rejects.toThrow('ENOENT')
  const told = await run([...args, '--format', 'github'], { GITHUB_STEP_SUMMARY: summary })
  expect(told.stdout).toMatch(/^::error /)
  const once = await readFile(summary, 'utf8')
  expect(once).toMatch(/^### ❌ perfdb check\\?-pool: FAIL/)
  await run(['plan', 'bad.yaml', '--report', 'github=annotations.txt'], { GITHUB_STEP_SUMMARY: summary })
  const twice = await readFile(summary, 'utf8')
  expect(twice.startsWith(once)).toBe(true)
  expect(twice).toContain('UNKNOWN_KEY')
  // A summary that cannot be written is no reason to fail a build.
  const lost = await run([...args, '--format', 'github'], { GITHUB_STEP_SUMMARY: join(home.path, 'no', 'folder') })
  expect(lost).toMatchObject({ code: 1, stdout: told.stdout })
})

test.each(['jsonl', 'html', 'junit', 'sarif', 'github', 'gitlab'])('%s: an error is a document too', async (format) => {
  const refused = await run(['plan', 'bad.yaml', '--format', format])
  expect(refused.code).toBe(2)
  expect(refused.stdout).toContain('indices')
  if (format === 'jsonl') expect(refused.stderr).toBe('')
  else expect(refused.stderr).toContain('error[UNKNOWN_KEY]')
})

test('an unknown format names the known ones', async () => {
  const refused = await run(['plan', '--format', 'yml'])
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  for (const format of formats) expect(refused.stderr).toContain(format)
})

test.each([
  ['a.html', 'html'],
  ['perfdb-report.md', 'markdown'],
  ['x/y.z.json', 'json'],
  ['r.xml', 'junit'],
  ['r.SARIF', 'sarif'],
  ['report', 'html'],
])('the report %s of the demo is %s', (file, format) => {
  expect(formatOfFile(file)).toBe(format)
})
