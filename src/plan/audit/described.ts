import type { ExistingIndex } from '../../catalog/snapshot.js'
import { describeSql } from '../index-attributes.js'
import type { Finding, Step } from '../plan.js'

/** Where the comment or a statistics target of an index that is kept is not the declared one: told with the statements, not changed. */
export function describedOtherwise(
  { declared, index }: Step,
  existing: ExistingIndex,
): readonly Omit<Finding, 'index' | 'table'>[] {
  const sql = declared === null ? [] : describeSql(declared, existing)
  if (sql.length === 0) return []
  return [
    {
      code: 'DESCRIBED_OTHERWISE',
      severity: 'warning',
      message: `the comment or a statistics target of ${index} is not the declared one`,
      hint: sql.join('; '),
    },
  ]
}
