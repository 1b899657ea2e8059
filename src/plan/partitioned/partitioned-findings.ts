import type { Snapshot, Partition, PartitionIndex } from '../../catalog/snapshot.js'
import { dropIndexSql, renameIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'
import { newNameFor } from '../match/names.js'
import { isUnfinishedTwin } from './partitioned.js'
import type { Finding, Step } from '../plan.js'

/**
 * The findings as they are for partitioned tables: which partition lacks its index or has one that is not valid, and what can
 * be done. Besides, each index of a partition that is not valid and that no step will fix: nobody would find it (fault 9).
 */
export function partitionedFindings(
  findings: readonly Finding[],
  steps: readonly Step[],
  snapshot: Snapshot,
): readonly Finding[] {
  const partitioned = new Map(
    steps
      .filter((step) => step.partitioned === true)
      .map((step) => [aboutText(step.index, `${step.table.schema}.${step.table.name}`), step]),
  )
  return [...leftoverFindings(steps, snapshot), ...findings.map((finding) => described(finding, partitioned))]
}

function described(finding: Finding, steps: ReadonlyMap<string, Step>): Finding {
  const step = steps.get(aboutText(finding.index, finding.table))
  if (step === undefined) return finding
  if (finding.code === 'INVALID') {
    const hint = 'perfdb apply builds and attaches only what is missing'
    return { ...finding, message: `${step.index} ${step.reason}`, hint }
  }
  return finding
}

function aboutText(index = '', table = ''): string {
  return `${table}\0${index}`
}

function leftoverFindings(steps: readonly Step[], snapshot: Snapshot): readonly Finding[] {
  const repaired = new Set(
    steps
      .filter((step) => step.partitioned)
      .flatMap((step) => [newNameFor(step.index), ...step.statements.map((statement) => statement.index)]),
  )
  const declared = new Set(steps.flatMap((step) => (step.existing === null ? [] : [step.existing.oid])))
  const found = snapshot.partitionTrees.flatMap((tree) =>
    tree.partitions.flatMap((partition) =>
      partition.indexes
        .filter((index) => index.parentOid === null && !index.usable && !index.building)
        .filter((index) => !repaired.has(index.name) && !declared.has(index.oid))
        .map((index) => [index.oid, leftover(partition, index, steps)] as const),
    ),
  )
  return [...new Map(found).values()]
}

function leftover(partition: Partition, index: PartitionIndex, steps: readonly Step[]): Finding {
  const { schema, name: table, relkind } = partition
  const { name } = index
  const base = { code: 'INVALID' as const, index: name, table: `${schema}.${table}` }
  // That of a partitioned table holds nothing and costs nothing: somebody may be about to complete it.
  if (relkind === 'p') {
    const message = `${name}, which no profile declares, is not valid: not each partition has an index attached to it`
    const twin = steps.find((step) => isMeantAs(step, partition, index))
    const rename =
      twin === undefined
        ? ''
        : `if it is to be ${twin.index}, apply completes it after: ${renameIndexSql(schema, name, twin.index)}; `
    return {
      ...base,
      severity: 'warning',
      message,
      hint: `${rename}if nobody needs it: ${dropPartitionedSql({ schema, name })}`,
    }
  }
  return {
    ...base,
    severity: 'error',
    message: `${name}, which no profile declares, is not valid: it serves no query, and may cost every write`,
    hint: `if nobody needs it: ${dropIndexSql(schema, name)}`,
  }
}

function isMeantAs({ step, table, canonical }: Step, { schema, name }: Partition, index: PartitionIndex): boolean {
  const here = step === 'create' && table.schema === schema && table.name === name
  return here && canonical !== null && isUnfinishedTwin(index, canonical)
}
