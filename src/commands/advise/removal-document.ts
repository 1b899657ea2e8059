import type { Removal } from '../../advise/removals.js'
import { shortIndexdef } from '../../definition/short.js'
import type { Finding } from '../../plan/plan.js'
import type { Removed } from '../../result/documents/advise-result.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'

export function removalDocument({ index, code, by, since }: Removal): Removed {
  return {
    index: {
      name: index.name,
      schema: index.schema,
      table: index.table.name,
      definition: shortIndexdef(index.indexdef),
      sql: index.partitioned ? dropPartitionedSql(index) : dropIndexSql(index.schema, index.name),
    },
    size_bytes: index.sizeBytes,
    code,
    ...(by === null ? {} : { by }),
    why: why(code, by ?? '', since ?? ''),
  }
}

function why(code: Removal['code'], by: string, since: string): string {
  if (code === 'duplicate') return `the same index as ${by}`
  if (code === 'redundant')
    return `every condition that it can search ${by} can search as well: its keys are the first keys of that one`
  return `never scanned since ${since}, on all nodes that were asked; no query plan here uses it`
}

/** STANDBY_UNASKED where counters of standbys are missing, so that nobody knows whether these are unused. */
export function unaskedFinding(untold: readonly string[], unasked: number): readonly Finding[] {
  if (untold.length === 0) return []
  const [first = ''] = untold
  const names = untold.length === 1 ? first : `${first} and ${untold.length - 1} more`
  return [
    {
      code: 'STANDBY_UNASKED',
      severity: 'info',
      message: `${names} may be unused: never scanned here, and ${unasked === 1 ? 'a standby was' : `${unasked} standbys were`} not asked`,
      hint: 'name the standbys: --replicas URL (replicas of perfdb.yaml)',
    },
  ]
}
