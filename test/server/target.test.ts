import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { assert, asyncProperty, constantFrom, record, string } from 'fast-check'
import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import { passwordOf } from '../../src/server/target/pgpass.js'
import { databaseUrl, resolveTarget, schemaOfUrl, type Target } from '../../src/server/target/target.js'
import { failureOf } from '../support/failure.js'

const nowhere = '/nonexistent'

test('a URI with everything encoded', async () => {
  const target = await of(
    'postgresql://us%40er:p%2Fw%3A@db.example.com:6432/my%20db?sslmode=verify-full&sslrootcert=system&connect_timeout=3&options=-c%20geqo%3Doff',
  )
  expect(await shown(target)).toEqual({
    hosts: [{ host: 'db.example.com', address: null, port: 6432 }],
    user: 'us@er',
    password: 'p/w:',
    database: 'my db',
    mode: 'verify-full',
    connectTimeoutMs: 3000,
    options: '-c geqo=off',
    label: 'db.example.com:6432/my db as us@er',
  })
})

test.each([
  ['postgres://u@[::1]:5433/d', '[::1]:5433/d as u'],
  ['postgres://u@/d?host=/run/pg&port=5433', '/run/pg/.s.PGSQL.5433/d as u'],
  ['postgres://u@%2Frun%2Fpg/d', '/run/pg/.s.PGSQL.5432/d as u'],
  ['postgres://u@a:1,b:2,c/d', 'a:1,b:2,c:5432/d as u'],
  ['postgres://u@a,b:7/d', 'a:5432,b:7/d as u'],
  ['postgres://u@h', 'h:5432/u as u'],
  ['postgres://h/d?user=x%40y', 'h:5432/d as x@y'],
  ['host=h port=7 user=u dbname=d', 'h:7/d as u'],
  [" host = h  user='a b' password='it\\'s' dbname=d\\ e ", 'h:5432/d e as a b'],
  ['hostaddr=10.0.0.1 user=u dbname=d', '10.0.0.1:5432/d as u'],
])('%s', async (url, label) => {
  expect((await of(url)).label).toBe(label)
})

test('sources in their order: --url, PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, perfdb.yaml, PG variables', async () => {
  const environment: Record<string, string> = {
    PGHOST: 'five',
    PGUSER: 'u',
    DATABASE_URL: 'postgres://four',
    PERFDB_URL: 'postgres://three',
    PERFDB_DIRECT_URL: 'postgres://two',
  }
  const host = async (url?: string) =>
    (await resolveTarget({ url, environment, configured: 'postgres://six', home: nowhere })).hosts[0].host
  expect(await host('postgres://one')).toBe('one')
  for (const [variable, expected] of [
    ['PERFDB_DIRECT_URL', 'two'],
    ['PERFDB_URL', 'three'],
    ['DATABASE_URL', 'four'],
    ['', 'six'],
  ] as const) {
    expect(await host()).toBe(expected)
    delete environment[variable]
  }
})

test('an embedded server is asked for by any of them', () => {
  const found = databaseUrl({ environment: { PERFDB_URL: '', DATABASE_URL: 'embedded' }, configured: 'postgres://six' })
  expect(found).toEqual({ origin: 'DATABASE_URL', text: 'embedded' })
})

test('what a URL leaves open comes from PG variables, never the other way round', async () => {
  const environment = {
    PGPASSWORD: 'pw',
    PGSSLMODE: 'require',
    PGUSER: 'not-me',
    PGPORT: '7',
    PGCONNECT_TIMEOUT: '2',
    PGTARGETSESSIONATTRS: 'read-write',
    PGOPTIONS: '-c geqo=off',
  }
  const target = await resolveTarget({ url: 'postgres://me@h/d', environment, home: nowhere })
  expect(await shown(target)).toMatchObject({
    user: 'me',
    password: 'pw',
    mode: 'require',
    hosts: [{ host: 'h', port: 7 }],
    connectTimeoutMs: 2000,
    options: '-c geqo=off',
  })
  expect(target.sessionAttributes).toBe('read-write')
})

test('nothing that names a database is NO_URL', async () => {
  expect(
    (await failureOf(resolveTarget({ environment: { PGPASSWORD: 'x', DATABASE_URL: ' ' }, home: nowhere }))).code,
  ).toBe('NO_URL')
})

test.each([
  ['mysql://u:secret@h/d', 'BAD_URL', ''],
  ['postgres://u:se@cret@h/d', 'BAD_URL', '%40'],
  ['postgres://u:se/cret@h/d', 'BAD_URL', '%2F'],
  ['postgres://u:12/secret@h/d', 'BAD_URL', '%2F'],
  ['postgres://u:12?secret=a@h/d', 'BAD_URL', '%3F'],
  ['postgres://u:%zzsecret@h/d', 'BAD_URL', '%25'],
  ['postgres://u@h:port/d', 'BAD_URL', ''],
  ['postgres://u@h:70000/d', 'BAD_URL', ''],
  ['postgres://u@a:1,b:2/d?hostaddr=1.1.1.1', 'BAD_URL', ''],
  ['postgres://u@h/d?sslrootcert=system&sslmode=require', 'BAD_URL', ''],
  ['postgres://u@h/d?channel_binding=require', 'BAD_URL', 'verify-full'],
  ['mysql+pymysql://u:secret@h/d', 'BAD_URL', ''],
  ['postgres://u@h/d?sslidentity=client.p12', 'UNKNOWN_URL_PARAMETER', 'sslcert'],
  ['postgres://u@h/d?ssl=secret', 'UNKNOWN_URL_PARAMETER', 'sslmode'],
  ['postgres://u@h/d?nonsense=1', 'UNKNOWN_URL_PARAMETER', ''],
  ['postgres://u@h/d?sslmod=require', 'UNKNOWN_URL_PARAMETER', 'did you mean sslmode?'],
  ['host=h passwrd=x', 'UNKNOWN_URL_PARAMETER', 'did you mean password?'],
  ['host=h password=my secret=word user=u', 'BAD_URL', 'quote'],
  ['host=h password=my secret user=u', 'BAD_URL', 'quote'],
  ["host=h password='secret", 'BAD_URL', ''],
  ['secret', 'BAD_URL', ''],
])('%s is refused', async (url, code, hint) => {
  const failure = await failureOf(of(url))
  expect(failure.code).toBe(code)
  expect(failure.hint).toContain(hint)
  expect(everythingOf(failure)).not.toContain('secret')
})

test.each([
  [
    'postgres://u@h/d?schema=app&connection_limit=5&pgbouncer=true',
    'prefer',
    'connection_limit, pgbouncer; pgbouncer says',
  ],
  [
    'postgresql+asyncpg://u@h/d?ssl=require&prepared_statement_cache_size=0',
    'require',
    'prepared_statement_cache_size',
  ],
  ['jdbc:postgresql://h/d?user=u&currentSchema=app&ApplicationName=x&ssl=true', 'require', 'ApplicationName'],
  ['postgres://u@h/d?sslmode=no-verify&uselibpqcompat=true', 'require', 'uselibpqcompat'],
  ['postgres://u@h/d?sslmode=verify-full&sslaccept=accept_invalid_certs', 'verify-full', 'sslaccept'],
  ['postgres://u@h/d?sslaccept=strict', 'verify-full', ''],
  ['postgis://u@h/d?statement_timeout=5000', 'prefer', 'statement_timeout'],
])('%s, as other drivers have it', async (url, mode, left) => {
  const target = await of(url)
  expect(await shown(target)).toMatchObject({ user: 'u', database: 'd', mode })
  if (left === '') expect(target.warnings).toEqual([])
  else expect(target.warnings).toEqual([expect.stringContaining(left)])
})

test('search_path becomes an option of the session; the schema of Prisma and JDBC is where a profile without one looks', async () => {
  expect(await shown(await of('postgres://u@h/d?search_path=a,%20b&options=-c%20geqo%3Doff'))).toMatchObject({
    options: '-c search_path=a,\\ b -c geqo=off',
  })
  const schema = (url: string) => schemaOfUrl({ url, environment: {} })
  expect(schema('postgres://u@h/d?schema=app')).toBe('app')
  expect(schema('jdbc:postgresql://h/d?currentSchema=app')).toBe('app')
  expect(schema('postgres://u@h/d')).toBe(undefined)
})

test('a password shows up nowhere, whatever it is made of and however badly it is written', async () => {
  const password = string({ unit: constantFrom(..."ab1@:/?#%&='\\ ,[]".split('')), maxLength: 12 }).map(
    (text) => `Qx7${text}Zw9`,
  )
  const secret = record({ password, form: constantFrom('encoded', 'raw', 'pairs', 'quoted', 'query') })
  await assert(
    asyncProperty(secret, async ({ password, form }) => {
      const outcome: unknown = await of(written(password, form)).catch((error: unknown) => error)
      const text = everythingOf(outcome)
      expect(text).not.toContain('Qx7')
      expect(text).not.toContain('Zw9')
      if (form === 'encoded' || form === 'quoted' || form === 'query')
        expect((await shown(await of(written(password, form)))).password).toBe(password)
    }),
    { numRuns: 1000 },
  )
})

test('password files: first match, wildcards, escapes, and only when nobody else may read them', async () => {
  const text = ['# comment', 'h:5432:d:u:one', 'h:*:*:u:tw\\:o\\\\', '\\*:1:d:u:star', '*:*:*:*:any', ''].join('\n')
  const key = (host: string, port = 5432, database = 'd', user = 'u') => ({ hosts: [host], port, database, user })
  expect(passwordOf(text, key('h'))).toBe('one')
  expect(passwordOf(text, key('h', 1))).toBe('tw:o\\')
  expect(passwordOf(text, key('*', 1))).toBe('star')
  expect(passwordOf(text, key('other', 9, 'x', 'y'))).toBe('any')
  expect(passwordOf('h:5432:d:u\n:1:d:u:x', key('h'))).toBe(undefined)

  const home = await mkdtemp(join(tmpdir(), 'perfdb-pgpass-'))
  try {
    const file = join(home, '.pgpass')
    await writeFile(file, 'h:5432:d:u:from-file\nlocalhost:5432:d:u:local\n', { mode: 0o600 })
    const target = await resolveTarget({ url: 'postgres://u@h,/d?host=h,/var/run/postgresql', environment: {}, home })
    expect(await Promise.all(target.hosts.map(async (host) => target.passwordFor(host)))).toEqual([
      'from-file',
      'local',
    ])
    expect(everythingOf(target)).not.toContain('from-file')
    expect((await shown(await resolveTarget({ url: 'postgres://u:own@h/d', environment: {}, home }))).password).toBe(
      'own',
    )
    await chmod(file, 0o644)
    const open = await resolveTarget({ url: 'postgres://u@h/d', environment: {}, home })
    expect((await shown(open)).password).toBe(undefined)
    expect(open.warnings).toEqual([expect.stringContaining('group or world access')])
    await chmod(file, 0o600)
    const named = await resolveTarget({ url: 'postgres://u@h/d', environment: { PGPASSFILE: file }, home: nowhere })
    expect((await shown(named)).password).toBe('from-file')
  } finally {
    await rm(home, { recursive: true })
  }
})

test('services come between the URL and the PG variables', async () => {
  const home = await mkdtemp(join(tmpdir(), 'perfdb-service-'))
  try {
    const services = [
      '# all',
      '[other]',
      'host=o',
      '[prod]',
      'host=s',
      'user=su',
      'password=sp',
      'sslmode=require',
      '',
      '[bad]',
      'hots=x',
    ].join('\n')
    await writeFile(join(home, '.pg_service.conf'), services)
    const environment = { PGSERVICE: 'prod', PGHOST: 'not-this', PGDATABASE: 'd' }
    expect(await shown(await resolveTarget({ environment, home }))).toMatchObject({
      label: 's:5432/d as su',
      password: 'sp',
      mode: 'require',
    })
    expect((await resolveTarget({ url: 'postgres://me@h/x?service=prod', environment: {}, home })).label).toBe(
      'h:5432/x as me',
    )
    expect(await failureOf(resolveTarget({ url: 'service=none', environment: {}, home }))).toMatchObject({
      code: 'BAD_URL',
      message: 'the service none is not defined',
    })
    expect((await failureOf(resolveTarget({ url: 'service=bad', environment: {}, home }))).code).toBe(
      'UNKNOWN_URL_PARAMETER',
    )
  } finally {
    await rm(home, { recursive: true })
  }
})

function written(password: string, form: string): string {
  switch (form) {
    case 'encoded':
      return `postgres://u:${encodeURIComponent(password)}@h:1/d`
    case 'query':
      return `postgres://u@h:1/d?password=${encodeURIComponent(password)}`
    case 'quoted':
      return `host=h user=u password='${password.replace(/['\\]/g, '\\$&')}' dbname=d`
    case 'pairs':
      return `host=h password=${password} user=u`
    default:
      return `postgres://u:${password}@h:1/d`
  }
}

async function of(url: string): Promise<Target> {
  return resolveTarget({ url, environment: {}, home: nowhere })
}

async function shown(target: Target) {
  const { hosts, user, database, connectTimeoutMs, options, label } = target
  return {
    hosts,
    user,
    database,
    password: await target.passwordFor(hosts[0]),
    mode: target.tls.mode,
    connectTimeoutMs,
    options,
    label,
  }
}

function everythingOf(value: unknown): string {
  const text = value instanceof PerfdbError ? [value.message, value.detail, value.hint, value.stack].join(' ') : ''
  return `${text} ${inspect(value, { depth: 20, showHidden: true })} ${JSON.stringify(value)}`
}
