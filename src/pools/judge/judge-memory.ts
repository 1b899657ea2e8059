import type { Budget } from './budget.js'
import { targetsOf } from '../sums/demand.js'
import { memoryNeed, workMemBytes, type MemorySettings, type Workers } from '../sums/memory.js'
import type { PoolFinding } from '../sums/model.js'
import { serverConnections } from '../sums/pooler.js'
import { settingFor } from '../server/role-settings.js'

const megabyte = 1024 ** 2

/** MEMORY_OVER (error when the expected need is over the server's memory, warning when only the worst case is) and ACTIVE_OVER_CORES. */
export function judgeMemory(budget: Budget): readonly PoolFinding[] {
  return [...memory(budget), ...cores(budget)]
}

function memory(budget: Budget): readonly PoolFinding[] {
  const { server, live, total } = budget
  const settings = live?.memory ?? server.memorySettings
  if (server.memoryBytes === null || settings === null || total.peak === Infinity) return []
  const own = ownWorkMem(budget, settings)
  const { expected, worst } = memoryNeed(settings, total.peak, activeOf(budget), own)
  if (worst <= server.memoryBytes) return []
  const over = expected > server.memoryBytes
  const has = Math.round(server.memoryBytes / megabyte)
  const needs = over
    ? `${Math.round(expected / megabyte)} MB are expected`
    : `up to ${Math.round(worst / megabyte)} MB are possible`
  return [
    {
      code: 'MEMORY_OVER',
      severity: over ? 'error' : 'warning',
      server: server.name,
      message: `${server.name}: with ${total.peak} connections ${needs}, it has ${has} MB${ownText(own, settings)}`,
      hint: 'fewer connections, or a smaller work_mem',
      place: server.place,
    },
  ]
}

interface OwnWorkMem extends Workers {
  readonly role: string | null
  readonly database: string | null
}

/** Connections whose role or database has a work_mem of its own, those of poolers too. */
function ownWorkMem({ server, live, rows, lines }: Budget, settings: MemorySettings): readonly OwnWorkMem[] {
  const all = live?.roleSettings ?? server.roleSettings
  if (!all.some((one) => one.name === 'work_mem' || one.name === 'hash_mem_multiplier')) return []
  const direct = rows.flatMap((row) => (row.service.via.kind === 'direct' ? targetsOf(row) : []))
  const pooled = lines.flatMap(({ pooler, pools }) =>
    pooler === null
      ? []
      : pools.map((pool) => ({
          role: pool.user,
          database: pool.alias.database,
          peak: serverConnections(pooler, [pool]),
        })),
  )
  return [...direct, ...pooled].flatMap(({ role, database, peak }): readonly OwnWorkMem[] => {
    const workMem = settingFor(all, 'work_mem', role, database)
    const multiplier = settingFor(all, 'hash_mem_multiplier', role, database)
    if (workMem === undefined && multiplier === undefined) return []
    return [
      {
        role,
        database,
        connections: peak,
        workMem: (workMem === undefined ? null : workMemBytes(workMem)) ?? settings.workMem,
        hashMemMultiplier: multiplier === undefined ? settings.hashMemMultiplier : Number(multiplier),
      },
    ]
  })
}

/** The role that takes most of it. */
function ownText(own: readonly OwnWorkMem[], { workMem }: MemorySettings): string {
  const [largest] = own.toSorted((a, b) => b.connections * b.workMem - a.connections * a.workMem)
  if (largest === undefined || largest.workMem <= workMem) return ''
  const who = largest.role === null ? `database ${largest.database ?? ''}` : `role ${largest.role}`
  return `; ${largest.connections} of them are of ${who} with a work_mem of ${Math.round(largest.workMem / megabyte)} MB`
}

/** Connections in a query at once: the declared load where every service declares one, else a fifth of all. */
function activeOf({ rows, total }: Budget): number {
  const loads = [...new Set(rows.map((row) => row.service))].map(({ load }) =>
    load?.ratePerSecond == null || load.serviceTimeSeconds == null
      ? Number.NaN
      : load.ratePerSecond * load.serviceTimeSeconds,
  )
  const erlangs = loads.reduce((sum, load) => sum + load, 0)
  return loads.length === 0 || Number.isNaN(erlangs) ? Math.ceil(total.peak / 5) : Math.ceil(erlangs)
}

/** `active = cores x 2 + spindles`: https://wiki.postgresql.org/wiki/Number_Of_Database_Connections */
function cores({ server, total }: Budget): readonly PoolFinding[] {
  if (server.cores === null) return []
  const start = server.cores * 2 + 1
  if (total.peak <= 4 * start) return []
  return [
    {
      code: 'ACTIVE_OVER_CORES',
      severity: 'info',
      server: server.name,
      message: `${server.name}: ${total.peak} connections for ${server.cores} cores; about ${start} work at once`,
      hint: 'a transaction pooler in front keeps the rest off the server',
      place: server.place,
    },
  ]
}
