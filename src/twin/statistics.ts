import { PerfdbError } from '../errors.js'
import { z } from '../yaml/schema.js'

/** The version of the format of a statistics file. */
export const statisticsFormat = 1

/** Statistics of a column (or of an expression of an index, by `number`), as pg_stats has them; arrays as PostgreSQL writes them. */
const column = z.object({
  name: z.string(),
  number: z.number().optional(),
  inherited: z.boolean(),
  null_frac: z.number(),
  avg_width: z.number(),
  n_distinct: z.number(),
  most_common_vals: z.string().optional(),
  most_common_freqs: z.string().optional(),
  histogram_bounds: z.string().optional(),
  correlation: z.number().optional(),
  most_common_elems: z.string().optional(),
  most_common_elem_freqs: z.string().optional(),
  elem_count_histogram: z.string().optional(),
  range_length_histogram: z.string().optional(),
  range_empty_frac: z.number().optional(),
  range_bounds_histogram: z.string().optional(),
  /** Its values are none of its rows, but stand for them in the same order. named: the constants of `named` stand for themselves among them; unnamed: no constant means anything. */
  stand_ins: z.enum(['named', 'unnamed']).optional(),
})

const relation = z.object({
  schema: z.string(),
  name: z.string(),
  /** pg_class.relkind: r, m and p are tables, i and I indexes. */
  kind: z.enum(['r', 'm', 'p', 'i', 'I']),
  /** Of an index: its table, in the same schema, and its access method. */
  table: z.string().optional(),
  method: z.string().optional(),
  pages: z.int().min(-1).max(4_294_967_295),
  tuples: z.number().min(-1).max(1e15),
  all_visible: z.int().min(0).max(4_294_967_295),
  /** Of its file (the main fork), which may have grown since `pages` was counted. */
  bytes: z
    .number()
    .min(0)
    .max(2 ** 45),
  columns: z.array(column),
  /** The least and the greatest value of first columns of its btree indexes. */
  ends: z.array(z.object({ column: z.string(), least: z.string(), greatest: z.string() })).optional(),
})

export const statisticsSchema = z.object({
  about: z.string(),
  perfdb_statistics: z.literal(statisticsFormat),
  perfdb: z.string(),
  taken_at: z.string(),
  server: z.object({
    version: z.string(),
    version_num: z.number(),
    database: z.string(),
    encoding: z.string(),
    /** b builtin, c libc, i ICU. */
    provider: z.string(),
    locale: z.string(),
  }),
  /** Whether the values of most common values, histograms and ends are in it. */
  values: z.enum(['kept', 'left out', 'some left out']),
  /** Where values are left out: constants that the schema and queries say, which stand for themselves. */
  named: z.array(z.string()).optional(),
  settings: z.record(z.string(), z.string()),
  search_path: z.string(),
  /**
   * What clients run, by pg_stat_statements: fingerprints of statements without their constants, no texts; `hidden` could not be read. Absent where it could not be asked, and in
   * files of perfdb before 0.2.
   */
  statements: z.object({ fingerprints: z.array(z.string()), hidden: z.number() }).optional(),
  /** In the order of their oids. */
  relations: z.array(relation),
  /** What the role was not shown. */
  unseen: z.object({ tables: z.array(z.string()), indexes: z.array(z.string()), extended: z.array(z.string()) }),
})

export type Statistics = z.infer<typeof statisticsSchema>
export type RelationStatistics = z.infer<typeof relation>
export type ColumnStatistics = z.infer<typeof column>

/** Reads a statistics file. Throws BAD_VALUE for what is none, and for one of a newer format. */
export function parseStatistics(text: string, file: string): Statistics {
  const hint = `perfdb statistics --url $DATABASE_URL --out ${file}`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.replace(/,? *"[\s\S]*$/, '') : undefined
    throw new PerfdbError('BAD_VALUE', `${file} is no statistics file: it is not JSON`, { detail, hint, cause })
  }
  const format: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'perfdb_statistics') : undefined
  if (typeof format !== 'number')
    throw new PerfdbError('BAD_VALUE', `${file} is no statistics file: it has no key perfdb_statistics`, { hint })
  if (format > statisticsFormat)
    throw new PerfdbError(
      'BAD_VALUE',
      `${file} has format ${format}, and this perfdb reads up to ${statisticsFormat}`,
      { hint: 'update perfdb, or take the statistics with this version' },
    )
  const read = statisticsSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new PerfdbError('BAD_VALUE', `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'cannot be read'}`, {
    hint,
  })
}

/** One line for each relation: a file that people can look through, and that git compares. */
export function statisticsText({ relations, ...head }: Statistics): string {
  const lines = relations.map((one) => `    ${JSON.stringify(one)}`)
  const top = JSON.stringify(head, null, 2).replace(/\n}$/, '')
  return `${top},\n  "relations": [\n${lines.join(',\n')}\n  ]\n}\n`
}

export function isIndex({ kind }: RelationStatistics): boolean {
  return kind === 'i' || kind === 'I'
}
