import { z } from '../../yaml/schema.js'

/** One query of one side. Numbers are null where they are not known. */
export interface CompareSide {
  readonly name: string
  readonly lines: readonly string[] | null
  readonly cost: number | null
  readonly rows: number | null
  readonly buffers: number | null
  readonly ms: number | null
  readonly codes: readonly string[]
}

/* What is needed of a result document; an older or newer perfdb may say more. */
const node = z.object({ depth: z.int(), node: z.string() })
const measured = z.object({
  execution_ms: z.object({ median: z.number() }),
  buffers: z.object({ hit: z.number(), read: z.number() }),
  rows: z.number(),
  query_plan: z.array(node).optional(),
})
const query = z.object({
  name: z.string(),
  after: measured.optional(),
  cost: z.number().optional(),
  findings: z.array(z.object({ code: z.string() })).optional(),
})
const document = z.object({ perfdb: z.string(), queries: z.array(query) })

/** The queries of `--format json`; null for a text that is no result document. */
export function readResultQueries(text: string): readonly CompareSide[] | null {
  const read = document.safeParse(parsed(text))
  if (!read.success) return null
  return read.data.queries.map(({ name, after, cost, findings = [] }) => ({
    name,
    lines: after?.query_plan?.map((one) => '. '.repeat(one.depth) + one.node) ?? null,
    cost: cost ?? null,
    rows: after?.rows ?? null,
    buffers: after === undefined ? null : after.buffers.hit + after.buffers.read,
    ms: after?.execution_ms.median ?? null,
    codes: findings.map(({ code }) => code),
  }))
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
