import { afterAll, beforeAll, expect, test } from 'vitest'
import { openQueue, type Queue } from '../../src/queue/boss.js'
import { patiently, queueDatabase } from '../../src/queue/database.js'
import { lockHoldersSql } from '../../src/sql/catalog/tenants.js'
import { openQueueConnection } from '../../src/server/queue-connection.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { build, ended, folder, start } from '../cli/perfdb.js'
import { ownServer, type OwnServer } from '../support/server.js'
import { profile } from './tenants.js'

let server: OwnServer

beforeAll(async () => {
  ;[server] = await Promise.all([ownServer(), build()])
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const { signal } = new AbortController()

/** `gate` is awaited before each connection, `asks` told each text that is sent. */
async function opened(gate: { open: Promise<void> }, asks: (text: string) => void = () => undefined): Promise<Queue> {
  const target = await resolveTarget({ url: server.url, environment: {}, home: '/' })
  const database = queueDatabase(async () => {
    await gate.open
    const connection = await openQueueConnection(target)
    return {
      ...connection,
      run: async (text, values) => {
        asks(text)
        return connection.run(text, values)
      },
    }
  })
  return openQueue(database, { heartbeatMs: 10_000, onError: () => undefined })
}

/** As a run that follows its jobs does. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  return patiently(work, signal, () => undefined)
}

test('a run that begins right after the queue has restarted follows the one under way; one whose run is gone takes its place', async () => {
  const gate = { open: Promise.resolve() }
  await using first = await opened(gate)
  expect(await first.join('same', 'run-1', signal)).toEqual({ run: 'run-1', leads: true })
  // Its name is still there when the second one comes, its lock is not.
  let looked = () => {}
  gate.open = new Promise((resolve) => (looked = resolve))
  await server.stop('fast')
  await server.start()
  await using second = await opened({ open: Promise.resolve() }, (text) => text === lockHoldersSql && looked())
  const joining = second.join('same', 'run-2', signal)
  await asked(async () => first.look('00000000-0000-8000-a000-000000000000'))
  expect(await joining).toEqual({ run: 'run-1', leads: false })
  {
    await using killed = await opened({ open: Promise.resolve() })
    expect(await killed.join('other', 'run-3', signal)).toEqual({ run: 'run-3', leads: true })
  }
  expect(await second.join('other', 'run-4', signal)).toEqual({ run: 'run-4', leads: true })
  expect(await first.join('other', 'run-5', signal)).toEqual({ run: 'run-4', leads: false })
}, 120_000)

test('a worker waits for a queue that is away when it begins, for --queue-wait; SIGTERM ends it meanwhile', async () => {
  await using where = await folder({ 'p.yaml': profile, 't.csv': `id,url\nt-001,${server.url}` })
  const worker = (...more: readonly string[]) => {
    const child = start(['worker', 'p.yaml', '--tenants-file', 't.csv', '--queue', server.url, ...more], {
      cwd: where.path,
    })
    let text = ''
    const said = async (pattern: RegExp) =>
      new Promise<void>((resolve) =>
        child.stderr?.on('data', (chunk: Buffer) => pattern.test((text += chunk.toString())) && resolve()),
      )
    return { child, said, ended: ended(child) }
  }
  await server.stop('fast')
  const impatient = await worker('--queue-wait', '1s').ended
  expect([impatient.code, impatient.stdout + impatient.stderr]).toEqual([
    2,
    expect.stringMatching(/asked again.*QUEUE_LOST.*for 1\.0 s: no tenant was taken/s),
  ])
  const [stopped, patient] = [worker(), worker()]
  await Promise.all([stopped, patient].map(async ({ said }) => said(/the queue does not answer, and is asked again/)))
  stopped.child.kill('SIGTERM')
  expect((await stopped.ended).code).toBe(0)
  const working = patient.said(/waiting for tenants/)
  await server.start()
  await working
  patient.child.kill('SIGTERM')
  expect((await patient.ended).code).toBe(0)
}, 120_000)
