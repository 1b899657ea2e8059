import { readFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from '../../src/yaml/schema.js'
import { planFindings } from '../../src/measure/rules/findings.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'

/*
 * Query plans that real servers made (make.test.ts), each with the findings it must raise; any other finding is a false one,
 * except those of `may`, which depend on the machine. What must be raised was judged by reading the query, not the rules.
 */
const codes = z.array(z.string()).optional()
const casesSchema = z.array(
  z.object({
    name: z.string(),
    sql: z.string(),
    must: z.array(z.string()),
    mustBelow18: codes,
    must18: codes,
    // Of Debian's 15 only, for the embedded servers are built without LLVM.
    mustWithLlvm: codes,
    may: codes,
  }),
)
const gallerySchema = z.object({
  version_num: z.number(),
  plans: z.array(z.object({ name: z.string(), plan: z.unknown() })),
})

const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(new URL(file, import.meta.url), 'utf8'))
const cases = casesSchema.parse(await read('cases.json'))
const tally = { right: 0, wrong: 0, missed: 0, plans: 0 }

describe.each(['14', '15-llvm', '16', '18'] as const)('query plans of PostgreSQL %s', async (made) => {
  const gallery = gallerySchema.parse(await read(`gallery-${made}.json`))
  const here = made === '15-llvm' ? cases.filter(({ mustWithLlvm }) => mustWithLlvm !== undefined) : cases

  test('one for each case', () => {
    expect(gallery.plans.map(({ name }) => name)).toEqual(here.map(({ name }) => name))
  })

  test.each(gallery.plans)('$name', ({ name, plan }) => {
    const one = cases.find((each) => each.name === name)
    const queryPlan = readQueryPlan([plan])
    if (one === undefined || queryPlan === null) throw new Error(`no case or no query plan: ${name}`)
    const times = { medianPlanningMs: queryPlan.planningMs, medianExecutionMs: queryPlan.executionMs ?? 0 }
    const found = planFindings(
      { plan: queryPlan, versionNum: gallery.version_num, ...times },
      { name, place: { file: 'cases.json', line: 1, column: 1 } },
    )
    const raised: readonly string[] = [...new Set(found.map(({ code }) => code))]
    const must: readonly string[] = [
      ...one.must,
      ...((made === '18' ? one.must18 : one.mustBelow18) ?? []),
      ...(made === '15-llvm' ? (one.mustWithLlvm ?? []) : []),
    ]
    const wrong = raised.filter((code) => !must.includes(code) && one.may?.includes(code) !== true)
    const missed = must.filter((code) => !raised.includes(code))
    tally.plans += 1
    tally.right += must.length - missed.length
    tally.wrong += wrong.length
    tally.missed += missed.length
    for (const finding of found) {
      expect(finding.message).not.toMatch(/undefined|NaN|Infinity/)
      expect(finding.hint, finding.code).toBeTruthy()
    }
    expect({ wrong, missed }).toEqual({ wrong: [], missed: [] })
  })
})

afterAll(() => {
  const { right, wrong, missed, plans } = tally
  const share = (of: number) => `${((100 * right) / Math.max(1, of)).toFixed(1)} %`
  process.stdout.write(
    `gallery: ${plans} query plans, ${right} findings right, ${wrong} wrong, ${missed} missed: precision ${share(right + wrong)}, recall ${share(right + missed)}\n`,
  )
})
