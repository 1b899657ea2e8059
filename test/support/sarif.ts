import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { z } from '../../src/yaml/schema.js'

/**
 * What the schema of SARIF 2.1.0 says against a log; empty when it is one. The fixture is the schema of OASIS (rtm.5), as the npm package
 * @microsoft/jest-sarif 1.0.0-beta.0 (MIT) carries it.
 */
export const sarifProblems = validator()

const finding = z.looseObject({
  ruleId: z.string(),
  level: z.string(),
  message: z.looseObject({ text: z.string() }),
  locations: z.array(
    z.looseObject({
      physicalLocation: z.looseObject({
        artifactLocation: z.looseObject({ uri: z.string() }),
        region: z.looseObject({ startLine: z.int() }),
      }),
    }),
  ),
  partialFingerprints: z.record(z.string(), z.string()),
})
const log = z.looseObject({ runs: z.array(z.looseObject({ results: z.array(finding) })) })

/** The findings of a log, each with its rule, place and fingerprint. */
export function sarifFindings(text: string) {
  return log
    .parse(JSON.parse(text))
    .runs.flatMap(({ results }) => results)
    .map(({ ruleId, level, locations: [location], partialFingerprints }) => ({
      rule: ruleId,
      level,
      file: location?.physicalLocation.artifactLocation.uri,
      line: location?.physicalLocation.region.startLine,
      hash: Object.values(partialFingerprints).join(),
    }))
}

function validator(): (text: string) => readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../fixtures/sarif-2.1.0.json'), 'utf8')
  // The schema is of draft 4, where `id` is what later drafts call `$id`, and one of its patterns is none in Unicode mode.
  const { id: _, $schema: __, ...schema } = z.looseObject({}).parse(JSON.parse(text))
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
  formats.default(ajv)
  const check = ajv.compile(schema)
  return (source) =>
    check(JSON.parse(source))
      ? []
      : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`)
}
