import { readFile } from 'node:fs/promises'
import type postgres from 'postgres'
import { PerfdbError } from '../../errors.js'
import type { Budget, Connection, Pool } from './pool.js'
import { cancelledError, isQuery, type Query } from './query.js'

/** What needs a connection for good, which no pool gives. */
const refused = ['listen', 'subscribe', 'largeObject', 'close']

/**
 * `sql` of postgres.js on the connections of a pool. `blueprint` makes queries and never connects; each query gets a connection of its own
 * for as long as it runs, so that a slow one holds up none that came after it. Queries fail with POOL_TIMEOUT and POOL_CLOSED besides what
 * postgres.js says.
 */
export function pooledSql(blueprint: postgres.Sql, budget: Budget, pool: Pool): postgres.Sql {
  const start = (query: Query) => {
    const waiter = budget.lease(
      pool,
      (connection) => connection.run(query, (broken) => budget.release(connection, broken)),
      (error) => query.reject(error),
    )
    if (waiter === undefined) return
    query.canceller = () => {
      budget.leave(pool, waiter)
      query.reject(cancelledError())
    }
  }
  const leased = (made: unknown, handler: Query['handler'] = start): unknown => {
    if (isQuery(made)) {
      made.handler = handler
      made.canceller = null
    }
    return made
  }
  const own: Readonly<Record<string, unknown>> = {
    unsafe: (...written: readonly unknown[]) => leased(call(blueprint, 'unsafe', written)),
    file: (path: string, ...written: readonly unknown[]) =>
      leased(call(blueprint, 'file', [path, ...written]), (query) => {
        readFile(path, 'utf8').then(
          (text) => {
            query.strings = [text]
            start(query)
          },
          (error: unknown) => query.reject(error),
        )
      }),
    notify: async (channel: string, payload: string) => leased(blueprint`select pg_notify(${channel}, ${payload})`),
    begin: async (...written: readonly unknown[]) => {
      const connection = await leaseOf(budget, pool)
      // Until it is proved, it is nothing for whoever waits next: its socket may be open still.
      let broken = true
      try {
        await connection.ready()
        broken = false
        return await call(connection.sql, 'begin', written)
      } finally {
        budget.release(connection, broken)
      }
    },
    reserve: async () => {
      const connection = await leaseOf(budget, pool)
      try {
        await connection.ready()
        const reserved = await connection.sql.reserve()
        const release = reserved.release.bind(reserved)
        let given = false
        reserved.release = () => {
          if (given) return
          given = true
          release()
          budget.release(connection)
        }
        return reserved
      } catch (error) {
        budget.release(connection, true)
        throw error
      }
    },
    // The pools belong to the application object, which closes all of them.
    end: async () => undefined,
  }
  return new Proxy(blueprint, {
    apply: (target, self, written) => leased(Reflect.apply(target, self, written)),
    get(target, key) {
      if (typeof key === 'string' && key in own) return own[key]
      if (typeof key === 'string' && refused.includes(key))
        return () => {
          throw new PerfdbError('BAD_OPTION', `${pool.name}: sql.${key} is not possible on a pool of perfdb/runtime`, {
            hint: 'a postgres() of your own, declared as extra_connections',
          })
        }
      const value: unknown = Reflect.get(target, key)
      return value
    },
  })
}

function call(on: object, name: string, written: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(on, name)
  return typeof method === 'function' ? Reflect.apply(method, on, written) : undefined
}

/** A connection for work that takes it for longer. Throws POOL_TIMEOUT, POOL_CLOSED. */
async function leaseOf(budget: Budget, pool: Pool): Promise<Connection> {
  return new Promise((resolve, reject) => {
    budget.lease(pool, resolve, reject)
  })
}
