import { isErrorCode, type ErrorCode, type Problem } from '../errors.js'
import { knownKeys } from './known-keys.js'
import { nearest, suggestion } from '../text/nearest.js'
import type { Path, Spot } from './places.js'
import type { z } from './schema.js'
import { shownValue } from './units.js'

type Issue = z.core.$ZodIssue

/** What the messages need to know of the file: where a path leads, and what stands there as it may be shown. */
export interface Source {
  readonly spotAt: (path: Path) => Spot
  readonly placeOf: (path: Path, part?: 'key' | 'value') => Problem['place']
  readonly show: (path: Path) => string
}

/**
 * zod's issues in the words of the file: UNKNOWN_KEY with the nearest known key, BAD_VALUE for the rest. A missing key
 * is not reported where an unknown one is plainly that key misspelt.
 */
export function problemsOf(issues: readonly Issue[], schema: z.core.$ZodType, source: Source): readonly Problem[] {
  const flat = issues.flatMap((issue) => flatten(issue))
  const meant = new Set<string>()
  const unknown = flat.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? unknownKeys(issue, schema, source, (path) => meant.add(label(path))) : [],
  )
  const rest = flat
    .filter((issue) => issue.code !== 'unrecognized_keys' && !meant.has(label(pathOf(issue))))
    .map((issue) => badValue(issue, source))
  return byPlace([...unknown, ...rest])
}

/** The problems of one file from top to bottom. */
export function byPlace(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
  )
}

/** The issues of the union member that was meant: the one whose kind of value is there, and that knows most of its keys. Paths are made whole. */
export function flatten(issue: Issue, before: readonly PropertyKey[] = []): readonly Issue[] {
  const path = [...before, ...issue.path]
  if (issue.code !== 'invalid_union') return [{ ...issue, path }]
  const matching = issue.errors.filter((branch) => !branch.some(rejectsKind))
  const [meant] = matching.toSorted((a, b) => foreignKeys(a) - foreignKeys(b) || a.length - b.length)
  return meant === undefined ? [{ ...issue, path }] : meant.flatMap((inner) => flatten(inner, path))
}

function foreignKeys(branch: readonly Issue[]): number {
  return branch.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []))
    .length
}

export function pathOf(issue: Issue): Path {
  return issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
}

function rejectsKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

function unknownKeys(
  issue: z.core.$ZodIssueUnrecognizedKeys,
  schema: z.core.$ZodType,
  source: Source,
  mean: (path: Path) => void,
): readonly Problem[] {
  const parent = pathOf(issue)
  const known = knownKeys(schema, parent)
  return issue.keys.map((key) => {
    // Of several forms of a map another one may have it.
    const misplaced = known.includes(key)
    const near = misplaced ? undefined : (synonym(key, known)?.split('.')[0] ?? nearest(key, known))
    // A check of the map as a whole would miss the same key.
    if (near !== undefined) [parent, [...parent, near]].forEach(mean)
    return {
      code: 'UNKNOWN_KEY',
      message: misplaced
        ? `the key "${key}" does not go with the other keys here`
        : !wordLike.test(key)
          ? 'unknown key'
          : `unknown key "${key}"${synonym(key, known) === undefined ? suggestion(key, known) : `; did you mean ${synonym(key, known)}?`}`,
      hint: known.length === 0 ? 'remove it' : `known keys here: ${known.join(', ')}`,
      place: source.placeOf([...parent, key], 'key'),
    }
  })
}

/** What people write first, and the key that means it: the first part of it has to be known at the place. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  replicas: ['instances'],
  count: ['instances'],
  pool_size: ['max', 'pool.max', 'default_pool_size'],
  max_pool_size: ['max', 'pool.max', 'default_pool_size'],
  size: ['max', 'pool.max', 'default_pool_size'],
  workers: ['runtime.workers', 'processes'],
  processes: ['runtime.processes'],
  threads: ['runtime.threads'],
  concurrency: ['runtime.concurrency'],
  driver: ['pool.driver'],
  pooler: ['via'],
  user: ['role'],
  mode: ['pool_mode'],
}

function synonym(key: string, known: readonly string[]): string | undefined {
  return known.includes(key) ? undefined : synonyms[key]?.find((one) => known.includes(one.split('.')[0] ?? ''))
}

function badValue(issue: Issue, source: Source): Problem {
  const path = pathOf(issue)
  const name = label(path)
  const absent = path.length > 0 && !source.spotAt(path).found
  if (absent && issue.code !== 'custom') {
    const parent = label(path.slice(0, -1))
    const message = `${parent === '' ? '' : `${parent}: `}the key "${String(path.at(-1))}" is missing`
    const [only, ...others] = issue.code === 'invalid_value' ? issue.values : []
    const hint = only === undefined || others.length > 0 ? {} : { hint: `add ${String(path.at(-1))}: ${String(only)}` }
    return { code: 'BAD_VALUE', message, place: source.placeOf(path.slice(0, -1)), ...hint }
  }
  const shown = source.show(path)
  const message = `${name === '' ? '' : `${name}: `}${sentence(issue, shown)}`
  const hint = hintOf(issue, shown)
  return { code: codeOf(issue), message, place: source.placeOf(path), ...(hint === undefined ? {} : { hint }) }
}

/** A check of a schema may give a code of its own: `.refine(..., { params: { code: 'NAME_TOO_LONG' } })`. */
function codeOf(issue: Issue): ErrorCode {
  const code: unknown = issue.code === 'custom' ? issue.params?.['code'] : undefined
  return isErrorCode(code) ? code : 'BAD_VALUE'
}

function sentence(issue: Issue, shown: string): string {
  if (!/^(Invalid|Too small|Too big|Unrecognized)/.test(issue.message))
    return issue.message.replaceAll(shownValue, shown.replace(/^"(.*)"$/, '$1'))
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kinds[issue.expected] ?? issue.expected}, found ${shown}`
    case 'invalid_value':
      return oneOf(issue.values.map(String), shown, isQuoted(issue.values, shown))
    case 'invalid_union':
      return `expected ${expectedOf(issue.errors)}, found ${shown}`
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string') return 'must not be empty'
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, found ${shown}`
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}, found ${shown}`
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'not a usable key'
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'unrecognized_keys':
    case 'custom':
      return `not usable: ${shown}`
  }
}

/** `version: "1"` */
function isQuoted(values: readonly unknown[], shown: string): boolean {
  return values.some((value) => typeof value !== 'string' && shown === `"${String(value)}"`)
}

function oneOf(values: readonly string[], shown: string, quoted: boolean): string {
  const near = shown.startsWith('"') && !quoted ? nearest(shown.slice(1, -1), values) : undefined
  const meant = near === undefined ? '' : `: did you mean "${near}"?`
  return values.length > longList ? `not known: ${shown}${meant}` : `expected ${either(values)}, found ${shown}${meant}`
}

function expectedOf(branches: readonly (readonly Issue[])[]): string {
  const words = branches.flat().flatMap((issue) => {
    if (issue.code === 'invalid_type') return [kinds[issue.expected] ?? issue.expected]
    return issue.code === 'invalid_value' ? issue.values.map(String) : []
  })
  return words.length === 0 ? 'another value' : either([...new Set(words)])
}

function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  null: 'null',
}

/** More words than that do not fit into the one line of a message: they go into the hint. */
const longList = 6

function hintOf(issue: Issue, shown: string): string | undefined {
  if (issue.code === 'invalid_value' && isQuoted(issue.values, shown)) return 'write it without quotes'
  if (issue.code === 'invalid_value' && issue.values.length > longList) return `known: ${issue.values.join(', ')}`
  if (issue.code === 'invalid_type' && issue.expected === 'string' && /^(-?[\d.]|true|false)/.test(shown))
    return 'put it in quotes'
  if (issue.code === 'invalid_type' && shown === 'nothing') return 'remove the key, or give it a value'
  const word = /^"(.*)"$/.exec(shown)?.[1]
  if (word !== undefined && takesList(issue)) return `write it as a list: [${word}]`
  // As in YAML 1.1.
  if (
    word !== undefined &&
    issue.code === 'invalid_type' &&
    issue.expected === 'boolean' &&
    /^(yes|on|no|off)$/i.test(word)
  )
    return `write ${/^(yes|on)$/i.test(word)}`
  return undefined
}

function takesList(issue: Issue): boolean {
  if (issue.code === 'invalid_union') return issue.errors.flat().some((one) => one.path.length === 0 && takesList(one))
  return issue.code === 'invalid_type' && issue.expected === 'array'
}

function label(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )
}

/** What looks like no key of anybody's is not repeated: the file may be any, such as one that a saved plan names. */
const wordLike = /^[\p{L}\p{N}_ .-]{1,63}$/u
