import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { queryFindingCodes } from '../../src/codes/finding-codes.js'
import { errorHints } from '../../src/errors.js'
import { hazardCodes } from '../../src/codes/hazard-codes.js'
import { render } from '../../src/report/render.js'
import { ruleTexts } from '../../src/report/machine/sarif-rules.js'
import { fileUri } from '../../src/report/machine/uri.js'
import { z } from '../../src/yaml/schema.js'
import type { Result } from '../../src/result/results.js'
import * as documents from './documents.js'

const { homepage } = z
  .looseObject({ homepage: z.url() })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')))
const message = z.strictObject({ text: z.string() })
const count = z.int().min(1)
/*
 * What perfdb uses of SARIF 2.1.0, strictly: the schema of the standard (draft-04) with what is required, the closed enumerations and no unknown
 * property. The documents of this folder were also checked against sarif-2.1.0-rtm.5.json of OASIS.
 */
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.literal('perfdb'),
            version: z.string(),
            informationUri: z.literal(homepage.replace('#readme', '')),
            rules: z.array(
              z.strictObject({
                id: z.string(),
                name: z.string(),
                shortDescription: message,
                fullDescription: message,
                help: z.strictObject({ text: z.string().min(5), markdown: z.string().min(5) }),
              }),
            ),
          }),
        }),
        automationDetails: z.strictObject({ id: z.string() }),
        invocations: z.array(z.strictObject({ executionSuccessful: z.boolean(), exitCode: z.int() })),
        originalUriBaseIds: z.strictObject({ SRCROOT: z.strictObject({ description: message }) }),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
        results: z.array(
          z.strictObject({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level: z.enum(['none', 'note', 'warning', 'error']),
            message,
            locations: z.tuple([
              z.strictObject({
                physicalLocation: z.strictObject({
                  artifactLocation: z.strictObject({ uri: z.string().min(1), uriBaseId: z.string().optional() }),
                  region: z.strictObject({ startLine: count, startColumn: count.optional() }),
                }),
                logicalLocations: z.array(z.strictObject({ name: z.string(), kind: z.string() })).optional(),
              }),
            ]),
            partialFingerprints: z.record(z.string().regex(/^[\w-]+\/v\d+$/), z.string().regex(/^[0-9a-f]{32}$/)),
          }),
        ),
      }),
    )
    .length(1),
})

async function run(result: Result) {
  const log = sarif.parse(JSON.parse(await render(result, 'sarif', documents.narrow)))
  const [only] = log.runs
  if (only === undefined) throw new Error('no run')
  for (const each of only.results) expect(only.tool.driver.rules[each.ruleIndex]?.id).toBe(each.ruleId)
  const hashes = only.results.map((each) => each.partialFingerprints['perfdbFinding/v1'])
  expect(new Set(hashes).size).toBe(hashes.length)
  return { ...only, hashes }
}

test.each([
  ['plan', documents.planDocument, 3],
  ['long plan', documents.longPlan, 0],
  ['verify', documents.verifyDocument, 1],
  ['apply', documents.applyDocument, 0],
  ['failed apply', documents.applyFailed, 4],
  ['explain', documents.explainDocument, 2],
  ['status', documents.statusDocument, 0],
  ['pool', documents.poolDocument, 1],
  ['error', documents.errorDocument, 1],
  ['many errors', documents.manyErrors, 2],
] as const)('%s: a log of the shape that SARIF 2.1.0 wants', async (name, result, errors) => {
  const { results } = await run(result)
  const found = results.filter(({ level }) => level === 'error').length
  // Of a plan a hazard is a warning: only its finding is an error.
  if (name === 'plan') expect(found).toBe(1)
  else if (name === 'verify') expect(found).toBeGreaterThanOrEqual(errors)
  else expect(found).toBe(errors)
})

test('severities are levels, places are relative files with line and column', async () => {
  const { results } = await run(documents.planDocument)
  const [differs] = results
  expect(differs).toMatchObject({ ruleId: 'DIFFERS', level: 'error' })
  expect(differs?.locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'profiles/job-shop.yaml', uriBaseId: 'SRCROOT' },
    region: { startLine: 14, startColumn: 5 },
  })
  expect(results.find(({ ruleId }) => ruleId === 'UNDECLARED')?.level).toBe('note')
  expect(results.find(({ ruleId }) => ruleId === 'LARGE_BUILD')?.level).toBe('warning')
})

test('a finding of no place goes to a file that the document names, and says what it is about', async () => {
  const { results } = await run(documents.planDocument)
  const [location] = results.find(({ ruleId }) => ruleId === 'UNDECLARED')?.locations ?? []
  expect(location?.physicalLocation.artifactLocation.uri).toBe('profiles/job-shop.yaml')
  expect(location?.logicalLocations).toEqual([
    { name: 'jobs', kind: 'table' },
    { name: 'jobs_legacy_idx', kind: 'index' },
  ])
  const nameless = await run({ ...documents.applyFailed, findings: [] })
  expect(nameless.results[0]?.locations[0].physicalLocation.artifactLocation.uri).toBe('perfdb.yaml')
})

test('a fingerprint does not move with line or measured numbers, but with what the finding is about', async () => {
  const { hashes } = await run(documents.planDocument)
  const moved = documents.planDocument.findings.map((finding) => ({
    ...finding,
    message: `${finding.message} (now 17 %)`,
    ...(finding.place === undefined ? {} : { place: { ...finding.place, line: 99 } }),
  }))
  expect((await run({ ...documents.planDocument, findings: moved })).hashes).toEqual(hashes)
  const other = documents.planDocument.findings.map((finding) => ({ ...finding, index: 'other' }))
  expect((await run({ ...documents.planDocument, findings: other })).hashes[0]).not.toBe(hashes[0])
})

test('half a character is no text', async () => {
  const broken = { ...documents.errorDocument, error: { code: 'NO_TABLE', message: 'a\ud800', hint: '\udc00' } }
  const { results } = await run(broken)
  expect(results[0]?.message.text).toBe('a\ufffd\nHint: \ufffd')
})

test('brackets do not become links', async () => {
  const { results } = await run({ ...documents.errorDocument, error: { code: 'NO_TABLE', message: 'see [a](1) \\' } })
  expect(results[0]?.message.text).toBe('see \\[a\\](1) \\\\')
})

test.each([
  ['a/b.yaml', 'a/b.yaml'],
  ['./a b/ü.yaml', 'a%20b/%C3%BC.yaml'],
  ['a:b.yaml', 'a%3Ab.yaml'],
  ['..\\x\\y.yaml', '../x/y.yaml'],
  ['/srv/p.yaml', 'file:///srv/p.yaml'],
  ['C:\\x\\p.yaml', 'file:///C:/x/p.yaml'],
  ['\ud800', '%EF%BF%BD'],
])('the URI of %j', (file, uri) => {
  expect(fileUri(file)).toBe(uri)
})

describe('every code has a text of its own', () => {
  // The codes of the JSON contract, beside those that the sources list.
  const contract =
    `MISSING INVALID DIFFERS RENAMED BUILDING DUPLICATE REDUNDANT UNUSED UNDECLARED NOT_USED EXPECTATION_MISSED
    POOL_OVER POOL_NEAR POOL_SURGE ROLE_LIMIT DATABASE_LIMIT UNDECLARED_CLIENTS POOLER_MISMATCH`.split(/\s+/)
  test.each([...contract, ...queryFindingCodes, ...hazardCodes, ...Object.keys(errorHints)])('%s', (code) => {
    expect(ruleTexts(code).text).not.toBe(`finding ${code}`)
    expect(ruleTexts(code).help).toMatch(/[.:)]$|\w$/)
  })
})
