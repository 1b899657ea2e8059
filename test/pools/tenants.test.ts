import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import type { PoolsFile } from '../../src/pools/sums/model.js'
import { readPools } from '../../src/pools/file/read.js'
import type { RegistryRow } from '../../src/tenants/tenant.js'

const head = `version: 1
servers: { main: { max_connections: 100 }, two: { max_connections: 100 } }
services: { api: { pool: { max: 1, per_tenant: true } } }
tenants:
`

/** A pools file with these lines under tenants, the text of tenants.csv beside it, and what its registry answers. */
async function read(tenants: string, csv = '', rows: readonly RegistryRow[] = []): Promise<PoolsFile | undefined> {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-pools-'))
  try {
    await writeFile(join(cwd, 'a.pools.yaml'), head + tenants)
    await writeFile(join(cwd, 'tenants.csv'), csv)
    const [file] = await readPools(['a.pools.yaml'], { cwd, environment: {}, askRegistry: async () => rows })
    return file
  } finally {
    await rm(cwd, { recursive: true })
  }
}

async function problems(...args: Parameters<typeof read>): Promise<readonly string[]> {
  const error: unknown = await read(...args).catch((cause: unknown) => cause)
  if (!(error instanceof PerfdbError)) throw new Error('no PerfdbError', { cause: error })
  expect(JSON.stringify([error, error.problems])).not.toMatch(/hunter2|nter2/)
  return error.problems.map(
    ({ code, place, message, hint }) =>
      `${code} ${place?.file}:${place?.line}:${place?.column} ${message}${hint === undefined ? '' : `; ${hint}`}`,
  )
}

const byServer = '  - { ids_from: tenants.csv, server_column: server, database_column: db }\n'
const byUrl = '  - { ids_from: tenants.csv, url_column: url }\n'

test('quotes, line breaks in them, blank lines and Windows line ends keep the line of each tenant', async () => {
  const csv = '\uFEFFid,server,db,note\r\ny1,main,"d,1","two\nlines"\r\n\r\n"y""2",two,d2,\r\n'
  const file = await read(byServer, csv)
  expect(file?.tenants).toMatchObject([
    { id: 'y1', server: 'main', database: 'd,1', place: { file: 'tenants.csv', line: 2, column: 1 } },
    { id: 'y"2', server: 'two', database: 'd2', place: { file: 'tenants.csv', line: 5, column: 1 } },
  ])
})

test.each([
  [
    'a missing column',
    'id,srv,db\ny1,main,d1\n',
    'BAD_VALUE tenants.csv:1:1 no column server in tenants.csv; the first line names the columns, it has 3',
  ],
  [
    'an empty file',
    '',
    'BAD_VALUE tenants.csv:1:1 no column id, server, db in tenants.csv; the first line names the columns',
  ],
  ['an empty server', 'id,server,db\ny1,,d1\n', 'BAD_VALUE tenants.csv:2:4 tenant y1 has no server'],
  ['an empty id', 'id,server,db\n,main,d1\n', 'BAD_VALUE tenants.csv:2:1 the tenant has no id'],
  [
    'an unknown server',
    'id,server,db\ny1,mian,d1\n',
    'UNKNOWN_REFERENCE tenants.csv:2:1 tenant y1: no server "mian"; declared: main, two',
  ],
  [
    'a duplicate',
    'id,server,db\ny1,main,d1\ny2,main,d2\ny1,two,d3\n',
    'BAD_VALUE tenants.csv:4:1 tenant y1 is listed twice; first at tenants.csv:2:1',
  ],
  ['a cell too many', 'id,server,db\ny1,main,d1,x\n', 'BAD_VALUE tenants.csv:2:1 4 cells, but the header has 3'],
  ['a quote that never ends', 'id,server,db\ny1,"main,d1\n', 'BAD_VALUE tenants.csv:2:4 a quoted cell that never ends'],
  ['text after a quote', 'id,server,db\ny1,"main"x,d1\n', 'BAD_VALUE tenants.csv:2:10 text after a quoted cell'],
])('a CSV file with %s', async (_what, csv, expected) => {
  expect(await problems(byServer, csv)).toEqual([expect.stringContaining(expected)])
})

test.each([
  ['no url', 'not a url'],
  ['a password with an @', 'postgres://app:hu@nter2/x@db.example/y1'],
  ['a password with a slash', 'postgres://app:hunter2/x@db.example/y1'],
  ['a password with a question mark', 'postgres://app:hunter2?x@db.example/y1'],
  ['another protocol', 'mysql://app:hunter2@db.example/y1'],
])('a url of a tenant that is %s is refused without being repeated', async (_what, url) => {
  expect(await problems(byUrl, `id,url\ny1,${url}\n`)).toEqual([
    expect.stringContaining('BAD_VALUE tenants.csv:2:4 tenant y1: its url is none of PostgreSQL'),
  ])
  expect(await problems(`  - { id: y1, url: "${url}" }\n`)).toEqual([
    expect.stringContaining('BAD_VALUE a.pools.yaml:5:5 tenant y1: its url is none of PostgreSQL'),
  ])
})

test('a password with an unescaped @ is in no name, and it is said that the file holds passwords', async () => {
  const file = await read(
    byUrl,
    'id,url\ny1,postgres://app%40corp:hu@nter2@db.example/y1\ny2,postgres://b:${P}@db.example:5433/y2\n',
  )
  expect(file?.servers.map((server) => server.name)).toEqual(['main', 'two', 'db.example:5432', 'db.example:5433'])
  expect(file?.tenants[0]).toMatchObject({ role: 'app@corp', database: 'y1' })
  expect(file?.findings).toMatchObject([
    {
      code: 'LITERAL_PASSWORD',
      message: 'the url of tenant y1 holds a password',
      place: { file: 'tenants.csv', line: 2 },
    },
  ])
  const registry = await read(
    '  - { registry: { url: "postgres://app:hunter2@db.example/master", sql: select 1 } }\n',
    '',
    [{ id: 'y1', server: 'main' }],
  )
  expect(registry?.findings).toMatchObject([
    { code: 'LITERAL_PASSWORD', message: 'the url of the registry holds a password' },
  ])
  expect(JSON.stringify([file?.findings, file?.tenants, registry?.findings])).not.toContain('nter2')
})

const registry = '  - { registry: { url: "${MASTER_URL}", sql: select 1 } }\n'

test.each([
  [
    'a duplicate',
    [
      { id: 'y1', server: 'main' },
      { id: 'y1', server: 'two' },
    ],
    'tenant y1 is listed twice; first in row 1 of the registry',
  ],
  [
    'a limit that is no number',
    [{ id: 'y1', server: 'main', connection_limit: 'many' }],
    'row 1 of the registry: connection_limit many is not a whole number',
  ],
  ['an empty id', [{ id: '', server: 'main' }], 'row 1 of the registry has no id'],
  ['a bad url', [{ id: 'y1', url: 'postgres://app:hunter2/x@db/y' }], 'tenant y1: its url is none of PostgreSQL'],
])('a registry with %s', async (_what, rows, expected) => {
  expect(await problems(registry, '', rows)).toEqual([expect.stringContaining(expected)])
  expect((await problems(registry, '', rows))[0]).toContain('BAD_VALUE a.pools.yaml:5:7')
})

test('a url template: what a row says is data, it neither moves the host nor asks for a variable', async () => {
  const template = 'postgres://app:${P}@{host}/{db}?sslmode=require'
  const byTemplate = `  - { registry: { url: "\${M}", sql: select 1, url_template: "${template}", label_columns: [region, size] } }\n`
  const file = await read(byTemplate, '', [
    { id: 'y1', host: 'db.example:5433', db: 'a/b?c@${HOME}', region: 'eu', size: 3 },
    { id: 2, host: '[::1]', db: 'y2', region: null, size: true },
  ])
  expect(file?.servers.map((server) => server.name)).toEqual(['main', 'two', 'db.example:5433', '[::1]:5432'])
  expect(file?.tenants).toMatchObject([
    { id: 'y1', database: 'a/b?c@${HOME}', role: 'app' },
    { id: '2', database: 'y2' },
  ])
  const base = await read(byTemplate.replace(template, '${BASE}/{db}'), '', [
    { id: 'y1', db: 'a@b', region: 'eu', size: 1 },
  ])
  expect([base?.servers.at(-1)?.name, base?.tenants[0]?.server]).toEqual(['${BASE}', '${BASE}'])
  const row = { id: 'y1', host: 'db', db: 'y1', region: 'eu', size: 'big' }
  expect(await problems(byTemplate, '', [{ ...row, host: 'evil@there' }])).toEqual([
    expect.stringContaining('a.pools.yaml:5:7 row 1 of the registry: its host is no name of a host'),
  ])
  expect(await problems(byTemplate, '', [{ ...row, db: null }])).toEqual([
    expect.stringContaining('row 1 of the registry has no db, which url_template names'),
  ])
  expect(await problems(byTemplate, '', [{ id: 'y1', host: 'db', db: 'y1', region: 'eu' }])).toEqual([
    expect.stringContaining('row 1 of the registry has no column size, which label_columns names'),
  ])
  expect(await problems(registry, '', [{ id: 'y1', url: 'postgres://app:${PGPASSWORD}@evil/y' }])).toEqual([
    expect.stringContaining('the url of tenant y1 names a variable, which only a file may'),
  ])
  const list = `  - { ids_from: tenants.csv, url_template: "${template}", label_columns: [region] }\n`
  expect((await read(list, 'id,host,db,region\ny1,db.example,a b,eu\n'))?.tenants).toMatchObject([{ database: 'a b' }])
  expect(await problems(list, 'id,host,db,region\ny1,db.example,,eu\ny2,a b,d,eu\n')).toEqual([
    expect.stringContaining('tenants.csv:2:15 tenant y1 has no db, which url_template names'),
    expect.stringContaining('tenants.csv:3:4 tenant y2: its host is no name of a host'),
  ])
  expect(await problems(list, 'id,host,db\ny1,db,y1\n')).toEqual([expect.stringContaining('no column region')])
})

test('one tenant in two lists of a file is a duplicate; in two files it is that of each', async () => {
  expect(await problems(`${byServer}  - { id: y1, server: two }\n`, 'id,server,db\ny1,main,d1\n')).toEqual([
    expect.stringContaining('BAD_VALUE a.pools.yaml:6:5 tenant y1 is listed twice; first at tenants.csv:2:1'),
  ])
})
