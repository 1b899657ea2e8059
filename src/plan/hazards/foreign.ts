import type { Problem } from '../../errors.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { refusedReplace } from '../partitioned/partitioned.js'
import type { Finding, Step } from '../plan.js'
import type { Resolved } from '../inputs.js'

/** What a step passes on of whose code would run. */
export function foreignOf({
  foreign,
  stranger,
  unbuildable,
}: Resolved): Pick<Step, 'foreign' | 'stranger' | 'unbuildable'> {
  return {
    ...(foreign === undefined ? {} : { foreign }),
    ...(stranger === undefined ? {} : { stranger }),
    ...(unbuildable === undefined ? {} : { unbuildable }),
  }
}

/** The step of an index that nobody can compare with its declaration: nothing is done to it. */
export function unknownReplace(existing: ExistingIndex, unknown: string) {
  const message = `${existing.name} is not replaced: whether it is as declared cannot be known, ${unknown}`
  return {
    step: 'replace',
    reason: `may be another one than declared: ${existing.indexdef}`,
    statements: [],
    hazards: [refusedReplace(message, 'connect as the owner of the table')],
  } as const
}

/** FOREIGN_CODE for each build that would run somebody else's code with rights that its author lacks. */
export function foreignFindings(steps: readonly Step[]): readonly Finding[] {
  return foreignProblems(steps).map(({ message, hint, place, index, table }) => ({
    code: 'FOREIGN_CODE',
    severity: 'error',
    index,
    table,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(place === undefined ? {} : { place }),
  }))
}

/** The same as problems: apply begins nothing. */
export function foreignProblems(
  steps: readonly Step[],
): readonly (Problem & { readonly index: string; readonly table: string })[] {
  return steps.flatMap(({ step, index, table, unbuildable, place }) =>
    unbuildable === undefined || !['create', 'rebuild', 'reindex', 'replace'].includes(step)
      ? []
      : [
          {
            code: 'FOREIGN_CODE' as const,
            index,
            table: `${table.schema}.${table.name}`,
            message: `${index} is not built by this role: ${unbuildable}`,
            hint: 'connect as the owner of the table; a function of the system is called pg_catalog.lower(...)',
            ...(place === null ? {} : { place }),
          },
        ],
  )
}
