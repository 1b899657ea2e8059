import { writeFile } from 'node:fs/promises'
import { problemsError } from '../../errors.js'
import { keptQueries, type KeptQuery } from '../../measure/rules/regressed.js'
import { round, rounded } from '../../measure/query/result-queries.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { Session } from '../../server/session/session.js'
import { readYaml } from '../../yaml/read.js'
import { z } from '../../yaml/schema.js'
import { writeYaml, type Writable } from '../../yaml/document/write.js'
import { perfdbVersion } from '../../result/version.js'

const interval = z.strictObject({ median: z.number(), low: z.number(), high: z.number() })
const baselineSchema = z.strictObject({
  version: z.literal(1),
  perfdb: z.string(),
  server: z.string(),
  queries: z.array(
    z.strictObject({
      query: z.string(),
      params: z.string().optional(),
      rows: z.number(),
      buffers: z.number(),
      temp_blocks: z.number(),
      time_ms: interval,
      samples: z.int(),
      tables: z.record(z.string(), z.number()).optional(),
      indexes: z.record(z.string(), z.string()).optional(),
      plan: z.string(),
    }),
  ),
})

/** Keeps what was measured, as JSON for a file of that ending, else as YAML; sorted by nothing: in the order of the audit. */
export async function saveBaseline(
  file: string,
  session: Pick<Session, 'version'>,
  measured: readonly QueryMeasurement[],
): Promise<void> {
  const queries = keptQueries(measured).map(({ params, time_ms, plan, ...kept }) => ({
    query: kept.query,
    ...(params === null ? {} : { params }),
    rows: kept.rows,
    buffers: kept.buffers,
    temp_blocks: kept.temp_blocks,
    time_ms: rounded({ median: round(time_ms.median), low: time_ms.low, high: time_ms.high }),
    samples: kept.samples,
    tables: { ...kept.tables },
    indexes: { ...kept.indexes },
    plan: plan.join('\n'),
  }))
  const document = { version: 1, perfdb: perfdbVersion(), server: session.version, queries }
  const text = isJson(file)
    ? `${JSON.stringify(document, null, 2)}\n`
    : writeYaml(
        new Map<string, Writable>([
          ['version', 1],
          ['perfdb', document.perfdb],
          ['server', document.server],
          ['queries', queries.map((query) => new Map<string, Writable>(members(query)))],
        ]),
        'Written by perfdb explain --save-baseline; compared with by --baseline.\nBuffers are blocks of 8 kB, hit or read.',
      )
  await writeFile(file, text)
}

/** Throws what readNamedFile throws, and every problem of its content at once (BAD_YAML, UNKNOWN_KEY, BAD_VALUE). */
export async function readBaseline(file: string, cwd: string): Promise<readonly KeptQuery[]> {
  const text = await readNamedFile(file, cwd, `perfdb explain ... --save-baseline ${file} writes one`)
  const { value, problems } = isJson(file) ? parseJson(text, file) : readYaml(text, file, baselineSchema, {})
  const [first, ...rest] = problems
  if (first !== undefined) throw problemsError([first, ...rest])
  return (value?.queries ?? []).map(({ params, plan, ...kept }) => ({
    ...kept,
    params: params ?? null,
    plan: plan === '' ? [] : plan.replace(/\n$/, '').split('\n'),
  }))
}

function members(query: Readonly<Record<string, string | number | object | undefined>>): [string, Writable][] {
  return Object.entries(query).flatMap(([key, value]): [string, Writable][] => {
    if (value === undefined) return []
    if (typeof value !== 'object') return [[key, value]]
    const entries = Object.entries(value).map(([name, each]): [string, Writable] => [
      name,
      typeof each === 'number' ? each : String(each),
    ])
    return entries.length === 0 ? [] : [[key, new Map(entries)]]
  })
}

/** In JSON a dollar sign is nothing but itself. */
function parseJson(
  text: string,
  file: string,
): Pick<ReturnType<typeof readYaml<z.infer<typeof baselineSchema>>>, 'value' | 'problems'> {
  const place = { file, line: 1, column: 1 }
  try {
    const parsed: unknown = JSON.parse(text)
    const read = baselineSchema.safeParse(parsed)
    if (read.success) return { value: read.data, problems: [] }
    const issues = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    return { value: undefined, problems: issues.map((message) => ({ code: 'BAD_VALUE', message, place })) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { value: undefined, problems: [{ code: 'BAD_VALUE', message, place }] }
  }
}

function isJson(file: string): boolean {
  return file.toLowerCase().endsWith('.json')
}
