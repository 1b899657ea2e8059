import type { CanonicalDefinition } from '../catalog/snapshot.js'
import type { Definition } from '../definition/definition.js'
import { PerfdbError } from '../errors.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'
import type { Subject } from '../measure/sample/subject.js'
import type { Session } from '../server/session/session.js'

/** An index to try, and where the names in its definition are looked up first. */
export interface TwinIndex {
  readonly definition: Definition
  readonly searchPath: string
}

/** A tried index. `refused`: PostgreSQL's reason. `names`: as query plans on the twin name it and its parts in partitions. */
export interface TriedIndex {
  readonly refused: string | null
  readonly names: readonly string[]
  readonly sizeBytes: number
  /** The size depends on what is in the values: it is guessed from their widths. */
  readonly guess: boolean
}

/** What plans a query with indexes that nobody built on the server: a twin, or HypoPG there. */
export interface Engine {
  /** The schema of pg_trgm, made here to try what the source could have; null where it has it itself, or nobody wanted it. */
  readonly trigrams: string | null
  /** What the planner knows of a table; undefined for one without statistics. */
  table(schema: string, name: string): { readonly rows: number; readonly bytes: number } | undefined
  /** How far the rows of a table lie in the order of a column: 1 or -1 where they do; null where nobody knows. */
  correlation(schema: string, name: string, column: string): number | null
  /** The indexes of a query plan, with those of partitioned tables that they are parts of. */
  indexesOf(plan: QueryPlan): readonly string[]
  /** Whether a query plan reads a table, or a partition of it: `schema.table`. */
  reads(plan: QueryPlan, table: string): boolean
  /** On a twin where stand-ins stand for values, a constant that means nothing among them is planned as any value would be. Throws the server's errors. */
  plan(subject: Subject): Promise<QueryPlan>
  /** Makes indexes, which the planner does not see until `show`; may be called again. */
  build(indexes: readonly TwinIndex[]): Promise<readonly TriedIndex[]>
  /** Of the indexes that `build` gave the planner sees these alone. */
  show(indexes: readonly TriedIndex[]): Promise<void>
}

/**
 * A private server that plans as another one does, and holds no rows. It has no way to execute: a statement is planned (EXPLAIN without ANALYZE)
 * or not at all, because running one would read zeros and lie.
 */
export interface Twin extends Engine, AsyncDisposable {
  /** `18.4` */
  readonly version: string
  /** What of the schema could not be made or restored, in words. */
  readonly gaps: readonly string[]
  /** Of a statement that was planned, the constants that meant nothing; `asAny`: each was planned as any value, else as it is. null without any. */
  strangers(subject: Subject): { readonly constants: readonly string[]; readonly asAny: boolean } | null
  /** The generic query plan of a statement with so many parameters, which suits every value. */
  generic(subject: Pick<Subject, 'text' | 'writes'>, parameterCount: number): Promise<QueryPlan>
  /** Of the indexes that the source has the planner sees all but these, with what belongs to them in partitions. */
  hide(indexes: readonly { readonly schema: string; readonly name: string }[]): Promise<void>
  /** What PostgreSQL says that a tried index is. */
  canonical(index: TriedIndex, schema: string): Promise<CanonicalDefinition | null>
}

/** A twin that nobody's server stands behind: what perfdb asks a server's catalog is asked there. */
export interface LoneTwin extends Twin {
  /** A session for perfdb's own looks into the catalog, and for planning: the rows are zeros. `build` ends it. */
  look(): Promise<Session>
}

/** Throws EMBEDDED_FAILED on Windows, which has no sparse files without more. */
export function refuseWindows(): void {
  if (process.platform === 'win32')
    throw new PerfdbError('EMBEDDED_FAILED', 'a twin needs sparse files, which Windows does not make', {
      hint: '--what-if-engine hypopg where the server has HypoPG',
    })
}
