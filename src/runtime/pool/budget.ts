import { PerfdbError } from '../../errors.js'
import { several } from '../../text/amounts.js'
import type { Budget, BudgetCounts, BudgetLimits, Connection, Pool, Waiter } from './pool.js'
import { makeWindow } from './window.js'

/** How long an older request of another pool lets a pool go on with its own: a connection that changes hands costs a new one. */
const turnShare = 0.1

/** A budget; its timer keeps no process alive. */
export function makeBudget(limits: BudgetLimits): Budget {
  const pools = new Set<Pool>()
  const live = new Set<Connection>()
  const [leases, timeouts, waitedMs] = [makeWindow(), makeWindow(), makeWindow()]
  const counts: BudgetCounts = { used: 0, closing: 0, busy: 0, most: 0, opened: 0, leases, timeouts, waitedMs }
  let ended: (() => void) | undefined
  let closed = false
  const sweeper = setInterval(sweep, Math.min(1000, (limits.idleTimeoutMs ?? 2000) / 2)).unref()

  function open(pool: Pool): Connection {
    pools.add(pool)
    pool.open += 1
    counts.used += 1
    counts.opened += 1
    counts.most = Math.max(counts.most, counts.used)
    const connection = pool.connect(() => freed(pool, connection))
    live.add(connection)
    return connection
  }

  function freed(pool: Pool, connection: Connection): void {
    pool.open -= 1
    counts.used -= 1
    live.delete(connection)
    if (connection.closing) counts.closing -= 1
    // Whoever still has it gives it back later: then there is nothing to close.
    connection.closing = true
    const at = pool.idle.indexOf(connection)
    if (at >= 0) pool.idle.splice(at, 1)
    settle(pool)
    serve()
    if (closed && counts.used === 0) ended?.()
  }

  function close(connection: Connection): void {
    if (connection.closing) return
    connection.closing = true
    counts.closing += 1
    connection.close()
  }

  /** A pool without connections and requests leaves no trace. */
  function settle(pool: Pool): void {
    if (pool.open === 0 && pool.waiting.size === 0) pools.delete(pool)
  }

  function give(pool: Pool, connection: Connection, { ready }: Pick<Waiter, 'ready'>): void {
    pool.busy += 1
    counts.busy += 1
    counts.leases.add(1)
    ready(connection)
  }

  function served(pool: Pool, waiter: Waiter): Waiter {
    leave(pool, waiter)
    counts.waitedMs.add(performance.now() - waiter.since)
    return waiter
  }

  function leave(pool: Pool, waiter: Waiter): void {
    clearTimeout(waiter.timer)
    pool.waiting.delete(waiter)
    settle(pool)
  }

  /** The longest waiting request that a new connection would help: not one whose pool is at its own maximum. */
  function first(): { readonly pool: Pool; readonly waiter: Waiter } | undefined {
    let found: { pool: Pool; waiter: Waiter } | undefined
    for (const pool of pools) {
      const [waiter] = pool.waiting
      if (waiter === undefined || pool.open >= pool.max) continue
      if (found === undefined || waiter.since < found.waiter.since) found = { pool, waiter }
    }
    return found
  }

  function serve(): void {
    while (counts.used < limits.limit) {
      const next = first()
      if (next === undefined) return
      give(next.pool, open(next.pool), served(next.pool, next.waiter))
    }
    makeRoom()
  }

  /** Closes as many idle connections as requests need: of pools where nothing runs first, the longest idle of them first. */
  function makeRoom(): void {
    let wanted = -counts.closing
    for (const pool of pools) wanted += Math.min(pool.waiting.size, Math.max(0, pool.max - pool.open))
    for (; wanted > 0; wanted -= 1) {
      let victim: Pool | undefined
      for (const pool of pools) {
        const [oldest] = pool.idle
        if (oldest === undefined) continue
        const [than] = victim?.idle ?? []
        const quieter = Number(pool.busy > 0) - Number((victim?.busy ?? 0) > 0)
        if (than === undefined || quieter < 0 || (quieter === 0 && oldest.idleSince < than.idleSince)) victim = pool
      }
      const connection = victim?.idle.shift()
      if (connection === undefined) return
      close(connection)
    }
  }

  function sweep(): void {
    const now = performance.now()
    for (const pool of pools) {
      const kept = pool.idle.filter((one) => {
        const old = limits.idleTimeoutMs !== null && now - one.idleSince >= limits.idleTimeoutMs
        if (one.usable() && !old && now < one.expires) return true
        close(one)
        return false
      })
      pool.idle.splice(0, pool.idle.length, ...kept)
    }
  }

  function timedOut(pool: Pool): PerfdbError {
    counts.timeouts.add(1)
    const waiting = [...pools].reduce((sum, one) => sum + one.waiting.size, 0)
    const { used, busy, closing } = counts
    const detail = `of ${several(limits.limit, 'connection')} of this process ${used} are taken (${busy} busy, ${closing} closing), ${pool.open} of at most ${pool.max} by ${pool.name}; ${several(waiting, 'request')} wait, ${pool.waiting.size} of them for ${pool.name}`
    return new PerfdbError('POOL_TIMEOUT', `no connection for ${pool.name} within ${limits.acquireTimeoutMs} ms`, {
      detail,
    })
  }

  return {
    limits,
    pools,
    counts,
    leave,
    lease(pool, ready, failed) {
      if (closed) {
        failed(new PerfdbError('POOL_CLOSED', `${pool.name}: the application has closed its pools`))
        return undefined
      }
      for (let free = pool.idle.pop(); free !== undefined; free = pool.idle.pop()) {
        if (free.usable()) {
          give(pool, free, { ready })
          return undefined
        }
        close(free)
      }
      if (pool.open < pool.max && counts.used < limits.limit) {
        give(pool, open(pool), { ready })
        return undefined
      }
      const waiter: Waiter = { since: performance.now(), ready, failed }
      waiter.timer = setTimeout(() => {
        const error = timedOut(pool)
        leave(pool, waiter)
        failed(error)
      }, limits.acquireTimeoutMs)
      pools.add(pool)
      pool.waiting.add(waiter)
      makeRoom()
      return waiter
    },
    release(connection, broken = false) {
      const { pool } = connection
      pool.busy -= 1
      counts.busy -= 1
      const now = performance.now()
      if (closed || broken || !connection.usable() || now >= connection.expires) {
        close(connection)
        return
      }
      const [own] = pool.waiting
      if (own !== undefined) {
        const other = first()
        const turn = limits.acquireTimeoutMs * turnShare
        if (other === undefined || other.waiter.since >= own.since || now - other.waiter.since < turn) {
          give(pool, connection, served(pool, own))
          return
        }
      }
      connection.idleSince = now
      pool.idle.push(connection)
      makeRoom()
    },
    async close(deadlineMs) {
      closed = true
      clearInterval(sweeper)
      for (const pool of pools)
        for (const waiter of pool.waiting) {
          leave(pool, waiter)
          waiter.failed(new PerfdbError('POOL_CLOSED', `${pool.name}: the application has closed its pools`))
        }
      for (const pool of pools) for (const connection of pool.idle.splice(0)) close(connection)
      if (counts.used === 0) return
      const all = new Promise<void>((resolve) => {
        ended = resolve
      })
      const timer = setTimeout(() => {
        for (const connection of live) connection.abandon()
      }, deadlineMs)
      await all
      clearTimeout(timer)
    },
  }
}
