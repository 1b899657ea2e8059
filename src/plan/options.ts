import type { SharedAnswers } from '../catalog/shared.js'
import type { HazardCode } from '../codes/hazard-codes.js'

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
