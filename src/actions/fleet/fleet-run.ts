import { randomBytes } from 'node:crypto'
import { PerfdbError } from '../../errors.js'
import type { Named } from '../../profile/files/files.js'
import type { FleetCommand, FleetResult } from '../../result/documents/fleet-result.js'
import type { ApplyResult } from '../../result/documents/result.js'
import { headOf } from '../../result/head.js'
import type { Invocation } from '../../settings/invocation.js'
import { several } from '../../text/amounts.js'

/**
 * The name under which the ledgers of all tenants know this run: a new one for apply; of a rollback that of the run to undo, which must be given, as the
 * last run of a tenant may be another's. Asks once for all tenants. Throws BAD_OPTION and DECLINED.
 */
export async function fleetRunName(
  command: FleetCommand,
  { options, ask }: Invocation,
  args: readonly Named[],
  tenants: number,
): Promise<string | undefined> {
  if (command === 'apply')
    return `f-${new Date().toISOString().slice(0, 19).replaceAll(/\D/g, '')}-${randomBytes(3).toString('hex')}`
  if (command !== 'rollback') return undefined
  const [name] = args
  if (typeof name !== 'string' || !/^f-\d{14}-[0-9a-f]{6}$/.test(name))
    throw new PerfdbError('BAD_OPTION', 'rollback of tenants undoes one run of apply for tenants, by its name', {
      hint: 'perfdb rollback f-20260131120000-1a2b3c --tenants; apply prints it, and perfdb status lists it',
    })
  const question = `Undo run ${name} in ${several(tenants, 'tenant')}?`
  if (options.yes !== true && options.dryRun !== true && ask !== undefined && !(await ask(question)))
    throw new PerfdbError('DECLINED', 'nothing was changed: the rollback was declined')
  return name
}

/** The run did nothing in this tenant, or what it did is undone: that is no error of the tenant. */
export function nothingToUndo(error: unknown): ApplyResult {
  const nothing = error instanceof PerfdbError && ['NO_RUN', 'NO_LEDGER', 'NOTHING_TO_ROLL_BACK'].includes(error.code)
  if (!nothing) throw error
  return {
    ...headOf(0),
    command: 'rollback',
    run: null,
    profiles: [],
    steps: [],
    analyzed: [],
    queries: [],
    comparisons: [],
    findings: [],
  }
}

/** Whether the error says that the ledger of a tenant does not know the run. */
export function isUnknownRun(error: unknown): boolean {
  return error instanceof PerfdbError && ['NO_RUN', 'NO_LEDGER'].includes(error.code)
}

/** Throws NO_RUN where none of all tenants knows the run: its name is mistyped. In a shard that may be right, and is a warning. */
export function knownSomewhere(
  result: FleetResult,
  run: string,
  unknown: number,
  shard: string | undefined,
): FleetResult {
  const { total = 0 } = result.counts
  if (total === 0 || unknown < total) return result
  const message = `no tenant knows run ${run}: nothing was undone`
  if (shard === undefined)
    throw new PerfdbError('NO_RUN', message, { hint: 'apply prints the name, and perfdb status lists it' })
  const finding = { code: 'NO_RUN', severity: 'warning' as const, message: `${message} in shard ${shard}` }
  return { ...result, findings: [...result.findings, finding] }
}
