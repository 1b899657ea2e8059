import type { Comparison } from '../../result/documents/result.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { QueryMeasurement, VariantMeasurement } from '../sample/measurement.js'
import { round, rounded } from './result-queries.js'
import { milliseconds } from '../rules/rule.js'

/**
 * The documents of queries with variants. Putting n statements into one saves n - 1 round trips; work on the server
 * stays what it is unless the variants differ there, so that both are told apart.
 */
export function comparisons(measured: readonly QueryMeasurement[]): Comparison[] {
  return measured.flatMap(({ query, variants, roundTripMs, answers = [], notConcurrent = null }) => {
    const [first, ...others] = variants
    if (first === undefined || roundTripMs === null) return []
    return [
      {
        query: query.name,
        round_trip_ms: round(roundTripMs),
        variants: variants.map(({ name, statements, serverMs, elapsedMs, pipelinedMs, concurrentMs, connections }) => ({
          name,
          statements,
          server_ms: rounded(serverMs),
          elapsed_ms: rounded(elapsedMs),
          ...(pipelinedMs === null ? {} : { pipelined_ms: rounded(pipelinedMs) }),
          ...(concurrentMs === null ? {} : { concurrent_ms: rounded(concurrentMs), connections }),
        })),
        ...(answers.length === 0
          ? {}
          : { rows: answers.map(({ reason, ...answer }) => ({ ...answer, ...(reason === null ? {} : { reason }) })) }),
        ...(notConcurrent === null ? {} : { not_concurrent: notConcurrent }),
        message: others.map((other) => comparisonText(first, other, roundTripMs)).join('; '),
      },
    ]
  })
}

/**
 * OTHER_ROWS for each variant that does not answer as the first does: then their times say nothing. NOT_MEASURED, for information,
 * where variants have further parameter sets: they are run with the first.
 */
export function answerFindings(measured: readonly QueryMeasurement[]): readonly Finding[] {
  return measured.flatMap(({ query, variants, answers = [] }) => [
    ...answers.flatMap(({ variant, against, answer, reason }): Finding[] =>
      answer === 'other_rows'
        ? [
            {
              code: 'OTHER_ROWS',
              severity: 'warning',
              query: query.name,
              place: query.place,
              message: `${query.name}: ${variant} gives other rows than ${against}: ${reason ?? ''}`,
              hint: 'mend the variant before comparing times: it does not answer the same question',
            },
          ]
        : [],
    ),
    ...(variants.length > 0 ? otherSets(query) : []),
  ])
}

function otherSets({ name, place, parameters: [first, ...others] }: Query): readonly Finding[] {
  if (first === undefined || others.length === 0) return []
  const message = `${name}: its variants were run with the parameter set ${first.name} alone, not with ${others.map((set) => set.name).join(', ')}`
  const hint = 'a query of its own for each set compares them with the others'
  return [{ code: 'NOT_MEASURED', severity: 'info', query: name, place, message, hint }]
}

/** A round trip between two machines of one region that are not next to each other, for comparison with loopback. */
const farTripMs = 20

function comparisonText(a: VariantMeasurement, b: VariantMeasurement, roundTripMs: number): string {
  const server = `the server works ${milliseconds(a.serverMs.median)} for ${a.name} and ${milliseconds(b.serverMs.median)} for ${b.name}`
  const [more, fewer] = a.statements >= b.statements ? [a, b] : [b, a]
  const trips = more.statements - fewer.statements
  if (trips === 0) return `${server}; both take ${a.statements} round trip${a.statements === 1 ? '' : 's'}`
  const saved = `${fewer.name} saves ${trips} round trip${trips === 1 ? '' : 's'}`
  return `${server}; ${saved}: ${milliseconds(trips * roundTripMs)} here, ${trips * farTripMs} ms where a round trip takes ${farTripMs} ms`
}
