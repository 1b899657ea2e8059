import { errorHints, type ErrorCode } from '../errors.js'
import { activityTexts } from './help/activity.js'
import { runErrorTexts } from './help/error-runs.js'
import { profileErrorTexts } from './help/errors.js'
import { doctorTexts } from './help/doctor.js'
import type { ErrorText, Explanation } from './help/explanation.js'
import { hazardTexts } from './help-hazards.js'
import { indexTexts } from './help/indexes.js'
import { poolTexts } from './help/pools.js'
import { poolerTexts } from './help/poolers.js'
import { queryTexts } from './help/queries.js'
import { queryRunTexts } from './help/query-runs.js'
import { serviceTexts } from './help/services.js'
import { twinTexts } from './help/twin.js'

/** What kind of thing a code stands for, as a heading. */
export type CodeKind =
  | 'errors'
  | 'hazards'
  | 'findings about indexes'
  | 'findings about queries'
  | 'findings of check-pool'
  | 'checks of doctor'

export interface KnownCode extends Explanation {
  readonly code: string
  readonly kind: CodeKind
}

const errors: Readonly<Record<ErrorCode, ErrorText>> = { ...profileErrorTexts, ...runErrorTexts }

/** Every code with its explanation, in the order in which they are listed; one that is a finding and an error is listed as the finding. */
export const knownCodes: ReadonlyMap<string, KnownCode> = new Map(
  [
    ...ofKind('errors', errorExplanations()),
    ...ofKind('hazards', hazardTexts),
    ...ofKind('findings about indexes', indexTexts),
    ...ofKind('findings about queries', { ...queryTexts, ...queryRunTexts, ...activityTexts, ...twinTexts }),
    ...ofKind('findings of check-pool', { ...poolTexts, ...poolerTexts, ...serviceTexts }),
    ...ofKind('checks of doctor', doctorTexts),
  ].map((known) => [known.code, known]),
)

function ofKind(kind: CodeKind, texts: Readonly<Record<string, Explanation>>): readonly KnownCode[] {
  return Object.entries(texts).map(([code, text]) => ({ ...text, code, kind }))
}

/** The hint of errors.ts as a sentence. */
function errorExplanations(): Readonly<Record<string, Explanation>> {
  return Object.fromEntries(
    Object.entries(errorHints).flatMap(([code, hint]) => {
      const text = Object.entries(errors).find(([name]) => name === code)?.[1]
      const todo = `${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`
      return text === undefined ? [] : [[code, { ...text, todo }]]
    }),
  )
}
