import { basename } from 'node:path'
import { groupBy } from '../sums/demand.js'
import { yamlKey } from '../../text/yaml-key.js'
import type { Size } from './suggest.js'

/** Sizes as YAML to paste, under the keys of the file and for each file; sizes that stay are left out. */
export function suggestionYaml(sizes: readonly Size[]): string {
  const files = groupBy(
    sizes.filter(({ from, to }) => from !== to),
    ({ of }) => of.place.file,
  )
  return [...files].map(([file, own]) => [`# ${file}`, ...sectionLines(own)].join('\n')).join('\n')
}

function sectionLines(sizes: readonly Size[]): readonly string[] {
  const services = sizes.filter(({ of }) => 'pool' in of)
  const poolers = sizes.filter(({ of }) => !('pool' in of))
  return [
    ...(services.length === 0 ? [] : ['services:', ...services.flatMap(serviceLines)]),
    ...(poolers.length === 0 ? [] : ['poolers:', ...poolers.flatMap(poolerLines)]),
  ]
}

function serviceLines(size: Size): readonly string[] {
  const { of, from, to } = size
  const pool = 'pool' in of ? of.pool : null
  const policy = pool !== null && pool.policyFactor !== null ? ' by its policy, which goes' : ''
  return [
    `  ${keyOf(size)}:`,
    '    pool:',
    `      max: ${to} # was ${from}${policy}`,
    ...(pool !== null && pool.min > to ? [`      min: ${to} # was ${pool.min}`] : []),
  ]
}

function poolerLines(size: Size): readonly string[] {
  return [`  ${keyOf(size)}:`, `    ${size.key}: ${size.to} # was ${size.from}`]
}

/** The name as its own file writes it: names of several files carry theirs. */
function keyOf({ name, of }: Size): string {
  const suffix = ` (${basename(of.place.file)})`
  return yamlKey(name.endsWith(suffix) ? name.slice(0, -suffix.length) : name)
}
