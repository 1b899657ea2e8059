import { expect, test } from 'vitest'
import { render } from '../../src/report/render.js'
import { z } from '../../src/yaml/schema.js'
import type { Result } from '../../src/result/results.js'
import * as documents from './documents.js'

// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
const report = z.array(
  z.strictObject({
    description: z.string().min(1),
    check_name: z.string().min(1),
    fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
    severity: z.enum(['info', 'minor', 'major', 'critical', 'blocker']),
    location: z.strictObject({
      path: z.string().regex(/^(?!\.\/).+/),
      lines: z.strictObject({ begin: z.int().min(1) }),
    }),
  }),
)

async function gitlab(result: Result) {
  return report.parse(JSON.parse(await render(result, 'gitlab', documents.narrow)))
}

test.each([
  ['plan', documents.planDocument],
  ['verify', documents.verifyDocument],
  ['failed apply', documents.applyFailed],
  ['explain', documents.explainDocument],
  ['pool', documents.poolDocument],
  ['error', documents.manyErrors],
])('%s: findings with a file, a line and a fingerprint of their own', async (_, result) => {
  const found = await gitlab(result)
  expect(found.length).toBeGreaterThan(0)
  expect(new Set(found.map(({ fingerprint }) => fingerprint)).size).toBe(found.length)
})

test('an empty report is a list, and the worst is critical', async () => {
  expect(await gitlab(documents.nothingToDo)).toEqual([])
  const [worst, ...rest] = await gitlab(documents.planDocument)
  expect(worst).toMatchObject({
    check_name: 'DIFFERS',
    severity: 'critical',
    location: { path: 'profiles/job-shop.yaml', lines: { begin: 14 } },
  })
  expect(new Set(rest.map(({ severity }) => severity))).toEqual(new Set(['minor', 'info']))
})
