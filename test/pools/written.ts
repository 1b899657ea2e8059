import { completePools } from '../../src/pools/file/complete.js'
import { resolvePools } from '../../src/pools/file/resolve.js'
import { poolsSchema } from '../../src/pools/file/schema.js'
import type { PoolsFile } from '../../src/pools/sums/model.js'
import { readYaml } from '../../src/yaml/read.js'

/** A pools file from its text without `version`, complete and resolved. Throws for the first problem. */
export function estateOf(text: string): PoolsFile {
  const { value, problems, placeOf } = readYaml(`version: 1\n${text}`, 'test.pools.yaml', poolsSchema, {})
  if (value === undefined) throw new Error(problems[0]?.message)
  const complete = completePools('test.pools.yaml', value, [], (at) => placeOf(at, 'key'))
  const resolved = resolvePools([complete.value])
  const [file] = resolved.files
  const [problem] = [...complete.problems, ...resolved.problems]
  if (problem !== undefined || file === undefined) throw new Error(problem?.message)
  return file
}
