import { errorHints } from '../errors.js'
import { poolRules } from './sarif-rules-pool.js'
import { queryRules } from './sarif-rules-query.js'

/** What a code means, and what to do about it. */
export interface RuleTexts {
  readonly text: string
  readonly help: string
}

/** The texts of a finding's, hazard's or error's code; of one that is not known here something that is still true. */
export function ruleTexts(code: string): RuleTexts {
  return known.get(code) ?? { text: `finding ${code}`, help: 'The message of the finding says what was found.' }
}

type Pairs = Readonly<Record<string, readonly [text: string, help: string]>>

const indexRules: Pairs = {
  MISSING: ['a declared index does not exist', 'perfdb apply builds it concurrently.'],
  INVALID: [
    'an index exists that no query uses',
    'A concurrent build that was stopped leaves an index that is not valid, and still costs every write. perfdb apply drops it and builds it again.',
  ],
  DIFFERS: [
    'an index has another definition than the declared one',
    'Change the profile to what exists, or let perfdb apply --allow REPLACE build the declared one beside it and swap the names.',
  ],
  RENAMED: [
    'the declared index exists under another name',
    'Use that name in the profile, or let perfdb apply --allow RENAME rename it.',
  ],
  BUILDING: ['an index is being built', 'It is not valid yet. perfdb status shows the build and what it waits for.'],
  DUPLICATE: ['two indexes are the same', 'Each write pays twice and no query gains. Drop one of them.'],
  REDUNDANT: [
    'an index serves nothing that a wider one does not serve',
    'Its keys are the first keys of the other. Drop it, unless it is much smaller and its queries need that.',
  ],
  UNUSED: ['an index is not used', 'The statistics count no scan of it. Every write keeps it up; drop it.'],
  UNDECLARED: [
    'an index is in no profile',
    'perfdb import writes it into a profile; or drop it when nothing needs it.',
  ],
  UNWANTED: ['an index exists that must not', 'perfdb apply --allow DROP drops it concurrently.'],
  NOT_USED: [
    'no declared query uses the index',
    'It was built and measured, and the planner chose another way. Remove it from the profile, or declare the query that needs it.',
  ],
  NOT_ANALYZED: ['a table was not analyzed', 'The planner works with old statistics: run ANALYZE for the table.'],
  NOT_REACHED: ['a step was not reached', 'Run perfdb apply again: it goes on from what the catalog says.'],
  DROP_REFUSED: [
    'an index cannot be dropped',
    'A constraint or a foreign key needs it. Drop or change that first, or declare the index.',
  ],
  REPLACE: ['hazard: an index is replaced', 'The old one goes away. To allow: perfdb apply --allow REPLACE.'],
  RENAME: ['hazard: an index is renamed', 'To allow: perfdb apply --allow RENAME.'],
  DROP: ['hazard: an index is dropped', 'To allow: perfdb apply --allow DROP. perfdb rollback builds it again.'],
  CREATE_EXTENSION: ['hazard: an extension is created', 'To allow: perfdb apply --allow CREATE_EXTENSION.'],
  HOT_LOSS: [
    'hazard: updates of the table lose HOT',
    'A column that is updated becomes a key: each such update then writes every index. To allow: perfdb apply --allow HOT_LOSS.',
  ],
  LARGE_BUILD: [
    'hazard: the index would be large',
    'Larger than --max-size or than the disk allows. To allow: perfdb apply --allow LARGE_BUILD.',
  ],
  UNIQUE_BUILD: [
    'hazard: a unique index is built',
    'The build fails when there are duplicates. To allow: perfdb apply --allow UNIQUE_BUILD.',
  ],
  LONG_TRANSACTION: [
    'hazard: an old transaction is open',
    'A concurrent build waits for it. End it, or allow it: perfdb apply --allow LONG_TRANSACTION.',
  ],
  WRITE_QUERY: [
    'a query that changes data was not measured',
    'It would be rolled back, but sequences advance and triggers run. To allow: --allow WRITE_QUERY.',
  ],
}

const errorRules: Pairs = Object.fromEntries(
  Object.entries(errorHints).map(([code, hint]) => [
    code,
    [`perfdb error ${code}`, `${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`] as const,
  ]),
)

const known: ReadonlyMap<string, RuleTexts> = new Map(
  Object.entries({ ...errorRules, ...indexRules, ...queryRules, ...poolRules }).map(([code, [text, help]]) => [
    code,
    { text, help },
  ]),
)
