import { isAlias, isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Place, Problem } from '../errors.js'
import { offsetOf, parseYaml, type YamlDocument } from './document/document.js'
import { substituteEnvironment, type Environment, type Filled, type Substitution } from './document/env.js'
import { byPlace, flatten, pathOf, problemsOf, type Source } from './issues.js'
import { spotAt, type Path } from './places.js'
import type { z } from './schema.js'

export interface YamlResult<T> {
  /** undefined when there is any problem. */
  readonly value: T | undefined
  /** What stands in the file, whatever the schema says of it; for checks that go on after a problem. */
  readonly plain: unknown
  readonly problems: readonly Problem[]
  /** The place of the value at a path (of the nearest parent where the path ends before), or of its key. */
  readonly placeOf: (path: Path, part?: 'key' | 'value') => Place
  /** A value as a message may show it: one that came from the environment as the `${NAME}` that stands in the file. */
  readonly show: (path: Path) => string
  readonly filled: readonly Filled[]
}

/**
 * Text of one YAML document -> value of the schema, with all problems at once and the place of every value. `${NAME}` is
 * taken from the environment; where the schema wants a number or a boolean a `${NAME}` alone may be one. Throws nothing:
 * problems are BAD_YAML, MISSING_ENVIRONMENT, UNKNOWN_KEY, BAD_VALUE, and codes that checks of the schema give.
 */
export function readYaml<T>(text: string, file: string, schema: z.ZodType<T>, environment: Environment): YamlResult<T> {
  const { yaml, problems } = parseYaml(text, file)
  const placeOf: YamlResult<T>['placeOf'] = (path, part = 'value') => {
    const spot = spotAt(yaml.document, path)
    return yaml.placeAt(offsetOf(part === 'key' && spot.found ? (spot.key ?? spot.value) : spot.value))
  }
  if (problems.length > 0)
    return { value: undefined, plain: undefined, problems, placeOf, show: () => 'a value', filled: [] }
  const substitution = substituteEnvironment(yaml, environment)
  const show = (path: Path) => shownNode(spotAt(yaml.document, path), substitution)
  const source = { spotAt: (path: Path) => spotAt(yaml.document, path), placeOf, show }
  const checked = validate(yaml, schema, substitution, source)
  const all = byPlace([...substitution.problems, ...checked.problems])
  return {
    value: all.length === 0 ? checked.value : undefined,
    plain: checked.plain,
    problems: all,
    placeOf,
    show,
    filled: substitution.filled,
  }
}

interface Checked<T> {
  readonly value?: T
  readonly plain?: unknown
  readonly problems: readonly Problem[]
}

function validate<T>(yaml: YamlDocument, schema: z.ZodType<T>, substitution: Substitution, source: Source): Checked<T> {
  const plain = plainValue(yaml)
  if ('problem' in plain) return { problems: [plain.problem] }
  // For a file of usual size the functions that zod generates take longer to compile than they save.
  const result = schema.safeParse(plain.value, { jitless: yaml.text.length < 200_000 })
  if (result.success) return { value: result.data, plain: plain.value, problems: [] }
  if (retype(result.error.issues, yaml, substitution, source)) return validate(yaml, schema, substitution, source)
  const news = result.error.issues
    .flatMap((issue) => flatten(issue))
    .filter((issue) => {
      const { value } = source.spotAt(pathOf(issue))
      return value === undefined || !substitution.unresolved.has(value)
    })
  return { plain: plain.value, problems: problemsOf(news, schema, source) }
}

/** An alias may be expanded 100 times at most, counted as yaml does: a "billion laughs" file is refused. */
function plainValue({ document, file }: YamlDocument): { value: unknown } | { problem: Problem } {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return { value }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return { problem: { code: 'BAD_YAML', message, place: { file, line: 1, column: 1 } } }
  }
}

/**
 * Turns values that are one `${NAME}` and nothing else into numbers and booleans where just that was expected, and
 * numbers of too many digits into the nearest that JavaScript has. True when one was turned: then the schema looks again.
 */
function retype(
  issues: readonly z.core.$ZodIssue[],
  yaml: YamlDocument,
  { written }: Substitution,
  source: Source,
): boolean {
  let turned = false
  for (const issue of issues.flatMap((issue) => flatten(issue))) {
    const { value: node } = source.spotAt(pathOf(issue))
    if (!isScalar(node) || typeof node.value !== 'string') continue
    const wanted = issue.code === 'invalid_type' ? issue.expected : issue.code === 'invalid_union' ? 'any' : ''
    const alone = /^\$\{\w+\}$/.test(written.get(node) ?? '')
    const number = alone && /^-?\d+(\.\d+)?$/.test(node.value) ? Number(node.value) : yaml.rounded.get(node)
    if (number !== undefined && /^(number|int|any)$/.test(wanted)) node.value = number
    else if (alone && /^(true|false)$/.test(node.value) && /^(boolean|any)$/.test(wanted))
      node.value = node.value === 'true'
    else continue
    turned = true
  }
  return turned
}

function shownNode({ value, key, found }: ReturnType<typeof spotAt>, { written }: Substitution): string {
  if (!found || value === undefined) return 'nothing'
  const original = written.get(value)
  if (original !== undefined) return shownText(original)
  return shownValue(value, isScalar(key) && /password|secret|token|dsn|ur[il]$/i.test(String(key.value)))
}

function shownValue(node: Node, secret: boolean): string {
  if (isMap(node)) return 'a map of keys'
  if (isSeq(node)) return 'a list'
  if (isAlias(node)) return `*${node.source}`
  if (!isScalar(node) || node.value === null) return 'nothing'
  if (secret) return 'a value that is not shown'
  return typeof node.value === 'string' ? shownText(node.value) : (node.source ?? 'a value')
}

/** A URL may hold a password wherever it stands. */
function shownText(text: string): string {
  if (text.includes('://')) return 'a URL'
  const line = text.replace(/\s+/g, ' ')
  return `"${line.length > 60 ? `${line.slice(0, 57)}...` : line}"`
}
