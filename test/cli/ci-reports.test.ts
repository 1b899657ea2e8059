import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { all, parseMarkup, type Element } from '../report/markup.js'
import { testDatabase } from '../support/database.js'
import { sarifFindings, sarifProblems } from '../support/sarif.js'
import { z } from '../../src/yaml/schema.js'
import { folder, perfdbHere, type Folder } from './perfdb.js'

const schema = `create table customers (id int primary key, email text, name text);
  insert into customers select n, 'mail' || n / 2, 'name' || n from generate_series(1, 20000) n;
  create table jobs (id int primary key, status text);
  insert into jobs select n, 'active' from generate_series(1, 5000) n;
  create index idx_jobs_status on jobs (status, id);
  analyze`
const profile = `version: 1
profile: shop
indexes:
  - name: idx_customers_email
    table: customers
    keys: [email]
    unique: true
  - name: idx_jobs_status
    table: jobs
    keys: [status]
  - name: idx_customers_name
    table: customers
    keys: [name]
queries:
  - name: by-email
    sql: select * from customers where email = $1
    params: [mail7]
    expect: { uses: [idx_customers_name], forbid: [SEQ_SCAN] }
  - name: broken
    sql: select 1 / 0 from customers
`
const reports = ['sarif=r.sarif', 'junit=r.xml', 'gitlab=r.json', 'github=r.txt'].flatMap((each) => ['--report', each])

let home: Folder

beforeAll(async () => {
  home = await folder({ 'shop.yaml': profile, 'moved.yaml': profile })
})
afterAll(async () => home[Symbol.asyncDispose]())

/** A failing run on a database of its own, and what it wrote. */
async function failing(...args: readonly string[]) {
  await using database = await testDatabase(schema)
  const ended = await perfdbHere([...args, ...reports], { cwd: home.path, environment: { DATABASE_URL: database.url } })
  const text = async (name: string) => readFile(join(home.path, name), 'utf8')
  return {
    code: ended.code,
    sarif: await text('r.sarif'),
    junit: await text('r.xml'),
    gitlab: await text('r.json'),
    github: await text('r.txt'),
  }
}

const apply = ['apply', 'shop.yaml', '--allow', 'REPLACE,UNIQUE_BUILD', '--time-budget', '50ms']

test('apply that fails: each finding stands at its line, in every report', async () => {
  const { code, sarif, junit, gitlab, github } = await failing(...apply)
  expect(code).toBe(3)
  expect(sarifProblems(sarif)).toEqual([])
  const found = sarifFindings(sarif)
  expect(found.map(({ file }) => file)).toEqual(found.map(() => 'shop.yaml'))
  const lineOf = (rule: string) => found.find((each) => each.rule === rule)?.line
  expect(lineOf('DUPLICATE_KEYS')).toBe(4)
  expect(lineOf('REPLACE')).toBe(8)
  expect(lineOf('EXPECTATION_MISSED')).toBe(15)
  expect(lineOf('QUERY_FAILED')).toBe(19)
  // Line 1 is for what belongs to no line.
  expect(found.filter(({ line }) => line === 1)).toEqual([])
  expect(github).toContain('::error file=shop.yaml,line=4,col=5,title=perfdb DUPLICATE_KEYS::')
  const quality = z.array(z.looseObject({ location: z.looseObject({ lines: z.object({ begin: z.int() }) }) }))
  expect(quality.parse(JSON.parse(gitlab)).map(({ location }) => location.lines.begin)).toEqual(
    found.map(({ line }) => line),
  )
  const failed = all(junitOf(junit), 'testcase').filter(({ children }) =>
    children.some(({ name }) => name === 'failure' || name === 'error'),
  )
  expect(failed.length).toBeGreaterThan(2)
  for (const each of failed)
    expect(each.attributes).toMatchObject({ file: 'shop.yaml', line: expect.stringMatching(/^\d+$/) })
})

test.each([
  ['verify', ['verify', 'shop.yaml'], 1],
  ['plan', ['plan', 'shop.yaml', '--exit-code'], 1],
  ['explain', ['explain', 'shop.yaml', '--time-budget', '50ms'], 1],
  ['a profile that is wrong', ['plan', 'nowhere.yaml'], 2],
])('%s: SARIF by its schema, JUnit by its shape', async (_, args, expected) => {
  const { code, sarif, junit } = await failing(...args)
  expect(code).toBe(expected)
  expect(sarifProblems(sarif)).toEqual([])
  expect(sarifFindings(sarif).length).toBeGreaterThan(0)
  expect(all(junitOf(junit), 'testcase').length).toBeGreaterThan(0)
})

test('fingerprints are the same in another run, on another database, and when lines move', async () => {
  const hashes = async (...args: readonly string[]) =>
    sarifFindings((await failing(...args)).sarif).map(({ rule, hash }) => `${rule} ${hash}`)
  const first = await hashes(...apply)
  expect(new Set(first).size).toBe(first.length)
  expect(await hashes(...apply)).toEqual(first)
  await home.write({ 'shop.yaml': `# one more line\n\n${profile}` })
  expect(await hashes(...apply)).toEqual(first)
  await home.write({ 'shop.yaml': profile })
})

const text = z.string()
const count = z.string().regex(/^\d+$/)
const seconds = z.string().regex(/^\d+\.\d{3}$/)
const counts = { tests: count, failures: count, errors: count, skipped: count, time: seconds }
const place = { file: text.optional(), line: count.optional() }
/** Elements of JUnit XML, their attributes and what may stand below, as Jenkins, GitLab and GitHub's readers take them. */
const shape: Readonly<Record<string, { readonly attributes: z.ZodType; readonly children: readonly string[] }>> = {
  testsuites: { attributes: z.strictObject({ name: text, ...counts }), children: ['testsuite'] },
  testsuite: {
    attributes: z.strictObject({ name: text, ...counts, timestamp: z.iso.datetime().optional() }),
    children: ['testcase'],
  },
  testcase: {
    attributes: z.strictObject({ classname: text.min(1), name: text.min(1), time: seconds, ...place }),
    children: ['failure', 'error', 'skipped', 'system-out'],
  },
  failure: { attributes: z.strictObject({ message: text, type: text }), children: [] },
  error: { attributes: z.strictObject({ message: text, type: text }), children: [] },
  skipped: { attributes: z.strictObject({ message: text }), children: [] },
  'system-out': { attributes: z.strictObject({}), children: [] },
}

/** The root of a report of that shape; throws where it is none. */
function junitOf(source: string): Element {
  const [root] = parseMarkup(source).children
  if (root?.name !== 'testsuites') throw new Error(`the root is ${root?.name}`)
  checkShape(root)
  return root
}

function checkShape(element: Element): void {
  const known = shape[element.name]
  if (known === undefined) throw new Error(`no element of JUnit: ${element.name}`)
  known.attributes.parse(element.attributes)
  for (const child of element.children) {
    expect(known.children).toContain(child.name)
    checkShape(child)
  }
}
