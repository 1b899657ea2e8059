import type postgres from 'postgres'
import { PerfdbError } from '../../errors.js'
import type { Audit as AuditSettings, AuditWriter } from '../../pools/sums/audit.js'
import { alike, insertText, refusesRow, withId, type AuditRow } from './audit-rows.js'
import { makeWindow, type Window } from '../pool/window.js'

export interface AuditCounts {
  readonly written: Window
  /** Rows that the database refuses, and would again. */
  readonly failed: Window
  /** Rows that found no room, and those that close() could not write in time. */
  readonly dropped: Window
  readonly retries: Window
  readonly writeMs: Window
  readonly batches: Window
}

export interface Audit {
  /**
   * Takes a row; resolves when it is in the queue, which is at once while there is room. It is written later, at least once. Throws AUDIT_FULL
   * when there was no room within block_timeout, and POOL_CLOSED after close().
   */
  write(row: AuditRow): Promise<void>
  readonly counts: AuditCounts
  readonly depth: () => number
  readonly capacity: number
  /** Writes what is in the queue, for so long at most; what is left counts as dropped. */
  close(deadlineMs: number): Promise<void>
}

interface Queued {
  readonly row: AuditRow
  readonly turn: number
}

interface Lane {
  readonly rows: Queued[]
  /** Rows of the batch that is being written: they are the oldest. */
  writing: number
  running: boolean
}

const batchRows = 500
const usualQueue = 1000
const retryMs = { least: 20, most: 5000 }
const accepted = Promise.resolve()

/**
 * A bounded queue whose rows are written in batches, never while a request waits. `refused` is told each row that the database refuses.
 * Rows with one key are in one lane, and so in their order.
 */
export function makeAudit(
  sql: postgres.Sql,
  settings: AuditSettings,
  writer: AuditWriter,
  refused: (row: AuditRow, error: unknown) => unknown,
): Audit {
  const capacity = settings.queue ?? usualQueue
  const counts: AuditCounts = {
    written: makeWindow(),
    failed: makeWindow(),
    dropped: makeWindow(),
    retries: makeWindow(),
    writeMs: makeWindow(),
    batches: makeWindow(),
  }
  const lanes = Array.from({ length: settings.workers }, (): Lane => ({ rows: [], writing: 0, running: false }))
  /** Who waits for room, the longest first. */
  const waiting = new Set<{ readonly take: () => void }>()
  let depth = 0
  let closed = false
  let aborted = false
  let deaf = false
  let turn = 0
  let emptied: (() => void) | undefined

  function laneOf(row: AuditRow): Lane {
    const key = writer.keyColumn === null ? undefined : row[writer.keyColumn]
    const lane = lanes[(writer.keyColumn === null ? turn : hash(String(key))) % lanes.length]
    if (lane === undefined) throw new PerfdbError('INTERNAL', 'an audit without workers')
    return lane
  }

  function push(row: AuditRow): void {
    const lane = laneOf(row)
    lane.rows.push({ row: writer.idColumn === null ? row : withId(row, writer.idColumn), turn })
    turn += 1
    depth += 1
    if (lane.running) return
    lane.running = true
    // Not now: the request that writes it goes on first, and those beside it come into the same batch.
    setImmediate(() => void work(lane))
  }

  async function work(lane: Lane): Promise<void> {
    while (lane.rows.length > 0 && !aborted) {
      const batch = alike(lane.rows.slice(0, batchRows).map(({ row }) => row))
      lane.writing = batch.length
      await write(batch)
      if (aborted) return
      lane.rows.splice(0, lane.writing)
      lane.writing = 0
      freed(batch.length)
    }
    lane.running = false
  }

  /** Tries for as long as the failure lies in no row; halves a batch that holds a row which the database refuses. */
  async function write(batch: readonly AuditRow[]): Promise<void> {
    let text: string
    try {
      text = JSON.stringify(batch, plain)
    } catch (error) {
      return refuse(batch, error)
    }
    for (let pause = retryMs.least; !aborted; pause = Math.min(retryMs.most, pause * 2)) {
      try {
        const started = performance.now()
        await sql.unsafe(insertText(writer, batch), [text], { prepare: false })
        counts.writeMs.add(performance.now() - started)
        counts.batches.add(1)
        counts.written.add(batch.length)
        return
      } catch (error) {
        if (refusesRow(error)) return refuse(batch, error)
        counts.retries.add(1)
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)))
      }
    }
  }

  async function refuse(batch: readonly AuditRow[], error: unknown): Promise<void> {
    const [only] = batch
    if (batch.length > 1) {
      const half = batch.length >> 1
      await write(batch.slice(0, half))
      await write(batch.slice(half))
    } else if (only !== undefined) {
      counts.failed.add(1)
      void tell(only, error)
    }
  }

  /** What the caller's function throws stops no lane. Its message may quote the row, and is not printed. */
  async function tell(row: AuditRow, error: unknown): Promise<void> {
    try {
      await refused(row, error)
    } catch (failure) {
      if (deaf) return
      deaf = true
      process.emitWarning(`onAuditError failed: ${Object(failure).name}`, { code: 'PERFDB_AUDIT' })
    }
  }

  function freed(count: number): void {
    depth -= count
    for (const one of waiting) {
      if (depth >= capacity) break
      waiting.delete(one)
      one.take()
    }
    if (closed && depth === 0) emptied?.()
  }

  /** The oldest row that is not being written; false where all are. */
  function dropOldest(): boolean {
    const turnOf = (one: Lane) => one.rows[one.writing]?.turn ?? Infinity
    const lane = lanes.reduce((oldest, one) => (turnOf(one) < turnOf(oldest) ? one : oldest))
    if (turnOf(lane) === Infinity) return false
    lane.rows.splice(lane.writing, 1)
    depth -= 1
    counts.dropped.add(1)
    return true
  }

  async function room(row: AuditRow): Promise<void> {
    return new Promise((resolve, reject) => {
      const one = {
        take() {
          clearTimeout(timer)
          push(row)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        waiting.delete(one)
        counts.dropped.add(1)
        const detail = `${depth} rows of at most ${capacity} wait to be written to ${writer.table}`
        reject(
          new PerfdbError('AUDIT_FULL', `no room in the audit queue within ${writer.blockTimeoutMs} ms`, { detail }),
        )
      }, writer.blockTimeoutMs)
      waiting.add(one)
    })
  }

  return {
    counts,
    capacity,
    depth: () => depth,
    async write(row) {
      if (closed) throw new PerfdbError('POOL_CLOSED', 'the audit queue is closed')
      if (depth < capacity && waiting.size === 0) {
        push(row)
        return accepted
      }
      if (writer.whenFull === 'block') return room(row)
      if (dropOldest()) push(row)
      else counts.dropped.add(1)
      return accepted
    },
    async close(deadlineMs) {
      closed = true
      const all = new Promise<void>((resolve) => {
        emptied = resolve
      })
      if (depth === 0) return
      const timer = setTimeout(() => emptied?.(), deadlineMs)
      await all
      clearTimeout(timer)
      aborted = true
      counts.dropped.add(depth)
    },
  }
}

/** JSON has no bigint; PostgreSQL reads its digits. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** FNV-1a. */
function hash(text: string): number {
  let sum = 2_166_136_261
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 16_777_619)
  return sum >>> 0
}

/** A row that is refused goes nowhere unnoticed: a warning of the process for each kind of refusal, without the row, which PostgreSQL's message may quote. */
export function warnOnce(): (row: AuditRow, error: unknown) => void {
  const told = new Set<unknown>()
  return (_row, error) => {
    const { code } = Object(error)
    if (told.has(code)) return
    told.add(code)
    const why =
      typeof code === 'string' ? `the database refuses audit rows: SQLSTATE ${code}` : 'audit rows are no JSON'
    process.emitWarning(why, { code: 'PERFDB_AUDIT' })
  }
}
