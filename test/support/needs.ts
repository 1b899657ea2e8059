import { test } from 'vitest'

/**
 * For a test that needs something of the machine, such as PgBouncer: it is skipped where that is missing, and fails there with
 * PERFDB_TEST_ALL=1, so that nobody believes it ran.
 */
export function needing(what: string, present: boolean): typeof test | typeof test.skip {
  if (present) return test
  if (process.env['PERFDB_TEST_ALL'] === '1') throw new Error(`PERFDB_TEST_ALL=1, and this machine has no ${what}`)
  return test.skip
}
