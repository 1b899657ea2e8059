import { PerfdbError, type Problem } from '../errors.js'
import type { AsWritten } from '../profile/as-written.js'

/** Keys of documents whose texts hold, or quote, SQL. Names, by which results are read, stay what they are. */
const quoting: ReadonlySet<string> = new Set([
  'sql',
  'definition',
  'definition_before',
  'reason',
  'message',
  'detail',
  'hint',
  'conditions',
  'actual',
  'parameters',
  'node',
  'plan_signature',
])

/** A document with such texts as the profile has them. */
export function shownDocument<T>(document: T, shown: AsWritten): T
export function shownDocument(document: unknown, shown: AsWritten): unknown {
  if (Array.isArray(document)) return document.map((one) => shownDocument(one, shown))
  if (typeof document !== 'object' || document === null) return document
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [
      key,
      quoting.has(key) ? deep(value, shown) : shownDocument(value, shown),
    ]),
  )
}

function deep(value: unknown, shown: AsWritten): unknown {
  if (typeof value === 'string') return shown(value)
  return Array.isArray(value) ? value.map((one) => deep(one, shown)) : shownDocument(value, shown)
}

/** The same of an error, with all its problems. Anything but a PerfdbError comes back as it is. */
export function shownError(error: unknown, shown: AsWritten): unknown {
  if (!(error instanceof PerfdbError)) return error
  const { code, message, detail, hint, sqlstate, position, place, problems } = error
  const fields = {
    detail: detail === undefined ? undefined : shown(detail),
    hint: shown(hint),
    sqlstate,
    position,
    place,
  }
  const others = problems.map((problem): Problem => ({
    ...problem,
    message: shown(problem.message),
    ...(problem.detail === undefined ? {} : { detail: shown(problem.detail) }),
    ...(problem.hint === undefined ? {} : { hint: shown(problem.hint) }),
  }))
  return new PerfdbError(code, shown(message), fields, others)
}
