import type { RunEvent } from '../../build/events.js'
import { type Result, isError, isFleet } from '../../result/results.js'

type Event = { readonly type: string } & Readonly<Record<string, unknown>>

/**
 * The document as one JSON object a line (https://jsonlines.org), each with a `type`, its members named as in `--format json`: `start`, then
 * `step`, `analyzed`, `query`, `comparison`, `price`, `write_cost`, `server`, `sample`, `run`, `build`, `claim`, `tenant`, `group`, `wave`, `finding` and `error`, one
 * line each, and `end` with `ok` and `exit_code`. The demo's lines hold those of apply, verify and check-pool with their own start and end.
 */
export function renderJsonLines(result: Result): string {
  return eventsOf(result).map(lineOf).join('')
}

/**
 * One event of a run under way as a line of type `progress`, before the lines of the result: what happened in `event` (stage, step_started,
 * step_progress, step_done, measured, warning), when in `at`, its members in snake_case, times in _ms, sizes in _bytes.
 */
export function progressLine({ type, ...members }: RunEvent, at: Date): string {
  const named = Object.entries(members).map(([name, value]): [string, unknown] => [snakeCase(name), value])
  return lineOf({
    type: 'progress',
    event: type.replaceAll('-', '_'),
    at: at.toISOString(),
    ...Object.fromEntries(named),
  })
}

function lineOf(event: Event): string {
  return `${JSON.stringify(event).replace(/[\u0085\u2028\u2029]/g, escapeOf)}\n`
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function eventsOf(result: Result): readonly Event[] {
  const { perfdb, command, ok, exit_code } = result
  const start: Event = { type: 'start', perfdb, command, ...aboutOf(result) }
  const duration = 'duration_ms' in result ? { duration_ms: result.duration_ms } : {}
  const end: Event = { type: 'end', command, ok, exit_code, ...duration }
  return [start, ...middleOf(result), end]
}

/** What is known at the beginning: everything of the document that is neither a list of events nor its end. */
function aboutOf(result: Result): Readonly<Record<string, unknown>> {
  const later = new Set(['perfdb', 'command', 'ok', 'exit_code', 'duration_ms', 'error', 'apply', 'verify', 'pools'])
  return Object.fromEntries(
    Object.entries(result).filter(([key, value]) => !later.has(key) && !(key in eventTypes && Array.isArray(value))),
  )
}

/** The lists of all documents, and the type of the line that each of their members becomes. */
const eventTypes: Readonly<Record<string, string>> = {
  claims: 'claim',
  steps: 'step',
  analyzed: 'analyzed',
  queries: 'query',
  comparisons: 'comparison',
  prices: 'price',
  write_costs: 'write_cost',
  servers: 'server',
  samples: 'sample',
  builds: 'build',
  runs: 'run',
  tenants: 'tenant',
  groups: 'group',
  waves: 'wave',
  findings: 'finding',
}

function middleOf(result: Result): readonly Event[] {
  const problems = 'error' in result && result.error !== undefined ? [{ type: 'error', ...result.error }] : []
  if (isError(result)) return problems
  const nested =
    !isFleet(result) && result.command === 'demo' ? [result.apply, result.verify, result.pools].flatMap(eventsOf) : []
  const members = new Map<string, unknown>(Object.entries(result))
  const listed = Object.entries(eventTypes).flatMap(([key, type]): Event[] => {
    const list = members.get(key)
    return Array.isArray(list) ? list.map((member: unknown) => ({ type, ...membersOf(member) })) : []
  })
  return [...listed, ...nested, ...problems]
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : { value }
}

/** What some readers take for the end of a line. */
function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
