import type { PoolerLive } from '../server/console.js'
import type { PoolFinding } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import { several } from '../../text/amounts.js'

/**
 * What the admin console says against the file: POOLER_MISMATCH for every setting and database that the file writes otherwise or does not
 * write at all, POOLER_WAITING for clients that wait for a server connection now. The console's numbers are the ones that count.
 */
export function judgeConsole(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  return [
    ...settings(declared, live),
    ...databases(declared, live),
    ...users(declared, live),
    ...waiting(declared, live),
    ...waited(declared, live),
  ]
}

function settings(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  const pairs: readonly (readonly [string, string | number, string | number | null | undefined])[] = [
    ['pool_mode', declared.poolMode, live.poolMode],
    ['max_client_conn', declared.maxClientConn, live.settings['max_client_conn']],
    ['default_pool_size', declared.defaultPoolSize, live.settings['default_pool_size']],
    ['reserve_pool_size', declared.reservePoolSize, live.settings['reserve_pool_size']],
    ['max_db_connections', declared.maxDbConnections['*'] ?? 0, live.settings['max_db_connections']],
    ['query_wait_timeout', (declared.queryWaitTimeoutMs ?? 0) / 1000, live.settings['query_wait_timeout']],
    ['max_user_connections', declared.maxUserConnections['*'] ?? 0, live.settings['max_user_connections']],
  ]
  return pairs.flatMap(([name, written, actual]): readonly PoolFinding[] => {
    if (actual == null || actual === written || !declared.written.includes(name)) return []
    if (name.endsWith('_connections') && written === 0) return []
    const message = `${declared.name}: ${name} is ${actual} on the pooler, ${written} in the file; the pooler's counts`
    return [mismatch(declared, 'warning', message, `${name}: ${actual}`)]
  })
}

function databases(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  if (declared.aliases.length === 0) return []
  const known = declared.aliases.flatMap((alias): readonly PoolFinding[] => {
    const one = live.databases.find((other) => other.name === alias.name)
    if (alias.name === '*') return []
    if (one === undefined) {
      const message = `${declared.name}: the pooler has no database ${alias.name}; it has ${live.databases.map(({ name }) => name).join(', ')}`
      return [mismatch(declared, 'warning', message)]
    }
    const differing: readonly (readonly [string, string | number | null, string | number | null])[] = [
      ['database', alias.database, one.database],
      ['user', alias.user, one.user],
      ['pool_size', alias.poolSize, one.poolSize],
      ['max_db_connections', declared.maxDbConnections[alias.name] ?? null, one.maxConnections],
    ]
    return differing
      .filter(([name, written, actual]) => written !== actual && (written !== null || name === 'user'))
      .map(([name, written, actual]) =>
        mismatch(
          declared,
          'warning',
          `${declared.name}: ${name} of ${alias.name} is ${actual ?? 'not set'} on the pooler, ${written ?? 'not set'} in the file; the pooler's counts`,
        ),
      )
  })
  const undeclared = live.databases.filter((one) => !declared.aliases.some((alias) => alias.name === one.name))
  if (undeclared.length === 0 || declared.aliases.some((alias) => alias.name === '*')) return known
  const names = undeclared.map(({ name }) => name).join(', ')
  const message = `${declared.name}: the pooler also has ${several(undeclared.length, 'database')} that the file does not declare: ${names}`
  const hosts = new Set(live.databases.filter((one) => !undeclared.includes(one)).map((one) => one.server))
  const elsewhere = undeclared.filter((one) => !hosts.has(one.server))
  const uncounted =
    elsewhere.length === 0
      ? ''
      : `; not counted is ${elsewhere.map((one) => `${one.name} on ${one.server}`).join(', ')}: no declared server is known to be there`
  const severity = elsewhere.length === 0 ? 'info' : 'warning'
  return [
    ...known,
    mismatch(declared, severity, message + uncounted, 'declare them under databases: each has pools of its own'),
  ]
}

/** Users with clients or server connections now, of databases that list theirs. */
function users(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  return declared.aliases.flatMap((alias) => {
    if (alias.user !== null || alias.users.length === 0) return []
    const strangers = live.pools.filter((pool) => pool.alias === alias.name && !alias.users.includes(pool.user))
    if (strangers.length === 0) return []
    const names = strangers.map((pool) => pool.user).join(', ')
    const message = `${declared.name}: ${alias.name} also has pools of ${names}, whom the file does not list`
    return [
      mismatch(
        declared,
        'info',
        message,
        `users: [${[...alias.users, ...strangers.map((pool) => pool.user)].join(', ')}]`,
      ),
    ]
  })
}

function waiting(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  return live.pools
    .filter((pool) => pool.waiting > 0)
    .map((pool) => ({
      code: 'POOLER_WAITING',
      severity: 'warning',
      message: `${declared.name}: ${several(pool.waiting, 'client')} of ${pool.user} on ${pool.alias} wait now, ${pool.longestWaitSeconds.toFixed(1)} s the longest, for one of ${pool.serverConnections} server connections${dropped(live)}`,
      hint: 'a larger pool_size, where max_connections leaves room, or shorter transactions',
      place: declared.place,
    }))
}

/** More time in the queue than at work: of the look, not of this moment. */
function waited(declared: Pooler, live: PoolerLive): readonly PoolFinding[] {
  return live.databases
    .filter(({ load, meanWaitSeconds }) => load !== null && meanWaitSeconds > load.serviceTimeSeconds)
    .map(({ name, load, meanWaitSeconds }) => ({
      code: 'POOLER_WAITING',
      severity: 'warning',
      message: `${declared.name}: clients of ${name} waited ${milliseconds(meanWaitSeconds)} on average for transactions of ${milliseconds(load?.serviceTimeSeconds ?? 0)}, over ${Math.round(load?.measuredSeconds ?? 0)} s`,
      hint: 'a larger pool_size, where max_connections leaves room, or shorter transactions',
      place: declared.place,
    }))
}

function milliseconds(seconds: number): string {
  return `${Number((seconds * 1000).toPrecision(3))} ms`
}

/** Only worth the word where it is not far away. */
function dropped({ settings, pools }: PoolerLive): string {
  const limit = settings['query_wait_timeout'] ?? 0
  return limit > 0 && pools.some((pool) => pool.longestWaitSeconds * 2 > limit)
    ? `; query_wait_timeout drops them after ${limit} s`
    : ''
}

function mismatch({ place }: Pooler, severity: PoolFinding['severity'], message: string, hint?: string): PoolFinding {
  return { code: 'POOLER_MISMATCH', severity, message, ...(hint !== undefined && { hint }), place }
}
