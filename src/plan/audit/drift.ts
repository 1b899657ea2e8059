import type { ExistingIndex } from '../../catalog/snapshot.js'
import { lockText } from '../match/drop-partitioned.js'
import type { Finding, Step } from '../plan.js'
import { describedOtherwise } from './described.js'

/** What of a declaration is not so in the catalog, by its step. */
export function driftOf(step: Step): readonly Finding[] {
  const { index, table, existing } = step
  const base = { index, table: `${table.schema}.${table.name}`, ...(step.place === null ? {} : { place: step.place }) }
  const refusal = step.hazards.find(({ refused }) => refused === true)
  switch (step.step) {
    case 'keep':
      if (existing === null) return []
      return existing.name === index
        ? describedOtherwise(step, existing).map((finding) => ({ ...base, ...finding }))
        : [{ ...base, ...backsConstraint(existing, index) }]
    case 'create':
      return [{ ...base, code: 'MISSING', severity: 'error', message: `${index} is declared and does not exist` }]
    case 'rebuild':
      return [
        {
          ...base,
          code: 'INVALID',
          severity: 'error',
          message: `${index} exists but is ${flagText(existing)}: no query uses it`,
          hint: step.statements.some((statement) => statement.verb === 'reindex' && statement.index === index)
            ? 'perfdb apply makes it valid where it stands, by REINDEX CONCURRENTLY: it cannot be dropped'
            : 'perfdb apply drops and builds it again',
        },
      ]
    case 'reindex':
      return [
        {
          ...base,
          code: 'REINDEX_DUE',
          severity: 'error',
          message: `${index} is to be rebuilt: ${step.reason}`,
          hint: 'perfdb apply rebuilds it by REINDEX CONCURRENTLY',
        },
      ]
    case 'building':
      return [
        {
          ...base,
          code: 'BUILDING',
          severity: 'error',
          message: `${index} is being built right now and not valid yet`,
          hint: 'perfdb status shows how far it is',
        },
      ]
    case 'replace':
      if (step.canonical?.unknown !== undefined)
        return [
          {
            ...base,
            code: 'UNKNOWN',
            severity: 'error',
            message: `${index} exists, and whether it is as declared cannot be known: ${step.canonical.unknown}`,
            hint: `connect as the owner of the table, or declare it word for word as PostgreSQL prints it: ${existing?.indexdef ?? ''}`,
          },
        ]
      return [
        {
          ...base,
          code: 'DIFFERS',
          severity: 'error',
          message: `${index} exists with another definition: ${existing?.indexdef ?? ''}`,
          hint:
            refusal === undefined
              ? 'perfdb apply --allow REPLACE builds the declared one beside it, then exchanges them'
              : `${refusal.message}; ${refusal.hint ?? ''}`,
        },
      ]
    case 'adopt':
      return [
        {
          ...base,
          code: 'RENAMED',
          severity: 'error',
          message: `${index} exists under the name ${existing?.name ?? ''}`,
          hint: 'perfdb apply --allow RENAME renames it',
        },
      ]
    case 'drop':
      return [
        {
          ...base,
          code: 'UNWANTED',
          severity: 'error',
          message: `${index} exists: ${step.reason}`,
          hint:
            existing?.partitioned === true
              ? `perfdb apply --allow ${step.hazards[0]?.code ?? 'DROP'} drops it: ${lockText(existing)}`
              : 'perfdb apply drops it concurrently',
        },
      ]
  }
}

function backsConstraint({ name, constraint }: ExistingIndex, index: string): Omit<Finding, 'index' | 'table'> {
  return {
    code: 'BACKS_CONSTRAINT',
    severity: 'error',
    message: `${index} exists as ${name}, the index of the constraint ${constraint ?? ''}`,
    hint: `declare it as ${name}, or remove the entry; --allow REDUNDANT builds it a second time`,
  }
}

/** `not valid, not ready` */
export function flagText(index: ExistingIndex | null): string {
  if (index === null) return 'not valid'
  const flags = [index.valid ? '' : 'not valid', index.ready ? '' : 'not ready', index.live ? '' : 'not live'].filter(
    (flag) => flag !== '',
  )
  const unique = index.unique && index.ready && !index.valid ? ', yet rejects duplicates' : ''
  return `${flags.join(', ')}${unique}`
}
