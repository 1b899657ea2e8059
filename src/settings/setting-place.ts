import { PerfdbError, problemsError, type ErrorCode, type Problem } from '../errors.js'
import type { Config } from './config.js'

/** For `catch`: what a setting of perfdb.yaml names and is not there, or cannot be read, gets the place of that setting. */
export function withSettingPlace(key: string, { given }: Config): (error: unknown) => never {
  const place = given.get(key)?.place
  return (error) => {
    if (!(error instanceof PerfdbError) || place === undefined) throw error
    const placed = (problem: Problem): Problem =>
      problem.place === undefined && ofSettings.has(problem.code) ? { ...problem, place } : problem
    const { code, message, detail, hint, sqlstate } = error
    const [first = { code, message, detail, hint, sqlstate, place: error.place }, ...rest] = error.problems
    throw problemsError([placed(first), ...rest.map(placed)])
  }
}

const ofSettings: ReadonlySet<ErrorCode> = new Set([
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
  'NO_PROFILE',
  'BAD_URL',
  'UNKNOWN_URL_PARAMETER',
])
