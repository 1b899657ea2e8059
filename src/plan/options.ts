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
}
