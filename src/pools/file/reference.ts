import { keyDescriptions } from './key-descriptions.js'
import { driverReference } from '../sums/drivers.js'
import { platforms } from '../sums/platforms.js'
import { poolerKinds } from '../sums/pooler-kinds.js'
import { runtimes } from '../sums/runtimes.js'

/** `perfdb help pools`: every key of a pools file, and what poolers, runtimes, platforms and drivers do by default, each with its source. */
export function poolsReference(): string {
  const keys = Object.entries(keyDescriptions).map(([key, text]) => `  ${key}\n      ${text}`)
  const table = (title: string, rows: readonly (readonly [name: string, source: string])[]) =>
    [`\n${title}`, ...rows.map(([name, source]) => `  ${name}\n      ${source}`)].join('\n')
  const sources = (kinds: Readonly<Record<string, { readonly source: string }>>) =>
    Object.entries(kinds).map(([name, { source }]) => [name, source] as const)
  return `${[
    'Keys of a pools file (* stands for a name of yours, [] for a member of a list):',
    ...keys,
    table('poolers.*.kind, and its defaults', sources(poolerKinds)),
    table('services.*.runtime.kind, and its defaults', sources(runtimes)),
    table('services.*.deploy.platform, and its default rollout', sources(platforms)),
    table('services.*.pool.driver, and its defaults', driverReference()),
  ].join('\n')}\n`
}
