import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import { medianMs } from '../sample/compare.js'
import type { Measurement, QueryMeasurement } from '../sample/measurement.js'
import { milliseconds, ownBlocksOf } from './rule.js'
import { planLines, type IndexNaming } from '../plan/signature.js'
import type { IndexShape } from '../sample/subject.js'
import { medianInterval } from '../sample/statistics.js'
import { smallPages } from '../sample/tables.js'
import { count, tableOf } from '../plan/plan-node.js'

/** What is kept of a query with one parameter set. */
export interface KeptQuery {
  readonly query: string
  /** null for a query without parameters. */
  readonly params: string | null
  readonly rows: number
  /** Shared blocks, hit and read. */
  readonly buffers: number
  readonly temp_blocks: number
  readonly time_ms: { readonly median: number; readonly low: number; readonly high: number }
  readonly samples: number
  /** Pages of the tables that it reads, by `schema.table`; versions before 0.2 kept none. */
  readonly tables?: Readonly<Record<string, number>> | undefined
  /** What the indexes of its query plan are, by name: `schema.table (customer_id)`. */
  readonly indexes?: Readonly<Record<string, string>> | undefined
  /** Lines of the query plan, see planLines. */
  readonly plan: readonly string[]
}

/** What is worth keeping: queries that were measured, variants aside (they are compared with one another). */
export function keptQueries(measured: readonly QueryMeasurement[]): readonly KeptQuery[] {
  return measured.flatMap(({ query, measurements, variants }) =>
    variants.length > 0
      ? []
      : measurements
          .filter(({ status }) => status === 'measured')
          .map(({ params, rows, buffers, executionMs, plan, tables, indexes = [] }) => {
            const used = indexes.filter(({ name }) => plan?.indexes.includes(name) === true)
            const { median, low, high } = medianInterval(executionMs)
            return {
              query: query.name,
              params,
              rows,
              buffers: buffers.hit + buffers.read,
              temp_blocks: buffers.temp,
              time_ms: { median, low, high },
              samples: executionMs.length,
              tables: Object.fromEntries(tables.map(({ table, pages }) => [table, pages])),
              indexes: Object.fromEntries(used.map((index) => [index.name, shapeText(index)])),
              plan: plan === null ? [] : planLines(plan.nodes),
            }
          }),
  )
}

/** Buffers may grow by a quarter and 16 blocks; with the rows that are returned in proportion, since the data grew. */
export const tolerance = { share: 0.25, blocks: 16 } as const

/**
 * REGRESSED, an error: more buffers than the tolerance (those of each table in proportion to its pages: it may have grown), a sequential scan of 50 blocks or more on a table that was not
 * read so, or temporary blocks where there were none. PLAN_CHANGED informs of another query plan that costs no more.
 * An index that is gone is named, unless the same keys are there under another name. Time is told and decides nothing: another machine, another hour.
 */
export function regressions(kept: readonly KeptQuery[], { query, measurements }: QueryMeasurement): readonly Finding[] {
  return measurements.flatMap((measured) => {
    const before = kept.find((one) => one.query === query.name && one.params === measured.params)
    return before === undefined || measured.status !== 'measured' ? [] : regression(before, measured, query)
  })
}

function regression(before: KeptQuery, measured: Measurement, query: Query): readonly Finding[] {
  const { buffers, executionMs, plan, params } = measured
  const now = plan === null ? [] : planLines(plan.nodes, oldNaming(before, measured))
  const blocks = buffers.hit + buffers.read
  const grown = Math.max(1, measured.rows / Math.max(1, before.rows))
  const most = Math.round(before.buffers * grown * (1 + tolerance.share)) + tolerance.blocks
  const scan = plan?.nodes.find(
    (node) =>
      node.type === 'Seq Scan' &&
      ownBlocksOf(plan, node) >= smallPages &&
      !before.plan.some((line) => line.endsWith(`Seq Scan ${node.relation}`)),
  )
  const worse = [
    ...(blocks > most &&
    grownLess(before, measured) > Math.round(before.buffers * (1 + tolerance.share)) + tolerance.blocks
      ? [`${count(blocks)} buffers instead of ${count(before.buffers)} (tolerated: ${count(most)})`]
      : []),
    ...(scan === undefined ? [] : [`it reads all of ${tableOf(scan)}`]),
    ...(before.temp_blocks === 0 && buffers.temp > 0 ? [`${count(buffers.temp)} temporary blocks`] : []),
  ]
  const difference = differingLines(before.plan, now)
  if (worse.length === 0 && difference.length === 0) return []
  const set = params === null || params === 'default' ? '' : ` (${params})`
  const shape = difference.length === 0 ? 'the same query plan' : `query plan: ${difference.join('; ')}`
  const times = `${milliseconds(medianMs({ executionMs }))} instead of ${milliseconds(before.time_ms.median)}`
  const subject = { query: query.name, place: query.place } as const
  if (worse.length === 0)
    return [
      {
        code: 'PLAN_CHANGED',
        severity: 'info',
        ...subject,
        message: `another query plan than in the baseline${set}, and no dearer: ${shape}`,
        hint: 'keep it with --save-baseline',
      },
    ]
  return [
    {
      code: 'REGRESSED',
      severity: 'error',
      ...subject,
      ...(scan === undefined ? {} : { table: tableOf(scan) }),
      message: `worse than the baseline${set}: ${[...worse, ...missingIndexes(before, measured)].join(', ')}; ${shape}; ${times}`,
      hint: 'perfdb verify shows whether an index is gone; when it is meant to be so, keep it with --save-baseline',
    },
  ]
}

/** The blocks that were read, each table's divided by what it grew by since. */
function grownLess({ tables: kept = {} }: KeptQuery, { plan, buffers, tables }: Measurement): number {
  const blocks = buffers.hit + buffers.read
  if (plan === null) return blocks
  const pages = new Map(tables.map((one) => [one.table, one.pages]))
  return plan.nodes.reduce((sum, node) => {
    const [was, is] = [kept[tableOf(node)] ?? 0, pages.get(tableOf(node)) ?? 0]
    const growth = was > 0 ? Math.max(1, is / was) : 1
    return sum - ownBlocksOf(plan, node) * (1 - 1 / growth)
  }, blocks)
}

/** `the index by_customer (public.jobs (customer_id)) is gone` */
function missingIndexes({ indexes: kept = {} }: KeptQuery, { indexes = [] }: Measurement): readonly string[] {
  const there = new Set(indexes.map(shapeText))
  return Object.entries(kept)
    .filter(([, shape]) => !there.has(shape))
    .map(([name, shape]) => `the index ${name} on ${shape} is gone`)
}

/** An index that is called otherwise than in the baseline, and is the same, by its name there. */
function oldNaming({ indexes: kept = {} }: KeptQuery, { indexes = [] }: Measurement): IndexNaming {
  const names = new Map(Object.entries(kept).map(([name, shape]) => [shape, name]))
  return ({ index }) => {
    const own = indexes.find(({ name }) => name === index)
    return (own === undefined ? undefined : names.get(shapeText(own))) ?? index
  }
}

function shapeText({ table, shape }: IndexShape): string {
  return `${table} ${shape}`
}

/** `- line` of the first text alone, `+ line` of the second alone, by the longest common subsequence. */
export function differingLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const lengths = Array.from({ length: before.length + 1 }, () => Array.from({ length: after.length + 1 }, () => 0))
  const length = (a: number, b: number) => lengths[a]?.[b] ?? 0
  for (let a = before.length - 1; a >= 0; a -= 1)
    for (let b = after.length - 1; b >= 0; b -= 1) {
      const row = lengths[a] ?? []
      row[b] = before[a] === after[b] ? length(a + 1, b + 1) + 1 : Math.max(length(a + 1, b), length(a, b + 1))
    }
  const differing: string[] = []
  let [a, b] = [0, 0]
  while (a < before.length || b < after.length) {
    if (a < before.length && b < after.length && before[a] === after[b]) {
      a += 1
      b += 1
    } else if (b >= after.length || (a < before.length && length(a + 1, b) >= length(a, b + 1))) {
      differing.push(`- ${bare(before[a])}`)
      a += 1
    } else {
      differing.push(`+ ${bare(after[b])}`)
      b += 1
    }
  }
  return differing
}

function bare(line = ''): string {
  return line.replace(/^(\. )+/, '')
}
