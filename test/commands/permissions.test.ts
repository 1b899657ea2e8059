import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, perfdbHere } from '../cli/perfdb.js'
import { testDatabase } from '../support/database.js'

/*
 * The grants of docs/permissions.md, pasted as they stand there but for the names, are enough for the commands that they are said to be for.
 */
test('the roles of docs/permissions.md can do what the page says', { timeout: 240_000 }, async () => {
  await using db = await testDatabase()
  await using at = await folder({
    'p.yaml': `version: 1
profile: permissions
indexes:
  - { name: jobs_status, table: jobs, keys: [status], for: [open] }
queries:
  - { name: open, sql: select count(*) from jobs where status = 'open' }
`,
  })
  const id = randomBytes(4).toString('hex')
  const roles = { perfdb_read: `read_${id}`, perfdb_deploy: `deploy_${id}`, app_owner: `owner_${id}` }
  const own = (sql: string) =>
    Object.entries(roles)
      .reduce((text, [name, role]) => text.replaceAll(name, role), sql)
      .replaceAll('database shop', `database ${db.name}`)
  const page = await readFile(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8')
  const blocks = [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, sql = '']) => own(sql))
  expect(blocks).toHaveLength(2)
  try {
    await db.sql.unsafe(
      own(`create role app_owner; grant create, usage on schema public to app_owner; set role app_owner;
      create table jobs (id int primary key, status text); insert into jobs select n, case when n % 100 = 0 then 'open' else 'done' end from generate_series(1, 5000) n; reset role`),
    )
    for (const sql of blocks) await db.sql.unsafe(sql)
    const as = async (role: string, ...args: readonly string[]) => {
      const url = new URL(db.url)
      url.username = role
      await db.sql.unsafe(`alter role ${role} password 'p${id}'`)
      url.password = `p${id}`
      return perfdbHere([...args, '--format', 'json'], { cwd: at.path, environment: { DATABASE_URL: url.href } })
    }
    const { perfdb_read: reader, perfdb_deploy: builder } = roles
    for (const args of [['plan', 'p.yaml'], ['explain', 'p.yaml', '--time-budget', '10ms'], ['status']])
      expect(await as(reader, ...args)).toMatchObject({ code: 0 })
    expect(await as(reader, 'verify', 'p.yaml')).toMatchObject({ code: 1 })
    expect((await as(reader, 'apply', 'p.yaml')).stdout).toContain('PRIVILEGE')
    expect(await as(builder, 'apply', 'p.yaml', '--time-budget', '10ms')).toMatchObject({ code: 0 })
    expect(await as(reader, 'verify', 'p.yaml')).toMatchObject({ code: 0 })
    expect(await as(builder, 'rollback', '--yes')).toMatchObject({ code: 0 })
  } finally {
    for (const role of Object.values(roles).toReversed())
      await db.sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`).catch(() => undefined)
  }
})
