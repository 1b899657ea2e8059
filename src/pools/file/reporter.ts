import type { Place } from '../../errors.js'
import type { PoolFinding } from '../sums/model.js'

type Path = readonly (string | number)[]

/** Where a path of the file stands; how a value that cannot be (BAD_VALUE) is reported, and what is a finding beside the others. */
export interface Reporter {
  at(path: Path): Place
  problem(path: Path, message: string, hint?: string): void
  find(finding: Pick<PoolFinding, 'code' | 'severity' | 'message' | 'hint'> & { readonly path: Path }): void
}
