import type { z } from '../yaml/schema.js'
import type { FleetResult } from './documents/fleet-result.js'
import type { ErrorResult } from './documents/result.js'
import type { commandSchemas } from './schemas.js'

/** Every document of one database, or of none. */
export type SingleResult = z.infer<(typeof commandSchemas)[keyof typeof commandSchemas]> | ErrorResult

/** Every document that a command can return. */
export type Result = SingleResult | FleetResult

/** True for the document of a command that could not start. */
export function isError(result: Result): result is ErrorResult {
  return 'error' in result && !('steps' in result)
}

/** True for the document of a command that ran for many tenants. */
export function isFleet(result: Result): result is FleetResult {
  return 'tenants' in result && 'groups' in result
}
