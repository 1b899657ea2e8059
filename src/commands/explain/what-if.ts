import { buildSearchPath } from '../../catalog/probe.js'
import type { Snapshot } from '../../catalog/snapshot.js'
import { sizeText, smallPages } from '../../measure/sample/tables.js'
import { findHypoPg, suppose, type QueryName, type WhatIf } from '../../measure/what-if/what-if.js'
import { tableNamed } from '../../plan/match/lookup.js'
import type { Finding, Step } from '../../plan/plan.js'
import type { Definition } from '../../definition/definition.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { ResultWhatIf } from '../../result/what-if-result.js'
import type { Planned, Supposed } from '../planned.js'
import { limitsOf, type MeasureOptions } from '../../measure/sample/limits.js'

type ResultIndex = ResultWhatIf['indexes'][number]

/**
 * Which declared indexes that are not there yet the planner would choose for these queries, by HypoPG, on a session of
 * the role `measure`. Builds nothing, runs no query. Without the extension the document says so, with the finding
 * NO_HYPOPG. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function runWhatIf(
  session: Session,
  { plan, snapshot }: Planned,
  queries: readonly Query[],
  options: Pick<MeasureOptions, 'signal' | 'statementTimeoutMs'>,
): Promise<Supposed> {
  // EXPLAIN alone carries nothing out: a statement that writes may be planned.
  const limits = limitsOf({ ...options, allowWrites: true })
  const declared = plan.steps.flatMap((step) => (step.declared === null ? [] : [{ step, definition: step.declared }]))
  const { hypopg, available } = await findHypoPg(session, limits)
  if (hypopg === null) return withoutHypoPg(declared, snapshot, available)
  const missing = declared.filter(({ step }) => !exists(step))
  const found = await suppose(
    session,
    hypopg,
    missing.map(({ step, definition }) => ({
      definition,
      foreign: step.foreign,
      searchPath: buildSearchPath(session, definition.table.schema),
    })),
    queries,
    limits,
  )
  const judged = new Map(missing.map(({ step }, at) => [step, at]))
  const indexes = declared.map(({ step, definition }): ResultIndex => {
    const at = judged.get(step)
    const about = { name: step.index, table: tableText(definition) }
    return at === undefined
      ? { ...about, status: 'exists', queries: [] }
      : { ...about, ...judgement(found, at, definition, snapshot) }
  })
  const document = {
    available: true,
    version: hypopg.version,
    queries: found.queries.map(({ costBefore, costAfter, used, ...query }) => ({
      ...queryDocument(query),
      cost_before: costBefore,
      cost_after: costAfter,
      would_use: used.map((at) => missing[at]?.step.index ?? ''),
    })),
    not_planned: found.notPlanned.map(({ reason, ...query }) => ({ ...queryDocument(query), reason })),
    indexes,
  }
  return { document, findings: [] }
}

type Declared = readonly { readonly step: Step; readonly definition: Definition }[]

function withoutHypoPg(declared: Declared, { server }: Snapshot, available: boolean): Supposed {
  const reason = available
    ? `HypoPG is not installed in the database ${server.database}`
    : 'the server has no files of the extension HypoPG'
  const major = Math.floor(server.versionNum / 10_000)
  const hint = available
    ? 'create extension hypopg'
    : `install it on the server (postgresql-${major}-hypopg of Debian and Ubuntu, hypopg_${major} of PGDG's RPMs), then: create extension hypopg`
  const finding: Finding = { code: 'NO_HYPOPG', severity: 'warning', message: `no what-if: ${reason}`, hint }
  const indexes = declared.map(({ step, definition }): ResultIndex => {
    const about = { name: step.index, table: tableText(definition), queries: [] }
    return exists(step) ? { ...about, status: 'exists' } : { ...about, status: 'not_judged', reason }
  })
  return { document: { available: false, reason, queries: [], not_planned: [], indexes }, findings: [finding] }
}

/** An invalid index and one of another definition serve no query as declared: what is declared is supposed beside it. */
function exists({ step }: Step): boolean {
  switch (step) {
    case 'keep':
    case 'adopt':
    case 'building':
      return true
    case 'create':
    case 'rebuild':
    case 'replace':
    case 'drop':
      return false
  }
}

function judgement(
  { queries, notPlanned, judgements }: WhatIf,
  at: number,
  definition: Definition,
  snapshot: Snapshot,
): Omit<ResultIndex, 'name' | 'table'> {
  const { refused = 'it was not looked at', sizeBytes = null, asWritten = false } = judgements[at] ?? {}
  if (refused !== null) return { status: 'not_judged', reason: refused, queries: [] }
  const size = sizeBytes === null ? {} : { size_bytes: sizeBytes }
  if (queries.length === 0) return { status: 'not_judged', reason: 'no query was planned', queries: [], ...size }
  const users = queries.filter(({ used }) => used.includes(at)).map(({ name }) => name)
  const rough = definition.keys.some(({ expression }) => expression !== undefined)
  if (users.length > 0)
    return { status: 'would_be_used', ...(rough && { reason: roughText }), queries: [...new Set(users)], ...size }
  if (asWritten)
    return { status: 'not_judged', reason: 'HypoPG compares its expressions word for word', queries: [], ...size }
  const small = smallTable(definition, snapshot)
  return small === null
    ? {
        status: 'would_not_be_used',
        reason: `no query plan takes it${unplanned(notPlanned)}${rough ? `; ${roughText}` : ''}`,
        queries: [],
        ...size,
      }
    : { status: 'not_judged', reason: small, queries: [], ...size }
}

function unplanned(queries: WhatIf['notPlanned']): string {
  const names = new Set(queries.map(({ name }) => name))
  if (names.size === 0) return ''
  return `; ${names.size === 1 ? '1 query' : `${names.size} queries`} could not be planned`
}

const roughText = 'a rough estimate: an expression has statistics only once the index is built and analyzed'

function smallTable({ table }: Definition, snapshot: Snapshot): string | null {
  const found = tableNamed(snapshot, table)
  const pages = Math.ceil((found?.sizeBytes ?? 0) / 8192)
  // The parent of partitions has no pages of its own.
  if (found === undefined || found.relkind === 'p' || pages >= smallPages) return null
  const size = sizeText({ pages, estimated_rows: found.estimatedRows })
  return `${table.name} has ${size}: the planner reads so small a table whole, whatever indexes there are`
}

function queryDocument({ name, params, statement }: QueryName) {
  return { name, ...(params === null ? {} : { params }), ...(statement === null ? {} : { statement }) }
}

function tableText({ table }: Definition): string {
  return `${table.schema}.${table.name}`
}
