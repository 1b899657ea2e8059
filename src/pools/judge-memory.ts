import type { Budget } from './budget.js'
import { memoryNeed } from './memory.js'
import type { PoolFinding } from './model.js'

const megabyte = 1024 ** 2

/** MEMORY_OVER (error when the expected need is over the server's memory, warning when only the worst case is) and ACTIVE_OVER_CORES. */
export function judgeMemory(budget: Budget): readonly PoolFinding[] {
  return [...memory(budget), ...cores(budget)]
}

function memory(budget: Budget): readonly PoolFinding[] {
  const { server, live, total } = budget
  const settings = live?.memory ?? server.memorySettings
  if (server.memoryBytes === null || settings === null || total.peak === Infinity) return []
  const { expected, worst } = memoryNeed(settings, total.peak, activeOf(budget))
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
      message: `${server.name}: with ${total.peak} connections ${needs}, it has ${has} MB`,
      hint: 'fewer connections, or a smaller work_mem',
      place: server.place,
    },
  ]
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
