import { isExpressionText } from '../../definition/key-text.js'
import { nameTooLong } from '../../definition/quote.js'
import { duration } from '../../yaml/units.js'
import { z } from '../../yaml/schema.js'
import { loadSchema } from './load-schema.js'
import { queryFindingCodes } from '../../codes/finding-codes.js'

/*
 * A profile as people write it (product contract, "A profile"): every default still open, short forms allowed. The
 * members of each union are of different kinds of YAML value, so that a message can say which one was meant.
 */
const text = z.string().min(1)
const tooLong = { error: 'longer than 63 bytes, PostgreSQL would cut it', params: { code: 'NAME_TOO_LONG' } }
const name = text.refine((written) => !nameTooLong(written), tooLong)
const qualified = z
  .union([
    text
      .refine((written) => !/^\.|\.$/.test(written), { error: 'expected name or schema.name' })
      .refine((written) => !/^([^.]*)\.?(.*)$/s.exec(written)?.slice(1).some(nameTooLong), tooLong),
    z.strictObject({
      schema: name.optional().meta({ description: 'The schema; that of the profile when left out' }),
      name: name.meta({ description: 'The name, which may hold dots' }),
    }),
  ])
  .meta({ description: 'A name, schema.name (split at the first dot), or { schema, name } where a name has a dot' })

/** Checked even when a part of the value is wrong, so that all problems are reported at once. */
const always = () => true

/** Values of storage and opclass parameters. */
const setting = z.union([z.string(), z.number(), z.boolean()])

const keyObject = z
  .strictObject({
    column: name.optional().meta({ description: 'A column of the table; or give expression' }),
    expression: text.optional().meta({ description: 'SQL, without outer parentheses' }),
    opclass: z
      .union([
        text,
        z.strictObject({
          name: text.meta({ description: 'The operator class' }),
          parameters: z.record(text, setting).optional().meta({ description: 'Such as siglen of gist_trgm_ops' }),
        }),
      ])
      .optional()
      .meta({ description: 'Operator class, such as text_pattern_ops or gin_trgm_ops' }),
    collation: text.optional().meta({ description: 'Such as C, or schema.collation' }),
    order: z.enum(['asc', 'desc']).optional().meta({ description: 'asc when left out' }),
    nulls: z.enum(['first', 'last']).optional().meta({ description: 'last when ascending, first when descending' }),
  })
  .refine(({ column, expression }) => (column === undefined) !== (expression === undefined), {
    error: 'a key is either a column or an expression',
    when: always,
  })
  .meta({ description: 'A column or an expression, with how it is ordered' })

/** A column, or what is no plain name: an expression, which may be longer than one. */
const keyText = text.refine((written) => isExpressionText(written) || !nameTooLong(written), tooLong)

const targets = z
  .record(z.string().regex(/^[1-9]\d?$/, 'expected the number of a key, from 1'), z.int().min(0).max(10_000))
  .optional()

const index = z
  .strictObject({
    name: name.meta({ description: 'Mandatory: an unnamed index cannot be found again' }),
    table: qualified.meta({ description: 'The table or materialized view: name, schema.name, or { schema, name }' }),
    method: name.optional().meta({ description: 'btree (the default), hash, gist, spgist, gin, brin' }),
    keys: z
      .array(z.union([keyText, keyObject]))
      .min(1)
      .meta({
        description:
          'What the index orders by: columns, expressions such as lower(email), or { column } and { expression } with an order',
      }),
    include: z
      .array(name)
      .min(1)
      .optional()
      .meta({ description: 'Included columns (INCLUDE): in the index, not in its order' }),
    where: text.optional().meta({ description: 'Predicate of a partial index' }),
    unique: z.boolean().optional().meta({ description: 'No two rows may have the same keys' }),
    nulls_distinct: z.boolean().optional().meta({ description: 'false: NULLS NOT DISTINCT (PostgreSQL 15)' }),
    with: z.record(text, setting).optional().meta({ description: 'Storage parameters' }),
    tablespace: name.optional().meta({ description: 'Where it is built; not compared when left out' }),
    comment: text.optional().meta({ description: 'COMMENT ON INDEX; set when the index is built' }),
    statistics: targets.meta({
      description: 'Statistics targets of expressions, by the number of the key: { 1: 500 }',
    }),
    partitions: z
      .array(
        z
          .strictObject({
            table: qualified.meta({ description: 'The partition' }),
            name: name.optional().meta({ description: 'Name of its index; perfdb chooses one when left out' }),
            with: z.record(text, setting).optional().meta({ description: 'All its storage parameters' }),
            comment: text.optional().meta({ description: 'COMMENT ON INDEX' }),
            statistics: targets.meta({ description: 'Statistics targets of expressions, by the number of the key' }),
          })
          .meta({ description: 'What the index of one partition has of its own' }),
      )
      .min(1)
      .optional()
      .meta({
        description:
          'Of a partitioned table: what indexes of single partitions have of their own, given to them once they are built',
      }),
    reindex: z.boolean().optional().meta({
      description: 'true: rebuilt once by REINDEX CONCURRENTLY, unless perfdb built the very index that is there',
    }),
    for: z.array(text).optional().meta({ description: 'Names of the queries that justify it' }),
    why: z.string().optional().meta({ description: 'What it is for, in words' }),
  })
  .meta({ description: 'An index that must exist' })

export type WrittenValue = string | number | boolean | null | readonly WrittenValue[]
const parameter: z.ZodType<WrittenValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(parameter)]),
)
const parameterList = z.array(parameter)

const expectation = z
  .strictObject({
    uses: z.array(name).optional().meta({ description: 'Indexes that the query plan must use' }),
    speedup: z.number().gt(0).optional().meta({ description: 'At least, by the lower end of the interval' }),
    time: duration.optional().meta({ description: 'Median execution time at most' }),
    cost: z.number().min(0).optional().meta({ description: "The planner's estimated cost at most: needs no run" }),
    buffers: z.int().min(0).optional().meta({ description: 'Shared hit and read blocks at most' }),
    forbid: z.array(z.enum(queryFindingCodes)).optional().meta({ description: 'Findings that must not appear' }),
  })
  .meta({ description: 'What the query must fulfil' })

const notEmpty = (map: object) => Object.keys(map).length > 0

const query = z
  .strictObject({
    name: text.meta({ description: 'Its name in reports, and for the key for of an index' }),
    sql: text.optional().meta({ description: 'One statement, with $1, $2 ... for its parameters; or give variants' }),
    params: z
      .union([parameterList, z.record(text, parameterList).refine(notEmpty, { error: 'must not be empty' })])
      .optional()
      .meta({ description: 'One list of values for $1, $2 ..., or named lists; the worst one decides' }),
    expect: expectation.optional(),
    weight: z
      .number()
      .gt(0)
      .optional()
      .meta({ description: 'How much a run of it counts in prices, such as its runs in a minute; 1 when left out' }),
    variants: z
      .record(text, z.union([text, z.array(text).min(1)]))
      .refine(notEmpty, { error: 'must not be empty' })
      .optional()
      .meta({ description: 'Instead of sql: ways to the same answer, each one statement or a list of them' }),
  })
  .refine(({ sql, variants }) => (sql === undefined) !== (variants === undefined), {
    error: 'a query has either sql or variants',
    when: always,
  })
  .meta({ description: 'A query to measure' })

export const profileSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'The JSON Schema of this file, for editors' }),
    version: z.literal(1).meta({ description: 'The version of this format: 1' }),
    profile: text.optional().meta({ description: 'Its name; the name of the file when left out' }),
    schema: name.optional().meta({ description: 'Where unqualified tables live; public when left out' }),
    indexes: z.array(index).optional().meta({ description: 'Indexes that must exist' }),
    absent: z.array(qualified).optional().meta({ description: 'Indexes that must not exist' }),
    extensions: z.array(name).optional().meta({ description: 'Extensions that the indexes need' }),
    analyze: z.array(qualified).optional().meta({ description: 'Tables to ANALYZE besides those that are built on' }),
    queries: z.array(query).optional().meta({ description: 'Queries to measure before and after' }),
    load: loadSchema.optional(),
  })
  .meta({ title: 'perfdb profile', description: 'Indexes that must exist, and the queries that justify them' })

export type WrittenProfile = z.infer<typeof profileSchema>
export type WrittenIndex = z.infer<typeof index>
export type WrittenKey = z.infer<typeof keyObject>
export type WrittenQuery = z.infer<typeof query>
export type WrittenName = z.infer<typeof qualified>
