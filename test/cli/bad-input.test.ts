import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { folder, perfdbHere, type Ended, type Folder } from './perfdb.js'

/* Every mistake: one clear message with its code, exit 2, and nothing changed in the database. */

let database: TestDatabase
let home: Folder

beforeAll(async () => {
  database = await testDatabase(
    'create schema sales; create table jobs (id int, status text); create view v as select 1 as a',
  )
  home = await folder()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const index = (fields: string) => `version: 1\nindexes:\n  - { ${fields} }\n`
const good = index('name: i, table: jobs, keys: [status]')

interface Mistake {
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly code: string
  readonly says: string
  readonly hint?: string
}

/** Runs apply, which would change something, and gives back what it said in one line. */
async function refused({ files = { 'my.yaml': good }, args, environment = {} }: Mistake): Promise<Ended> {
  await home.write(files)
  return perfdbHere(args ?? ['apply', 'my.yaml'], {
    cwd: home.path,
    environment: { DATABASE_URL: database.url, ...environment },
  })
}

async function holds(mistake: Mistake): Promise<void> {
  const before = await catalog()
  const { code, stdout, stderr } = await refused(mistake)
  const words = stderr.replace(/\s+/g, ' ')
  expect({ code, stdout, words }).toEqual({ code: 2, stdout: '', words: expect.stringContaining(mistake.says) })
  expect(words).toContain(`error[${mistake.code}]: `)
  expect(words.match(/error\[/g)).toHaveLength(1)
  if (mistake.hint !== undefined) expect(words).toContain(`hint: ${mistake.hint}`)
  expect(stderr).not.toMatch(/secret|internal|undefined|\[object|at .*\.(ts|js|cjs):/i)
  expect(stderr.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(await catalog()).toEqual(before)
}

/** Every relation, schema and extension with the transaction that wrote it. */
async function catalog(): Promise<readonly unknown[]> {
  return database.sql`select 'c', oid, relname as name, xmin::text from pg_class where relnamespace >= 2200 and relpersistence = 'p'
    union all select 'n', oid, nspname, xmin::text from pg_namespace where nspname !~ '^pg_(toast_)?temp'
    union all select 'e', oid, extname, xmin::text from pg_extension order by 1, 2`
}

describe('files', () => {
  test.each<[string, Mistake]>([
    [
      'no such profile',
      { args: ['apply', 'nowhere.yaml'], code: 'FILE_NOT_FOUND', says: 'no such file: nowhere.yaml' },
    ],
    ['no profile at all', { args: ['apply'], code: 'NO_PROFILE', says: 'no profile is named' }],
    ['not YAML', { files: { 'my.yaml': 'version: 1\nindexes: [\n' }, code: 'BAD_YAML', says: 'my.yaml:' }],
    ['not text', { files: { 'my.yaml': 'version: 1\u0000' }, code: 'BAD_VALUE', says: 'NUL' }],
    [
      'an unknown key',
      {
        files: { 'my.yaml': index('name: i, table: jobs, columns: [status]') },
        code: 'UNKNOWN_KEY',
        says: 'unknown key "columns": did you mean "keys"? --> my.yaml:3:29',
      },
    ],
    [
      'a missing variable',
      {
        files: { 'my.yaml': `${good}schema: "\${NOWHERE}"\n` },
        code: 'MISSING_ENVIRONMENT',
        says: 'the environment variable NOWHERE is not set',
      },
    ],
    [
      'a name of 64 bytes',
      {
        files: { 'my.yaml': index(`name: ${'i'.repeat(64)}, table: jobs, keys: [status]`) },
        code: 'NAME_TOO_LONG',
        says: 'longer than 63 bytes',
      },
    ],
    [
      'two of one name',
      {
        files: { 'my.yaml': `${good}  - { name: i, table: jobs, keys: [id] }\n` },
        code: 'DUPLICATE_NAME',
        says: 'is declared twice, first at my.yaml:3:5',
      },
    ],
    [
      'no such config',
      { args: ['apply', 'my.yaml', '--config', 'no.yaml'], code: 'FILE_NOT_FOUND', says: 'no such file: no.yaml' },
    ],
    [
      'a hazard of perfdb.yaml',
      {
        files: { 'my.yaml': good, 'bad/perfdb.yaml': 'version: 1\nallow: [REPLCE]\n' },
        args: ['apply', 'my.yaml', '--config', 'bad/perfdb.yaml'],
        code: 'BAD_VALUE',
        says: 'bad/perfdb.yaml:2:9',
      },
    ],
    [
      'a saved plan that is none',
      {
        files: { 'my.yaml': good, 'plan.json': '{}' },
        args: ['apply', '--plan', 'plan.json'],
        code: 'BAD_VALUE',
        says: 'plan.json is not a plan',
      },
    ],
    ...[
      'apply --plan bad',
      'apply my.yaml --config bad',
      'apply my.yaml --url embedded --load bad',
      'explain --query values(1) --baseline bad',
      'explain --since bad',
    ].map((line): [string, Mistake] => [
      `a folder where ${line} wants a file`,
      {
        files: { 'my.yaml': good, 'bad/perfdb.yaml': '' },
        args: line.split(' '),
        code: 'FILE_UNREADABLE',
        says: 'cannot read bad: it is a folder',
      },
    ]),
    [
      'a folder of migrations without a .sql file',
      {
        files: { 'bad/perfdb.yaml': '' },
        args: ['import', 'bad'],
        code: 'FILE_NOT_FOUND',
        says: 'no .sql file in the folder bad',
      },
    ],
    [
      'a profile of perfdb.yaml that is not there',
      {
        files: { 'bad/perfdb.yaml': 'version: 1\nprofiles: [gone.yaml]\n' },
        args: ['apply', '--config', 'bad/perfdb.yaml'],
        code: 'FILE_NOT_FOUND',
        says: 'no such file: bad/gone.yaml --> bad/perfdb.yaml:2:11',
      },
    ],
    [
      'a url of perfdb.yaml that is none',
      {
        files: { 'my.yaml': good, 'bad/perfdb.yaml': 'version: 1\nurl: postgres:/me:secret@host\n' },
        args: ['apply', 'my.yaml', '--config', 'bad/perfdb.yaml'],
        environment: { DATABASE_URL: '' },
        code: 'BAD_URL',
        says: '--> bad/perfdb.yaml:2:6',
      },
    ],
    [
      'a URL where a profile is named',
      {
        args: ['apply', 'postgres://me:a:secret@b@host/shop?sslmode=require'],
        code: 'FILE_NOT_FOUND',
        says: 'no such file: postgres://me:***@host/shop?sslmode=require',
        hint: 'to name a database: --url URL, or DATABASE_URL',
      },
    ],
    [
      'a connection string where a profile is named',
      {
        args: ['apply', "host=h password='my secret' dbname=shop"],
        code: 'FILE_NOT_FOUND',
        says: 'no such file: host=h password=*** dbname=shop',
      },
    ],
    [
      'a URL where a command is named',
      { args: ['postgres://me:secret@host/shop'], code: 'BAD_OPTION', says: 'no command postgres://me:***@host/shop' },
    ],
    [
      'a variable that has no such choice',
      {
        environment: { PERFDB_COLOR: 'blue' },
        code: 'BAD_OPTION',
        says: 'PERFDB_COLOR: known are auto, always, never',
      },
    ],
    [
      'SQL that is none',
      { files: { 'bad.sql': 'create index on;' }, args: ['apply', 'bad.sql'], code: 'BAD_SQL', says: 'bad.sql:1:16' },
    ],
  ])('%s', async (_, mistake) => holds(mistake))
})

describe('profile against the database', () => {
  test.each<[string, Mistake]>([
    [
      'no such table',
      { files: { 'my.yaml': index('name: i, table: jbos, keys: [status]') }, code: 'NO_TABLE', says: 'jbos', hint: '' },
    ],
    [
      'no such column',
      { files: { 'my.yaml': index('name: i, table: jobs, keys: [statsu]') }, code: 'NO_COLUMN', says: 'statsu' },
    ],
    [
      'no such schema',
      { files: { 'my.yaml': index('name: i, table: shop.jobs, keys: [status]') }, code: 'NO_SCHEMA', says: 'shop' },
    ],
    [
      'no such opclass',
      {
        files: { 'my.yaml': index('name: i, table: jobs, keys: [{ column: status, opclass: text_ops_x }]') },
        code: 'BAD_DEFINITION',
        says: 'text_ops_x',
      },
    ],
    [
      'no such extension',
      { files: { 'my.yaml': `${good}extensions: [pg_nothing]\n` }, code: 'NO_EXTENSION', says: 'pg_nothing' },
    ],
    [
      'an expression that is none',
      {
        files: { 'my.yaml': index('name: i, table: jobs, keys: [{ expression: lower( }]') },
        code: 'BAD_DEFINITION',
        says: 'my.yaml:3:5',
      },
    ],
    [
      'a view',
      { files: { 'my.yaml': index('name: i, table: v, keys: [a]') }, code: 'NOT_INDEXABLE', says: 'v is a view' },
    ],
    [
      'a name that is taken',
      { files: { 'my.yaml': index('name: jobs, table: jobs, keys: [status]') }, code: 'NAME_TAKEN', says: 'jobs' },
    ],
  ])('%s', async (_, mistake) => holds(mistake))
})

describe('reports and pools', () => {
  test.each<[string, Mistake]>([
    [
      'a report that cannot be written, before anything is built',
      {
        args: ['apply', 'my.yaml', '--report', 'markdown=/proc/no/folder/r.md'],
        code: 'BAD_OPTION',
        says: '/proc/no/folder/r.md cannot be written: there is not a directory /proc/no/folder',
      },
    ],
    [
      'a report below a file',
      {
        args: ['apply', 'my.yaml', '--report', 'html=/dev/null/r.html'],
        code: 'BAD_OPTION',
        says: '/dev/null/r.html cannot be written: /dev/null is not a directory',
      },
    ],
    [
      'a report to a folder that is not there either',
      {
        args: ['apply', 'my.yaml', '--report', 'html=nowhere/'],
        code: 'BAD_OPTION',
        says: 'nowhere/ cannot be written: it is a folder',
      },
    ],
    [
      'two reports to one file',
      {
        args: ['apply', 'my.yaml', '--report', 'html=r.out', '--report', 'sarif=./r.out'],
        code: 'BAD_OPTION',
        says: 'two reports go to ./r.out',
      },
    ],
    [
      'a baseline that cannot be kept',
      {
        args: ['explain', '--query', 'select 1', '--save-baseline', '/proc/no/folder/b.yaml'],
        code: 'BAD_OPTION',
        says: '/proc/no/folder/b.yaml cannot be written',
      },
    ],
    [
      'a plan that cannot be kept',
      {
        args: ['plan', 'my.yaml', '--out', '/proc/no/folder/plan.json'],
        code: 'BAD_OPTION',
        says: '/proc/no/folder/plan.json cannot be written',
      },
    ],
    [
      'a negative pool',
      {
        files: { 'my.pools.yaml': pools('pool: { max: -1 }') },
        args: ['check-pool', 'my.pools.yaml', '--offline'],
        code: 'BAD_VALUE',
        says: 'my.pools.yaml:6',
      },
    ],
    ['no pools file', { args: ['check-pool'], code: 'NO_PROFILE', says: 'no pools file is named' }],
    [
      'a profile instead of pools',
      {
        args: ['check-pool', 'my.yaml'],
        code: 'BAD_VALUE',
        says: 'this is a profile, not a pool config --> my.yaml:1:1',
        hint: 'perfdb plan my.yaml',
      },
    ],
    [
      'pools instead of a profile',
      {
        files: { 'my.pools.yaml': pools('pool: { max: 5 }') },
        args: ['plan', 'my.pools.yaml'],
        code: 'BAD_VALUE',
        says: 'this is a pool config, not a profile',
      },
    ],
  ])('%s', async (_, mistake) => holds(mistake))
})

function pools(pool: string): string {
  return `kind: pools\nversion: 1\nservers: { main: { max_connections: 40 } }\nservices:\n  api: { server: main, database: d, role: r, instances: 1,\n    ${pool} }\n`
}
