import { PerfdbError } from '../errors.js'
import { hazardCodes } from '../codes/hazard-codes.js'
import { attributeOf, rowsOf } from '../options/table.js'
import type { CommandName, OptionRow } from '../options/rows/row.js'
import { suggestion } from '../text/nearest.js'

export type FleetName = 'plan' | 'verify' | 'apply' | 'explain' | 'rollback' | 'status'
export type Command = FleetName | 'advise' | 'checkPool' | `fleet ${FleetName}`

/** Throws BAD_OPTION for what types would have told: an option that does not exist, or a value that it cannot have. */
export function checkOptions(command: Command, options: object): void {
  const kinds = kindsOf(command)
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

const common: Readonly<Record<string, Kind>> = {
  environment: object,
  cwd: text,
  signal: { expected: 'an AbortSignal', fits: (value: unknown) => value instanceof AbortSignal },
  onEvent: { expected: 'a function', fits: (value: unknown) => typeof value === 'function' },
}

/** What the command line takes as arguments, or only a program can give. */
const own: Readonly<Record<Command, Readonly<Record<string, Kind>>>> = {
  plan: { profiles: files },
  verify: { profiles: files },
  apply: {
    profiles: files,
    plan: { expected: 'a plan or its file', fits: (value) => text.fits(value) || object.fits(value) },
  },
  explain: { profiles: files },
  advise: { profiles: files },
  checkPool: { pools: files },
  rollback: { run: count(1) },
  status: {},
  'fleet plan': { profiles: files },
  'fleet verify': { profiles: files },
  'fleet apply': { profiles: files },
  'fleet explain': { profiles: files },
  'fleet rollback': { run: text },
  'fleet status': {},
}

/** The command whose options a function takes. */
export const commandNames: Readonly<Record<Command, CommandName>> = {
  plan: 'plan',
  verify: 'verify',
  apply: 'apply',
  explain: 'explain',
  advise: 'advise',
  checkPool: 'check-pool',
  rollback: 'rollback',
  status: 'status',
  'fleet plan': 'plan',
  'fleet verify': 'verify',
  'fleet apply': 'apply',
  'fleet explain': 'explain',
  'fleet rollback': 'rollback',
  'fleet status': 'status',
}

/** What a function takes of the options of its command. */
export function rowsFor(command: Command): readonly OptionRow[] {
  const tenants = command.startsWith('fleet ') || command === 'checkPool'
  return rowsOf(commandNames[command]).filter((row) => !row.commandLineOnly || (tenants && row.group === 'Tenants:'))
}

/** `maxWaitMs`, `maxSizeBytes`, `jobs`: a number has its unit in its name. */
export function libraryNameOf(row: OptionRow): string {
  const unit = row.read === 'duration' ? 'Ms' : row.read === 'size' ? 'Bytes' : ''
  return `${attributeOf(row)}${unit}`
}

function kindsOf(command: Command): Readonly<Record<string, Kind>> {
  const rows = rowsFor(command)
  return {
    ...common,
    ...Object.fromEntries(rows.map((row) => [libraryNameOf(row), kindOf(row)])),
    ...own[command],
  }
}

function kindOf({ read, least = 1, words = [] }: OptionRow): Kind {
  switch (read) {
    case 'flag':
      return flag
    case 'duration':
    case 'seconds':
    case 'size':
    case 'number':
      return amount
    case 'count':
      return count(least)
    case 'words':
      return oneOf(...words)
    case 'hazards':
      return hazards
    case 'texts':
      return listOf('changes such as api.instances=6', (item) => text.fits(item))
    case 'text':
    case 'command':
    case 'file':
    case 'folder':
    case 'window':
    case 'format':
    case 'reports':
      return text
  }
}
