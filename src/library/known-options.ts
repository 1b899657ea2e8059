import { PerfdbError } from '../errors.js'
import { hazardCodes } from '../codes/hazard-codes.js'
import { suggestion } from '../text/nearest.js'

export type Command = 'plan' | 'verify' | 'apply' | 'explain' | 'checkPool' | 'rollback' | 'status'

/** Throws BAD_OPTION for what types would have told: an option that does not exist, or a value that it cannot have. */
export function checkOptions(command: Command, options: object): void {
  const kinds: Readonly<Record<string, Kind>> = { ...common, ...own[command] }
  for (const [name, value] of Object.entries(options)) {
    const kind = kinds[name]
    if (kind === undefined)
      throw new PerfdbError('BAD_OPTION', `${command} has no option ${name}${suggestion(name, Object.keys(kinds))}`, {
        hint: `known are ${Object.keys(kinds).join(', ')}`,
      })
    // Values are not shown: one may be a URL with a password.
    if (value !== undefined && !kind.fits(value))
      throw new PerfdbError('BAD_OPTION', `the option ${name} of ${command} must be ${kind.expected}`, {
        hint: 'see the types of perfdb',
      })
  }
}

interface Kind {
  readonly expected: string
  readonly fits: (value: unknown) => boolean
}

const text: Kind = { expected: 'a text', fits: (value) => typeof value === 'string' && value !== '' }
const flag: Kind = { expected: 'true or false', fits: (value) => typeof value === 'boolean' }
const amount: Kind = {
  expected: 'a number from 0 on',
  fits: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
}
const object: Kind = { expected: 'an object', fits: (value) => typeof value === 'object' && value !== null }
const files = listOf('paths and objects', (item) => text.fits(item) || object.fits(item))
const hazards = listOf(`hazards (${hazardCodes.join(', ')})`, (item) => hazardCodes.some((code) => code === item))

function count(least: number): Kind {
  return {
    expected: `a whole number from ${least} on`,
    fits: (value) => typeof value === 'number' && Number.isInteger(value) && value >= least,
  }
}

function oneOf(...words: readonly string[]): Kind {
  return { expected: `one of ${words.join(', ')}`, fits: (value) => words.some((word) => word === value) }
}

function listOf(what: string, fits: (item: unknown) => boolean): Kind {
  return { expected: `a list of ${what}`, fits: (value) => Array.isArray(value) && value.every(fits) }
}

const common = {
  url: text,
  load: text,
  environment: object,
  cwd: text,
  config: text,
  env: text,
  signal: { expected: 'an AbortSignal', fits: (value: unknown) => value instanceof AbortSignal },
  onEvent: { expected: 'a function', fits: (value: unknown) => typeof value === 'function' },
}
const profiles = { profiles: files, allow: hazards, prune: flag, maxWaitMs: amount, maxSizeBytes: amount }
const measuring = { samples: count(1), timeBudgetMs: amount }
const building = {
  retries: count(0),
  onQueue: oneOf('report', 'cancel-build', 'cancel-waiter'),
  onDisconnect: oneOf('cancel', 'finish'),
  window: text,
  maxLagMs: amount,
  lockWaitMs: amount,
}
const own: Readonly<Record<Command, Readonly<Record<string, Kind>>>> = {
  plan: { ...profiles, whatIf: flag },
  verify: profiles,
  apply: {
    ...profiles,
    ...measuring,
    ...building,
    plan: { expected: 'a plan or its file', fits: (value) => text.fits(value) || object.fits(value) },
    jobs: count(1),
    ledger: flag,
    measure: flag,
  },
  explain: {
    ...measuring,
    profiles: files,
    query: text,
    top: count(1),
    by: oneOf('total', 'mean', 'calls', 'io'),
    since: text,
    saveSnapshot: text,
    whatIf: flag,
    allow: hazards,
    statementTimeoutMs: amount,
    baseline: text,
    saveBaseline: text,
  },
  checkPool: {
    pools: files,
    offline: flag,
    failOn: oneOf('fail', 'warn'),
    whatIf: listOf('changes such as api.instances=6', (item) => text.fits(item)),
  },
  rollback: { ...building, run: count(1), maxWaitMs: amount },
  status: { runs: count(1) },
}
