import type { CompareResult } from './compare-result.js'
import type { DemoResult } from './demo-result.js'
import type { ConfigResult } from './config-result.js'
import type { DoctorResult } from './doctor-result.js'
import type { InitResult } from './init-result.js'
import type { ImportResult } from './import-result.js'
import type { PoolResult } from './pool-result.js'
import type { ApplyResult, ErrorResult, ExplainResult, PlanResult, StatusResult, VerifyResult } from './result.js'

/** Every document that a command can return. */
export type Result =
  | PlanResult
  | VerifyResult
  | ApplyResult
  | ExplainResult
  | StatusResult
  | PoolResult
  | DemoResult
  | ImportResult
  | InitResult
  | ConfigResult
  | CompareResult
  | DoctorResult
  | ErrorResult

/** True for the document of a command that could not start. */
export function isError(result: Result): result is ErrorResult {
  return 'error' in result && !('steps' in result)
}
