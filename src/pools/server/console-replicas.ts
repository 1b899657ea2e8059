import type { LiveAlias, LivePool, PoolerLive } from './console.js'
import { groupBy } from '../sums/demand.js'
import type { PoolFinding } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { several } from '../../text/amounts.js'

/**
 * Consoles of several replicas as one: of every size the largest, of every limit the loosest, of what spares connections the smallest, so that the
 * budget is never too small; clients and server connections of a pool added up, its load as one replica has it on average. null without any.
 */
export function oneConsole(lives: readonly PoolerLive[]): PoolerLive | null {
  const [first, ...others] = lives
  if (first === undefined || others.length === 0) return first ?? null
  const names = new Set(lives.flatMap((live) => Object.keys(live.settings)))
  return {
    version: first.version,
    poolMode: lives.find((live) => live.poolMode === 'session')?.poolMode ?? first.poolMode,
    users: Object.fromEntries(lives.flatMap((live) => Object.entries(live.users))),
    settings: Object.fromEntries([...names].map((name) => [name, setting(name, lives)])),
    databases: [
      ...groupBy(
        lives.flatMap((live) => live.databases),
        (one) => one.name,
      ).values(),
    ].flatMap((same) => oneDatabase(same, lives.length)),
    pools: [
      ...groupBy(
        lives.flatMap((live) => live.pools),
        poolKey,
      ).values(),
    ].flatMap(onePool),
  }
}

/** POOLER_MISMATCH for settings in which replicas differ, and for replicas that were not asked: those are taken to be the same. */
export function judgeReplicas(declared: Pooler, lives: readonly PoolerLive[]): readonly PoolFinding[] {
  const about = { code: 'POOLER_MISMATCH', place: declared.place } as const
  const asked = declared.replicas > lives.length && lives.length > 0
  const notAsked: readonly PoolFinding[] = asked
    ? [
        {
          ...about,
          severity: 'info',
          message: `${declared.name}: ${lives.length} of ${several(declared.replicas, 'replica')} was asked; the others are taken to be the same`,
          hint: 'admin_url: [ ... ] with the console of each replica',
        },
      ]
    : []
  return [
    ...notAsked,
    ...differences(lives).map((message) => ({
      ...about,
      severity: 'warning' as const,
      message: `${declared.name}: ${message}`,
    })),
  ]
}

const judged = [
  'max_client_conn',
  'default_pool_size',
  'reserve_pool_size',
  'max_db_connections',
  'max_user_connections',
  'max_prepared_statements',
  'query_wait_timeout',
]

function differences(lives: readonly PoolerLive[]): readonly string[] {
  const differ = (what: string, values: readonly (string | number | null | undefined)[]) =>
    new Set(values).size < 2
      ? []
      : [`replicas differ in ${what}: ${values.map((value) => value ?? 'none').join(', ')}; the largest demand counts`]
  const databases = [...new Set(lives.flatMap((live) => live.databases.map((one) => one.name)))]
  return [
    ...judged.flatMap((name) =>
      differ(
        name,
        lives.map((live) => live.settings[name]),
      ),
    ),
    ...differ(
      'pool_mode',
      lives.map((live) => live.poolMode),
    ),
    ...databases.flatMap((name) => {
      const each = lives.map((live) => live.databases.find((one) => one.name === name))
      return [
        ...differ(
          `pool_size of ${name}`,
          each.map((one) => one?.poolSize),
        ),
        ...differ(
          `the server of ${name}`,
          each.map((one) => one && `${one.server}/${one.database}`),
        ),
      ]
    }),
  ]
}

/** 0 is unlimited to all but these. */
const zeroIsNone = ['reserve_pool_size', 'max_client_conn']
/** Where less is worse. */
const smallest = ['max_client_conn', 'max_prepared_statements', 'server_lifetime', 'query_wait_timeout']

function setting(name: string, lives: readonly PoolerLive[]): number {
  const values = lives.map((live) => live.settings[name] ?? 0)
  if (smallest.includes(name)) return Math.min(...values)
  return zeroIsNone.includes(name) ? Math.max(...values) : loosest(values)
}

function loosest(values: readonly number[]): number {
  return values.includes(0) ? 0 : Math.max(...values)
}

function oneDatabase(same: readonly LiveAlias[], replicas: number): readonly LiveAlias[] {
  const [first] = same
  if (first === undefined) return []
  const loads = same.flatMap(({ load }) => load ?? [])
  const rate = loads.reduce((sum, load) => sum + load.ratePerSecond, 0)
  const work = loads.reduce((sum, load) => sum + load.ratePerSecond * load.serviceTimeSeconds, 0)
  return [
    {
      ...first,
      poolSize: loosest(same.map((one) => one.poolSize)),
      reservePoolSize: Math.max(...same.map((one) => one.reservePoolSize)),
      maxConnections: loosest(same.map((one) => one.maxConnections)),
      meanWaitSeconds: Math.max(...same.map((one) => one.meanWaitSeconds)),
      load:
        rate === 0
          ? null
          : {
              ratePerSecond: rate / replicas,
              serviceTimeSeconds: work / rate,
              measuredSeconds: Math.max(...loads.map((load) => load.measuredSeconds)),
            },
    },
  ]
}

function poolKey({ alias, user }: LivePool): string {
  return JSON.stringify([alias, user])
}

function onePool(same: readonly LivePool[]): readonly LivePool[] {
  const [first] = same
  if (first === undefined) return []
  const sum = (of: (one: LivePool) => number) => same.reduce((total, one) => total + of(one), 0)
  return [
    {
      ...first,
      clients: sum((one) => one.clients),
      waiting: sum((one) => one.waiting),
      serverConnections: sum((one) => one.serverConnections),
      longestWaitSeconds: Math.max(...same.map((one) => one.longestWaitSeconds)),
    },
  ]
}
