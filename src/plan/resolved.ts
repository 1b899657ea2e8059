import type { CanonicalDefinition } from '../catalog/snapshot.js'
import type { DeclaredIndex } from '../profile/profile.js'

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
