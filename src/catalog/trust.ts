import type { Definition, TableName } from '../definition/definition.js'
import { withConstant } from '../definition/quote.js'
import type { Session } from '../server/session/session.js'
import { foreignCodeSql, tableOwnersSql } from '../sql/catalog/foreign-code.js'
import { keyExpressionSql } from '../sql/ddl/index-ddl.js'
import { mentionsOf, noMentions, type Mentions } from '../sql/parser/mentions.js'

/** A function of a role that could not become the connected one: it would run with rights that its author lacks. */
export interface ForeignCode {
  /** `app.evil(text)`; `domain app.d` for one whose check calls a volatile function of the system. */
  readonly code: string
  readonly owner: string
  /** The relation that it belongs to; null for what a text calls by name. */
  readonly on: string | null
  /** `index app.i`; null for the relation itself, or a text. */
  readonly via: string | null
  /** domain: runs as soon as a constant of the type is read. key: in a partition key. */
  readonly kind: 'other' | 'domain' | 'key'
}

/** What would be planned: a text, the relations that it reads (those it mentions too), and the schemas of its unqualified names. */
interface Planned {
  readonly text: string | null
  readonly relations: readonly { readonly schema: string | null; readonly name: string }[]
  readonly path: readonly string[]
  /** Of the text only names without a schema. */
  readonly unqualified?: boolean
}

/** Whose code would run if perfdb planned a definition, and how it may ask PostgreSQL about it all the same. */
export interface Trust {
  /** Of the table's indexes, statistics, policies and types, and of what the text of the definition calls; empty when all is the role's own. */
  readonly foreign: readonly ForeignCode[]
  /** Of the text alone. */
  readonly called: readonly ForeignCode[]
  /** Of names in the text that have no schema: one may be the system's or a stranger's, as the catalog's text never is. */
  readonly ambiguous: readonly ForeignCode[]
  /** The table's owner could not become the connected role, which has more than its own rights: he may put foreign code there any moment. */
  readonly stranger: boolean
  /** The table's owner when a temporary copy must be handed over to him: an index on it is then computed with his rights alone. */
  readonly owner: string | null
  /** An index on a temporary copy would compute foreign code as the connected role: nothing may be asked that way. */
  readonly probed: boolean
  /** Why even CREATE INDEX on the table itself would run it with the rights of the connected role, or another that its author lacks. */
  readonly unbuildable: string | null
}

/** Whose the tables of these definitions are, and whether there is foreign code at all: what is known before `readTrust` asks more. */
export async function readOwners(session: Session, definitions: readonly Definition[]): Promise<Owners> {
  const text = withConstant(tableOwnersSql(session.versionNum, false), [...tablesOf(definitions).values()])
  const [first = { strangers: false, tables: [] }] = await session.query<Owners>(text)
  return first
}

/** The tables of these definitions by their keys, each once. */
export function tablesOf(definitions: readonly Definition[]): ReadonlyMap<string, TableName> {
  return new Map(definitions.map(({ table }) => [tableKey(table), { schema: table.schema, name: table.name }]))
}

/**
 * The one place that decides whose code perfdb may run. Planning is execution: constants in the expressions of indexes that exist are computed
 * by the planner, as the connected role. CREATE INDEX computes as the table's owner (PostgreSQL's rule), but for constants of domains in
 * arrays and rows, which are checked when the statement is read. One statement, none where the owners are `known`; another where somebody else has functions.
 */
export async function readTrust(
  session: Session,
  definitions: readonly Definition[],
  known?: Owners,
): Promise<ReadonlyMap<Definition, Trust>> {
  if (definitions.length === 0) return new Map()
  const tables = tablesOf(definitions)
  const { strangers, tables: owned } = known ?? (await readOwners(session, definitions))
  const owners = new Map(owned.map((one) => [tableKey(one), one]))
  const foreign = strangers
    ? await askForeign(session, [
        ...[...tables.values()].map((table) => ({
          text: null,
          relations: [table],
          path: [table.schema, ...searchPath(session)],
        })),
        ...definitions.map((definition) => askedText(session, definition, false)),
        ...definitions.map((definition) => askedText(session, definition, true)),
      ])
    : []
  const ofTable = new Map([...tables.keys()].map((key, at) => [key, foreign[at] ?? []]))
  return new Map(
    definitions.map((definition, at) => {
      const key = tableKey(definition.table)
      const called = foreign[tables.size + at] ?? []
      const ambiguous = foreign[tables.size + definitions.length + at] ?? []
      return [definition, { ...trustOf(definition, owners.get(key), ofTable.get(key) ?? [], called), ambiguous }]
    }),
  )
}

/**
 * Whose code the planner would run for each of these texts, with names looked up as the session does. Two statements at most, in a transaction
 * of their own that pins search_path: to be asked on a session of any role. Throws the server's errors.
 */
export async function readForeignCode(
  session: Session,
  texts: readonly string[],
): Promise<readonly (readonly ForeignCode[])[]> {
  if (texts.length === 0) return []
  // Compiling the statement would take seconds, running it takes milliseconds.
  const settings = { readOnly: true, statementTimeoutMs: 30_000, set: { search_path: 'pg_catalog', jit: 'off' } }
  return session.rolledBack(settings, async () => {
    const [first] = await session.query<Owners>(withConstant(tableOwnersSql(session.versionNum, true), []))
    if (first?.strangers !== true) return texts.map(() => [])
    const path = searchPath(session)
    return askForeign(
      session,
      texts.map((text) => ({ text, relations: [], path })),
    )
  })
}

export interface Owners {
  readonly strangers: boolean
  readonly tables: readonly {
    readonly schema: string
    readonly name: string
    readonly owner: string
    readonly partitioned: boolean
    /** He could not become the connected role. */
    readonly stranger: boolean
    /** The connected role may hand a temporary table over to him. */
    readonly given: boolean
  }[]
}

async function askForeign(session: Session, planned: readonly Planned[]): Promise<readonly (readonly ForeignCode[])[]> {
  const asked = await Promise.all(
    planned.map(async ({ text, relations, path, unqualified = false }, id) => {
      // What does not parse the server will refuse in its own words.
      const mentions = text === null ? noMentions : await mentionsOf(text).catch(() => noMentions)
      const called = unqualified ? withoutSchema(mentions) : mentions
      return { id, path, ...called, relations: [...relations, ...called.relations] }
    }),
  )
  const text = withConstant(foreignCodeSql(session.versionNum), asked)
  const rows = await session.query<ForeignCode & { readonly id: number }>(text)
  return planned.map((_, id) => rows.filter((row) => row.id === id))
}

function askedText(session: Session, definition: Definition, unqualified: boolean): Planned {
  const text = computes(definition) ? definitionText(definition) : null
  return { text, relations: [], path: [definition.table.schema, ...searchPath(session)], unqualified }
}

function withoutSchema({ functions, fields, operators, types, relations }: Mentions): Mentions {
  const bare = (list: Mentions['functions']) => list.filter(({ schema }) => schema === null)
  return {
    functions: bare(functions),
    fields: bare(fields),
    operators: bare(operators),
    types: bare(types),
    relations: bare(relations),
  }
}

function trustOf(
  definition: Definition,
  table: Owners['tables'][number] | undefined,
  ofTable: readonly ForeignCode[],
  called: readonly ForeignCode[],
): Omit<Trust, 'ambiguous'> {
  const foreign = [...ofTable, ...called]
  const stranger = table?.stranger === true
  const owner = table !== undefined && stranger && table.given && computes(definition) ? table.owner : null
  const readEarly = computes(definition) && foreign.some(({ kind }) => kind === 'domain')
  const keyed = ofTable.some(({ kind }) => kind === 'key')
  const probed =
    !readEarly && !keyed && (owner !== null || !computes(definition) || (foreign.length === 0 && !stranger))
  return {
    foreign,
    called,
    stranger,
    owner,
    probed,
    unbuildable: unbuildable({ stranger, readEarly, keyed, called, foreign, attached: table?.partitioned === true }),
  }
}

function unbuildable(found: {
  readonly stranger: boolean
  readonly readEarly: boolean
  readonly keyed: boolean
  readonly called: readonly ForeignCode[]
  readonly foreign: readonly ForeignCode[]
  readonly attached: boolean
}): string | null {
  const { stranger, readEarly, keyed, called, foreign, attached } = found
  const of = (kind: ForeignCode['kind']) => foreignText(foreign.filter((one) => one.kind === kind))
  // ALTER INDEX ... ATTACH PARTITION compares both indexes and the key as whoever sends it, not as the owner.
  if (keyed) return `attaching an index of a partition would run ${of('key')}`
  if (attached && called.length > 0) return `attaching an index of a partition would run ${foreignText(called)}`
  if (readEarly) return `reading the definition would run ${of('domain')}`
  // As the owner of the table, who may do more than the author: whoever writes to the table would run it too.
  if (!stranger && called.length > 0) return `the build would run ${foreignText(called)}`
  return null
}

/** `app.evil(text) of own (index app.i)`, at most three of them. */
export function foreignText(foreign: readonly ForeignCode[]): string {
  const texts = [
    ...new Set(foreign.map(({ code, owner, via }) => `${code} of ${owner}${via === null ? '' : ` (${via})`}`)),
  ]
  const more = texts.length > 3 ? ` and ${texts.length - 3} more` : ''
  return `${texts.slice(0, 3).join(', ')}${more}`
}

/** The schemas of the role's own search_path, as the server printed it. */
function searchPath({ defaultSearchPath, user }: Session): readonly string[] {
  return [...defaultSearchPath.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, plain = '']) => {
    const name = quoted === undefined ? plain.toLowerCase() : quoted.replaceAll('""', '"')
    return name === '$user' ? user : name
  })
}

function definitionText({ keys, predicate }: Definition): string {
  return `select ${keys.map(keyExpressionSql).join(', ')}${predicate === undefined ? '' : ` where ${predicate}\n`}`
}

/** Says that something is computed: a plain column is not. */
export function computes({ keys, predicate }: Definition): boolean {
  return predicate !== undefined || keys.some(({ expression }) => expression !== undefined)
}

function tableKey({ schema, name }: TableName): string {
  return JSON.stringify([schema, name])
}
