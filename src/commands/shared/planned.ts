import type { Snapshot } from '../../catalog/snapshot.js'
import type { Plan, Finding } from '../../plan/plan.js'
import type { ResultWhatIf } from '../../result/parts/what-if-result.js'

export interface Planned {
  readonly plan: Plan
  readonly snapshot: Snapshot
}

/** The key `what_if` of a document, and the finding that belongs to it. */
export interface Supposed {
  readonly document: ResultWhatIf
  readonly findings: readonly Finding[]
}
