import type { ExistingIndex } from '../../catalog/snapshot.js'
import { quoteLiteral, quoteName } from '../../definition/quote.js'
import { newNameFor, oldNameFor } from '../../plan/match/names.js'
import type { Plan, Statement, Step } from '../../plan/plan.js'
import { dropIndexSql, renameIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropPartitionedSql } from '../../sql/ddl/partitions.js'

/**
 * One migration of another tool: a single statement that must run outside a transaction, or some short ones that run in one. Nothing
 * more fits in one: a migration that fails half-way and is run again must not meet its own first half.
 */
export interface Migration {
  /** For the file's name: `create_idx_jobs_status`. */
  readonly name: string
  /** What it does and why, one line each. */
  readonly about: readonly string[]
  readonly transaction: boolean
  readonly up: readonly string[]
  /** Takes `up` back; empty where there is nothing that could. */
  readonly down: readonly string[]
  /** What a failure leaves behind that the next try stumbles over, and the statement that removes it. */
  readonly leftover: string | null
}

/** The steps of a plan as migrations in the order of the plan, the last one a check that fails while an index is missing or not valid. */
export function migrationsOf(plan: Pick<Plan, 'steps' | 'extensions'>): readonly Migration[] {
  const work = plan.steps.filter((step) => step.statements.length > 0)
  const extensions = plan.extensions.map((name) => ({
    name: `create_extension_${name}`,
    about: [`create extension ${name}: an index of the profile needs it`],
    transaction: true,
    up: [`create extension ${quoteName(name)}`],
    down: [],
    leftover: null,
  }))
  const steps = work.flatMap((step) => step.statements.map((statement) => migration(step, statement)))
  return [...extensions, ...steps, ...check(work)]
}

function migration(step: Step, statement: Statement): Migration {
  const { kind, verb, schema, index, sql } = statement
  return {
    name: `${verb}_${index}`,
    about: [
      `${step.step} ${step.schema}.${step.index} on ${step.table.name}: ${step.reason}`,
      ...step.hazards.map(({ code, message }) => `hazard ${code}: ${message}`),
    ],
    transaction: kind === 'swap',
    up: sql,
    down: undoOf(step, statement),
    leftover: verb === 'create' ? dropIndexSql(schema, index) : null,
  }
}

function undoOf(step: Step, statement: Statement): readonly string[] {
  if (step.partitioned === true) {
    // With the partitioned index go those of its partitions, which cannot be dropped or detached by themselves.
    const creates = statement.verb === 'create_only' && statement.index === step.index
    return creates ? [dropPartitionedSql({ schema: step.schema, name: step.index })] : []
  }
  switch (statement.kind) {
    case 'build':
      return [dropIndexSql(step.schema, statement.index)]
    case 'swap':
      return renamedBack(step)
    case 'drop':
      return rebuilt(step, statement.index)
  }
}

function renamedBack({ step, schema, index, existing }: Step): readonly string[] {
  if (step === 'adopt' && existing !== null) return [renameIndexSql(schema, index, existing.name)]
  if (step !== 'replace') return []
  return [renameIndexSql(schema, index, newNameFor(index)), renameIndexSql(schema, oldNameFor(index), index)]
}

/** What was not valid is worth nothing; an index that served is built again as it was. */
function rebuilt({ step, index, existing }: Step, dropped: string): readonly string[] {
  if (existing === null || step === 'rebuild') return []
  if (step === 'replace' && dropped !== oldNameFor(index)) return []
  return [concurrently(existing, dropped)]
}

/** pg_get_indexdef writes `CREATE [UNIQUE] INDEX name ON ...`. */
function concurrently({ indexdef }: ExistingIndex, name: string): string {
  return indexdef.replace(
    /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^\s"]+) ON /,
    (_, unique: string | undefined) => `CREATE ${unique ?? ''}INDEX CONCURRENTLY ${quoteName(name)} ON `,
  )
}

/** A tool may have recorded a build that failed, or somebody marked it as run: pg_index says what is true. */
function check(work: readonly Step[]): readonly Migration[] {
  const wanted = work.filter((step) => step.step !== 'drop')
  if (wanted.length === 0) return []
  const rows = wanted.map(({ schema, index }) => `(${quoteLiteral(schema)}, ${quoteLiteral(index)})`)
  return [
    {
      name: 'check_indexes',
      about: ['fails while one of these indexes is missing or not valid'],
      transaction: true,
      up: [checkSql(rows)],
      down: [],
      leftover: null,
    },
  ]
}

/** A quote that the text does not hold: a name may be anything. */
function dollarQuote(text: string): string {
  let quote = '$perfdb$'
  for (let number = 1; text.includes(quote); number += 1) quote = `$perfdb${number}$`
  return quote
}

function checkSql(rows: readonly string[]): string {
  const rowsText = rows.join(',\n    ')
  const quote = dollarQuote(rowsText)
  return `do ${quote}
declare
  bad text;
begin
  select pg_catalog.string_agg(wanted.schema || '.' || wanted.name, ', ') into bad
  from (values
    ${rowsText}
  ) as wanted(schema, name)
  left join pg_catalog.pg_namespace n on n.nspname = wanted.schema
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
  left join pg_catalog.pg_index i on i.indexrelid = c.oid
  where i.indisvalid is not true;
  if bad is not null then
    raise exception 'missing or not valid: %', bad using hint = 'perfdb verify shows what is wrong, perfdb apply heals it';
  end if;
end
${quote}`
}
