import { PerfdbError } from '../../errors.js'
import { supposeOnTwin } from '../../twin/suppose/suppose.js'
import { twinDocument, type MadeTwin } from '../shared/twins.js'
import { buildSearchPath } from '../../catalog/probe/probe.js'
import type { Snapshot } from '../../catalog/snapshot.js'
import { sizeText, smallPages } from '../../measure/sample/tables.js'
import type { QueryName } from '../../measure/what-if/asked.js'
import { findHypoPg, suppose, type WhatIf } from '../../measure/what-if/what-if.js'
import { predictBytes } from '../../plan/hazards/predict.js'
import { statisticsOf, tableNamed } from '../../plan/match/lookup.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Finding, Step } from '../../plan/plan.js'
import type { Definition } from '../../definition/definition.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import type { ResultWhatIf } from '../../result/parts/what-if-result.js'
import type { Planned, Supposed } from '../shared/planned.js'
import { limitsOf, type MeasureOptions } from '../../measure/sample/limits.js'

type ResultIndex = ResultWhatIf['indexes'][number]

/** Which engine supposes the indexes. */
export interface WhatIfEngine {
  /** Makes a twin of the database, which is then asked, and which the caller ends; without it HypoPG is. */
  readonly twin?: (() => Promise<MadeTwin>) | undefined
  /** HypoPG where no twin can be made. */
  readonly otherwise?: boolean | undefined
}

/** The same with one twin for all that ask for it, made when the first one does, which ends with this. */
export function keptEngine({ twin, otherwise }: WhatIfEngine): WhatIfEngine & AsyncDisposable {
  let made: Promise<MadeTwin> | undefined
  return {
    otherwise,
    ...(twin === undefined ? {} : { twin: async () => (made ??= twin()) }),
    async [Symbol.asyncDispose]() {
      // Who asked for it has been told why there is none.
      const found = await made?.catch(() => undefined)
      await found?.twin[Symbol.asyncDispose]()
    },
  }
}

type WhatIfOptions = Pick<MeasureOptions, 'signal' | 'statementTimeoutMs'> & WhatIfEngine

/**
 * Which declared indexes that are not there yet the planner would choose for these queries, by a twin or by HypoPG, on a session of
 * the role `measure`. Builds nothing on its server, runs no query. Without an engine the document says so, with the finding
 * NO_HYPOPG or NO_TWIN. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function runWhatIf(
  session: Session,
  { plan, snapshot }: Planned,
  queries: readonly Query[],
  options: WhatIfOptions,
): Promise<Supposed> {
  // EXPLAIN alone carries nothing out: a statement that writes may be planned.
  const limits = limitsOf({ ...options, allowWrites: true })
  const declared = plan.steps.flatMap((step) => (step.declared === null ? [] : [{ step, definition: step.declared }]))
  const work: Work = { session, snapshot, declared, queries, limits }
  if (options.twin === undefined) return byHypoPg(work)
  if (declared.every(({ step }) => exists(step))) return { document: documentOf(work, 'twin', nothing), findings: [] }
  try {
    return await byTwin(work, options.twin)
  } catch (error) {
    if (!(error instanceof PerfdbError) || !noTwin.has(error.code)) throw error
    return withoutTwin(work, error, options.otherwise === true)
  }
}

/** Codes of errors that say that no twin can be made here. */
export const noTwin: ReadonlySet<string> = new Set(['NO_EMBEDDED', 'EMBEDDED_FAILED'])
const nothing: WhatIf = { queries: [], notPlanned: [], judgements: [] }

interface Work {
  readonly session: Session
  readonly snapshot: Snapshot
  readonly declared: Declared
  readonly queries: readonly Query[]
  readonly limits: Limits
}

async function byTwin(work: Work, make: () => Promise<MadeTwin>): Promise<Supposed> {
  const { session, queries, limits } = work
  const { twin, findings } = await make()
  const found = await supposeOnTwin(session, twin, suppositions(work), queries, limits)
  const document = {
    ...documentOf(work, 'twin', found),
    version: twin.version,
    twin: twinDocument(twin, found.planned),
  }
  return { document, findings }
}

async function byHypoPg(work: Work): Promise<Supposed> {
  const { session, snapshot, declared, queries, limits } = work
  const { hypopg, available } = await findHypoPg(session, limits)
  if (hypopg === null) return withoutHypoPg(declared, snapshot, available)
  const found = await suppose(session, hypopg, suppositions(work), queries, limits)
  return { document: { ...documentOf(work, 'hypopg', found), version: hypopg.version }, findings: [] }
}

/** Said, and HypoPG asked instead where nobody chose. */
async function withoutTwin(work: Work, { message, hint }: PerfdbError, otherwise: boolean): Promise<Supposed> {
  const other = otherwise ? await byHypoPg(work) : null
  const instead = other?.document.available === true
  const finding: Finding = {
    code: 'NO_TWIN',
    severity: instead ? 'info' : 'warning',
    message: `no twin: ${message}${instead ? '; HypoPG was asked instead' : ''}`,
    hint,
  }
  if (other !== null && instead) return { ...other, findings: [finding, ...other.findings] }
  const { document } = withoutHypoPg(work.declared, work.snapshot, true, message)
  return { document, findings: [finding] }
}

function missingOf({ declared }: Work): Declared {
  return declared.filter(({ step }) => !exists(step))
}

function suppositions(work: Work) {
  return missingOf(work).map(({ step, definition }) => ({
    definition,
    foreign: step.foreign,
    searchPath: buildSearchPath(work.session, definition.table.schema),
  }))
}

function documentOf(work: Work, engine: 'twin' | 'hypopg', found: WhatIf): ResultWhatIf {
  const missing = missingOf(work)
  const judged = new Map(missing.map(({ step }, at) => [step, at]))
  const indexes = work.declared.map(({ step, definition }): ResultIndex => {
    const at = judged.get(step)
    const about = { name: step.index, table: tableText(definition) }
    return at === undefined
      ? { ...about, status: 'exists', queries: [] }
      : { ...about, ...judgement(found, engine, at, definition, work.snapshot) }
  })
  return {
    available: true,
    engine,
    queries: found.queries.map(({ costBefore, costAfter, used, ...query }) => ({
      ...queryDocument(query),
      cost_before: costBefore,
      cost_after: costAfter,
      would_use: used.map((at) => missing[at]?.step.index ?? ''),
    })),
    not_planned: found.notPlanned.map(({ reason, ...query }) => ({ ...queryDocument(query), reason })),
    indexes,
  }
}

type Declared = readonly { readonly step: Step; readonly definition: Definition }[]

function withoutHypoPg(declared: Declared, { server }: Snapshot, available: boolean, why?: string): Supposed {
  const reason =
    why ??
    (available
      ? `HypoPG is not installed in the database ${server.database}`
      : 'the server has no files of the extension HypoPG')
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
    case 'reindex':
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
  engine: 'twin' | 'hypopg',
  at: number,
  definition: Definition,
  snapshot: Snapshot,
): Omit<ResultIndex, 'name' | 'table'> {
  const { refused = 'it was not looked at', sizeBytes = null, asWritten = false } = judgements[at] ?? {}
  if (refused !== null) return { status: 'not_judged', reason: refused, queries: [] }
  // One number for one index: that of the plan, which counts equal keys once as a btree does; HypoPG knows no deduplication. Only a twin knows which part
  // of the rows a partial index holds.
  const partial = engine === 'twin' && definition.predicate !== undefined ? sizeBytes : null
  const predicted = partial ?? predictBytes(definition, statisticsOf(snapshot, definition.table)) ?? sizeBytes
  const size = predicted === null ? {} : { size_bytes: predicted }
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
