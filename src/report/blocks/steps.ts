import type { PlanResult, ResultStep } from '../../result/documents/result.js'
import type { Tone } from '../block/block.js'
import { withThousands } from '../../text/amounts.js'
import type { Words } from '../block/outcomes.js'

export type StepKind = ResultStep['step']
export type Server = NonNullable<PlanResult['server']>

/** The sign of a step in front of its name. */
export const signs: Words<StepKind> = {
  create: '+',
  replace: '~',
  rebuild: '!',
  reindex: '!',
  keep: '=',
  adopt: '>',
  drop: '-',
  building: '.',
}

export const stepTones: Readonly<Record<StepKind, Tone>> = {
  create: 'good',
  replace: 'warn',
  rebuild: 'warn',
  reindex: 'warn',
  keep: 'quiet',
  adopt: 'warn',
  drop: 'bad',
  building: 'warn',
}

/** `3 to create`, `1 being built elsewhere`: what comes after the number. */
export const intents: Words<StepKind> = {
  create: 'to create',
  replace: 'to replace',
  rebuild: 'to rebuild',
  reindex: 'to reindex',
  keep: 'to keep',
  adopt: 'to rename',
  drop: 'to drop',
  building: 'being built elsewhere',
}

/** What verify found where a step would be needed. */
export const states: Words<StepKind> = {
  create: 'missing',
  replace: 'differs',
  rebuild: 'invalid',
  reindex: 'to reindex',
  keep: 'as declared',
  adopt: 'other name',
  drop: 'unwanted',
  building: 'being built',
}

/** `3 to create, 28 to keep`: how many of each, in the order of `kinds`, those that occur. */
export function tally<Kind extends string>(kinds: readonly Kind[], all: readonly Kind[], words: Words<Kind>): string {
  return kinds
    .map((kind) => ({ kind, number: all.filter((each) => each === kind).length }))
    .filter(({ number }) => number > 0)
    .map(({ kind, number }) => `${withThousands(number)} ${words[kind]}`)
    .join(', ')
}

export const stepOrder: readonly StepKind[] = [
  'create',
  'replace',
  'rebuild',
  'reindex',
  'adopt',
  'drop',
  'building',
  'keep',
]

/** `jobs`, or `schema.jobs` where the steps are of several schemas. */
export function tableNamer(steps: readonly ResultStep[]): (step: ResultStep) => string {
  const schemas = new Set(steps.map((step) => step.schema))
  return (step) =>
    schemas.size < 2 || step.table.startsWith(`${step.schema}.`) ? step.table : `${step.schema}.${step.table}`
}

/** `PostgreSQL 18.4, database shop on db:5432 as app` */
export function serverText(server: Server | undefined): string {
  if (server === undefined) return ''
  const version = server.version.startsWith('PostgreSQL') ? server.version : `PostgreSQL ${server.version}`
  const host = server.host.includes(':') ? `[${server.host}]` : server.host
  return `${version}, database ${server.database} on ${host}:${server.port} as ${server.user}`
}

/** A name quoted as PostgreSQL reads it; never throws, as a document may hold any text. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
