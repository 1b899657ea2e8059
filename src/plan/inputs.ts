import type { CanonicalDefinition } from '../catalog/snapshot.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { HazardCode } from '../codes/hazard-codes.js'
import type { SharedAnswers } from '../catalog/shared.js'

/** A declaration with what PostgreSQL says it would be. */
export interface Resolved {
  readonly declared: DeclaredIndex
  readonly canonical: CanonicalDefinition
  /** Whose code reading the table or the definition would run with more rights than its author has, as text; then perfdb reads neither. */
  readonly foreign?: string
  /** The table belongs to a role with fewer rights. */
  readonly stranger?: true
  /** Why CREATE INDEX itself would run it so. */
  readonly unbuildable?: string
}

/** What perfdb built for these profiles and nobody dropped since, by the ledger: --prune may take it when it is declared no more. */
export type Owned = readonly {
  readonly schema: string
  readonly name: string
  /** null in old records. */
  readonly tableOid: number | null
  /** What perfdb left there; null when that is not known. */
  readonly canonical: CanonicalDefinition | null
}[]

/** What the user allows and asks for, as far as planning depends on it. */
export interface PlanOptions {
  readonly allow: ReadonlySet<HazardCode>
  /** Drop indexes that the ledger owns and no profile declares any more. */
  readonly prune: boolean
  /** Older transactions than this are a hazard: the build waits for them. */
  readonly maxWaitMs: number
  /** An index that would be larger is a hazard (LARGE_BUILD); bytes. */
  readonly maxSizeBytes: number
  /** Declared indexes to rebuild where they stand, as name or schema.name. */
  readonly reindex?: readonly string[] | undefined
  /** By schema.name, `before` of the saved steps that rebuild an index: one that is another by now has been rebuilt. */
  readonly reindexSaved?: ReadonlyMap<string, string | null> | undefined
  /** Oids of indexes that perfdb made or rebuilt, by its ledger: `reindex: true` of a profile is about all others. */
  readonly made?: ReadonlySet<number>
  /** Of a run in many databases, which asks once for all that are alike. */
  readonly shared?: SharedAnswers | undefined
}
