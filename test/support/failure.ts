import { inspect } from 'node:util'
import { PerfdbError } from '../../src/errors.js'

/** The PerfdbError that this work ends with; anything else is a failure of the test. */
export async function failureOf(work: Promise<unknown>): Promise<PerfdbError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof PerfdbError) return outcome
  throw new Error(`expected a PerfdbError, got ${inspect(outcome)}`)
}
