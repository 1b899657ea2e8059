import type postgres from 'postgres'
import { withoutTargetSessionAttributes } from '../../server/wire/session-attributes.js'
import { dialling } from '../../server/wire/dial.js'
import type { Target } from '../../server/target/target.js'
import { openConnection } from './connection.js'
import type { Pool } from './pool.js'

export type Maker = (pool: Pool, closed: () => void) => ReturnType<typeof openConnection>

/** A pool without a connection yet. */
export function poolOf(name: string, max: number, make: Maker): Pool {
  const pool: Pool = {
    name,
    max,
    connect: (closed) => make(pool, closed),
    idle: [],
    waiting: new Set(),
    open: 0,
    busy: 0,
  }
  return pool
}

/** Makes queries, and never a connection: nothing is ever executed on it. */
export function blueprintOf(driver: typeof postgres, options: postgres.Options<Record<string, never>>): postgres.Sql {
  return withoutTargetSessionAttributes(() => driver({ host: 'nowhere.invalid', ...options }))
}

/** Makes connections to a target; `options` are those of postgres.js besides where and as whom. */
export function connectionMaker(
  driver: typeof postgres,
  target: Target,
  maxLifetimeMs: number,
  options: postgres.Options<Record<string, never>>,
): Maker {
  const [{ host, port }] = target.hosts
  return (pool, closed) => {
    const { dial, password } = dialling(target)
    const connection = {
      ...options.connection,
      ...(target.options === undefined ? {} : { options: target.options }),
    }
    const all = {
      host,
      port,
      user: target.user,
      database: target.database,
      password,
      ssl: false,
      ...options,
      connection,
    }
    return withoutTargetSessionAttributes(() =>
      openConnection(
        driver,
        pool,
        {
          dial: async () => (await dial()).socket,
          options: all,
          connectTimeoutMs: target.connectTimeoutMs,
          maxLifetimeMs,
        },
        closed,
      ),
    )
  }
}
