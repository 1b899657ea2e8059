import type { AdviseResult } from './advise-result.js'
import type { CompareResult } from './compare-result.js'
import type { DemoResult } from './demo-result.js'
import type { FleetResult } from './fleet-result.js'
import type { ConfigResult } from './config-result.js'
import type { DoctorResult } from './doctor-result.js'
import type { HistoryResult } from './history-result.js'
import type { InitResult } from './init-result.js'
import type { ImportResult } from './import-result.js'
import type { LoadResult } from './load-result.js'
import type { StatisticsResult } from './statistics-result.js'
import type { PoolResult } from './pool-result.js'
import type { ApplyResult, ErrorResult, ExplainResult, PlanResult, StatusResult, VerifyResult } from './result.js'

/** Every document of one database, or of none. */
export type SingleResult =
  | PlanResult
  | VerifyResult
  | ApplyResult
  | ExplainResult
  | StatusResult
  | HistoryResult
  | PoolResult
  | DemoResult
  | ImportResult
  | InitResult
  | ConfigResult
  | CompareResult
  | StatisticsResult
  | AdviseResult
  | LoadResult
  | DoctorResult
  | ErrorResult

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
