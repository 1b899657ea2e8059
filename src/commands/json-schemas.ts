import { poolsSchema } from '../pools/schema.js'
import { profileSchema } from '../profile/schema.js'
import { z } from '../yaml/schema.js'
import { initResult } from './init-result.js'
import { importResult } from './import-result.js'
import { poolResult } from './pool-result.js'
import { applyResult, errorResult, explainResult, planResult, statusResult, verifyResult } from './result.js'

/**
 * The JSON Schemas that perfdb publishes, by file name below profiles/: what people write (profile, pools) and what
 * `--format json` prints (result). Draft 7, which the YAML language server of editors reads. Objects that perfdb prints
 * stay open, since keys may be added.
 */
export function jsonSchemas(): ReadonlyMap<string, string> {
  const documents = [
    planResult,
    verifyResult,
    applyResult,
    explainResult,
    statusResult,
    poolResult,
    initResult,
    importResult,
    errorResult,
  ]
  return new Map([
    ['profile.schema.json', textOf(profileSchema)],
    ['pools.schema.json', textOf(poolsSchema.meta({ title: 'perfdb pool config' }))],
    ['result.schema.json', textOf(z.union(documents).meta({ title: 'perfdb --format json' }))],
  ])
}

function textOf(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }), null, 2)}\n`
}
