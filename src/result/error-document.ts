import type { PerfdbError, Problem } from '../errors.js'
import type { ErrorResult } from './documents/result.js'
import { perfdbVersion } from './version.js'

/** An error as the document that `--format json` prints. */
export function errorDocument(error: PerfdbError, command: string, exitCode: number): ErrorResult {
  const problems = error.problems.length > 1 ? { problems: error.problems.map(fields) } : {}
  return { perfdb: perfdbVersion(), ok: false, exit_code: exitCode, command, error: { ...fields(error), ...problems } }
}

function fields({
  code,
  message,
  detail,
  hint,
  sqlstate,
  place,
}: Pick<Problem, 'code' | 'message' | 'detail' | 'hint' | 'sqlstate' | 'place'>) {
  return {
    code,
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    ...(place === undefined ? {} : { place: { ...place } }),
  }
}
