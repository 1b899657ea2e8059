import { chmod, readdir, readFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { testDatabase } from '../support/database.js'
import { until } from '../support/slow.js'
import { needing } from '../support/needs.js'
import { build, ended, folder, perfdb, start, type Folder } from './perfdb.js'

beforeAll(build)

describe('the demo leaves no server and no folder', () => {
  test.each([
    ['while the data is loaded', '0.1', 'loading: job steps'],
    ['while an index is built', '0.01', '[2/31] create '],
  ])('SIGINT %s', async (_, scale, words) => {
    await using home = await openFolder()
    const demo = start(['demo', '--scale', scale], { cwd: home.path, environment: { TMPDIR: home.path } })
    const outcome = ended(demo)
    await says(demo, words)
    const pid = await serverPid(home)
    demo.kill('SIGINT')
    const { code, stdout, stderr } = await outcome
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toContain('error[INTERRUPTED]')
    expect(alive(pid)).toBe(false)
    expect(await leftovers(home)).toEqual([])
  })

  test('SIGKILL: the guard ends the server and removes its folder', async () => {
    await using home = await openFolder()
    const demo = start(['demo', '--scale', '0.1'], { cwd: home.path, environment: { TMPDIR: home.path } })
    const outcome = ended(demo)
    await says(demo, 'loading: jobs')
    const pid = await serverPid(home)
    expect(alive(pid)).toBe(true)
    demo.kill('SIGKILL')
    expect(await outcome).toMatchObject({ code: null, signal: 'SIGKILL' })
    await until('the end of the server', () => !alive(pid))
    await until('the end of its folder', async () => (await leftovers(home)).length === 0)
  })
})

test('SIGKILL while the server is made', async () => {
  await using home = await openFolder()
  const demo = start(['demo', '--scale', '0.1'], { cwd: home.path, environment: { TMPDIR: home.path } })
  const outcome = ended(demo)
  await until('the folder', async () => (await leftovers(home)).length > 0)
  demo.kill('SIGKILL')
  expect(await outcome).toMatchObject({ signal: 'SIGKILL' })
  await until('the end of the folder', async () => (await leftovers(home)).length === 0)
})

describe('what only looks ends at once', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('explain, %s: its statement is cancelled', async (signal, code) => {
    await using database = await testDatabase()
    await using home = await folder({ 'slow.sql': 'select pg_sleep(60);' })
    const explain = start(['explain', 'slow.sql'], { cwd: home.path, environment: { DATABASE_URL: database.url } })
    const outcome = ended(explain)
    const sleeping = async () =>
      (await database.sql`select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`)
        .length > 0
    await until('the statement', sleeping)
    explain.kill(signal)
    expect((await outcome).code).toBe(code)
    await until('the end of the statement', async () => !(await sleeping()))
  })

  test('plan, waiting for a lock', async () => {
    await using database = await testDatabase('create table jobs (status text)')
    await using home = await folder({
      'my.yaml': 'version: 1\nindexes:\n  - { name: i, table: jobs, keys: [status] }\n',
    })
    await database.sql.begin(async (sql) => {
      await sql`lock table jobs`
      const plan = start(['plan', 'my.yaml'], { cwd: home.path, environment: { DATABASE_URL: database.url } })
      const outcome = ended(plan)
      await until(
        'perfdb in the queue',
        async () =>
          (
            await database.sql`select 1 from pg_stat_activity where application_name like 'perfdb%' and wait_event_type = 'Lock' and datname = current_database()`
          ).length > 0,
      )
      plan.kill('SIGINT')
      const { code, stderr } = await outcome
      expect(code).toBe(130)
      expect(stderr).toMatch(/error\[INTERRUPTED\]: ended by SIGINT/)
    })
  })

  test('a server that never answers keeps nobody', async () => {
    const sockets: { destroy(): void }[] = []
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)))
    const arrived = new Promise((resolve) => silent.once('connection', resolve))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await using home = await folder()
    const status = start(['status', '--url', `postgres://me@127.0.0.1:${port}/x`], { cwd: home.path })
    const outcome = ended(status)
    await arrived
    status.kill('SIGINT')
    // By the signal itself, which a shell calls 130 as well.
    expect(await outcome).toMatchObject({ code: null, signal: 'SIGINT' })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})

/** A temporary folder for the demo that the server's user can enter, too. */
async function openFolder(): Promise<Folder> {
  const home = await folder()
  await chmod(home.path, 0o755)
  return home
}

async function says(child: ReturnType<typeof start>, words: string): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (text: string) => {
      said += text
      if (said.includes(words)) resolve()
    })
    child.once('exit', () => reject(new Error(`ended before it said ${words}: ${said}`)))
  })
}

async function leftovers(home: Folder): Promise<readonly string[]> {
  return (await readdir(home.path)).filter((name) => name.startsWith('perfdb-embedded-'))
}

async function serverPid(home: Folder): Promise<number> {
  const [name = ''] = await leftovers(home)
  const [pid] = (await readFile(join(home.path, name, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  return Number(pid)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

needing('script (util-linux)', existsSync('/usr/bin/script'))(
  'Ctrl-C at the question of a rollback is a signal: exit code 130, and nothing is changed',
  async () => {
    await using db = await testDatabase('create table t (id int)')
    await using home = await folder({ 'my.yaml': 'version: 1\nindexes: [{ name: i, table: t, keys: [id] }]\n' })
    const environment = { DATABASE_URL: db.url }
    expect((await perfdb(['apply', 'my.yaml'], { cwd: home.path, environment })).code).toBe(0)
    const answers: readonly (readonly [string, number, string])[] = [
      ['\u0003', 130, 'error[INTERRUPTED]'],
      ['n\r', 1, 'the rollback was declined'],
    ]
    for (const [keys, code, said] of answers) {
      const program = join(import.meta.dirname, '../../bin/perfdb.js')
      const terminal = spawn(
        '/usr/bin/script',
        ['-qec', `'${process.execPath}' '${program}' rollback --color never`, '/dev/null'],
        {
          cwd: home.path,
          env: { PATH: process.env['PATH'] ?? '', HOME: home.path, TERM: 'xterm', ...environment },
        },
      )
      let shown = ''
      terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (!shown.includes('Do this?') && (shown + text).includes('Do this?')) terminal.stdin.write(keys)
        shown += text
      })
      const ended = await new Promise<number | null>((resolve) => terminal.once('close', resolve))
      expect(ended, shown).toBe(code)
      expect(shown).toContain(said)
    }
    expect(await db.sql`select from pg_class where relname = 'i'`).toHaveLength(1)
    expect(await db.sql`select from perfdb.runs`).toHaveLength(1)
  },
)
