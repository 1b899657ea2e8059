import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { planSql } from '../../src/report/blocks/plan-sql.js'
import { render } from '../../src/report/render.js'
import { widthOf } from '../../src/report/text/width.js'
import { z } from '../../src/yaml/schema.js'
import { anyDocument, anyResult } from './arbitrary.js'
import { narrow } from './documents.js'
import { all, parseMarkup } from './markup.js'
import { commandSchemas, resultSchemas } from '../../src/result/schemas.js'
import { isError, isFleet } from '../../src/result/results.js'
import { formats, type Format } from '../../src/options/rows/formats.js'

const schemas = { ...commandSchemas, rollback: commandSchemas.apply }

test('law 8: JSON parses back equal and satisfies its schema', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const json = await render(result, 'json', narrow)
      expect(json.endsWith('}\n')).toBe(true)
      const parsed: unknown = JSON.parse(json)
      expect(parsed).toEqual(result)
      const schema = isError(result)
        ? resultSchemas.error
        : isFleet(result)
          ? resultSchemas.fleet
          : schemas[result.command]
      expect(schema.parse(parsed)).toEqual(result)
    }),
    { numRuns: 300 },
  )
})

test('law 8: text accepts every document, and no line is wider than the terminal', async () => {
  const layout = fc.record({
    width: fc.constantFrom(40, 60, 80, 120, 240),
    color: fc.constant(false),
    unicode: fc.boolean(),
    verbose: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(anyResult(), layout, async (result, layout) => {
      const text = await render(result, 'text', layout)
      expect(text.endsWith('\n')).toBe(true)
      // One expect for all lines: half a million of them took 20 s.
      const bad = text
        .slice(0, -1)
        .split('\n')
        .filter((line) => widthOf(line) > layout.width || /[\p{Cc}\p{Cf}]/u.test(line) || line !== line.trimEnd())
      expect(bad).toEqual([])
    }),
    { numRuns: 600 },
  )
})

test('law 8: colour is only escapes around the same text', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const painted = await render(result, 'text', { ...narrow, color: true })
      // eslint-disable-next-line no-control-regex
      expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(await render(result, 'text', narrow))
    }),
    { numRuns: 150 },
  )
})

test('law 8: markdown accepts every document; tables keep their columns, folds are closed', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const markdown = await render(result, 'markdown', narrow)
      expect(markdown.split('\n').filter((line) => line.startsWith('<details>')).length).toBe(
        markdown.split('\n').filter((line) => line === '</details>').length,
      )
      let columns = 0
      for (const line of markdown.split('\n')) {
        const pipes = line.startsWith('| ') ? line.replaceAll(/\\./g, '').split('|').length : 0
        if (columns > 0 && pipes > 0) expect(pipes, line).toBe(columns)
        columns = pipes
      }
    }),
    { numRuns: 300 },
  )
})

test('law 8: a plan as SQL holds nothing of a name outside comments and statements', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      if (isError(result) || isFleet(result) || result.command !== 'plan') return
      const script = planSql({
        ...result,
        extensions: [],
        steps: result.steps.map((step) => ({ ...step, sql: ['select 1'] })),
      })
      const known =
        /^(--.*|select 1;|\\set ON_ERROR_STOP on|set \w+ = 0;||\s+\(.*|select declared.*|from \(values|\) as declared.*|left join .*|where .*)$/
      const names = script.indexOf('from (values')
      for (const line of (names < 0 ? script : script.slice(0, names)).split('\n')) expect(line).toMatch(known)
    }),
    { numRuns: 200 },
  )
})

function endsLine(text: string): void {
  expect(text).toMatch(/\n$/)
}

/** What holds for any document in each format; text and markdown have laws of their own above. */
const laws: Readonly<Record<Format, (text: string) => void>> = {
  text: endsLine,
  markdown: endsLine,
  sql: endsLine,
  prometheus: endsLine,
  json: (text) => void JSON.parse(text),
  jsonl: (text) => {
    const types = text
      .trimEnd()
      .split('\n')
      .map((line) => z.looseObject({ type: z.string() }).parse(JSON.parse(line)).type)
    expect([types[0], types.at(-1)]).toEqual(['start', 'end'])
  },
  html: (text) => {
    const page = parseMarkup(text)
    expect(all(page, 'h1')).toHaveLength(1)
    expect(text).not.toMatch(/<script|[^\P{Cc}\n]/iu)
  },
  junit: (text) => {
    const cases = all(parseMarkup(text), 'testcase').length
    expect(cases).toBeGreaterThan(0)
    expect(text).toContain(`<testsuites name="perfdb" tests="${cases}"`)
    expect(text).not.toMatch(/[^\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u)
  },
  sarif: (text) => void JSON.parse(text),
  github: (text) => {
    const lines = text.trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(11)
    expect(lines.filter((line) => !/^(::(error|warning|notice) |perfdb )/.test(line))).toEqual([])
  },
  gitlab: (text) => void JSON.parse(text),
}

test.each(Object.entries(laws))('law 8: %s accepts every document', async (name, law) => {
  const format = formats.find((one) => one === name)
  if (format === undefined) throw new Error(`the command line does not know ${name}`)
  await fc.assert(
    fc.asyncProperty(anyDocument(), async (result) => {
      // An extension of a name that PostgreSQL cannot have is refused before there is a plan.
      const document = 'extensions' in result ? { ...result, extensions: [] } : result
      law(await render(document, format, narrow))
    }),
    { numRuns: 150 },
  )
})

test('law 8: SARIF and Code Quality have one fingerprint for each of the same findings', async () => {
  const shape = z.object({
    runs: z.tuple([
      z.object({ results: z.array(z.object({ partialFingerprints: z.record(z.string(), z.string()) })) }),
    ]),
  })
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const log = shape.parse(JSON.parse(await render(result, 'sarif', narrow)))
      const sarif = log.runs[0].results.flatMap((each) => Object.values(each.partialFingerprints))
      const report = z
        .array(z.object({ fingerprint: z.string() }))
        .parse(JSON.parse(await render(result, 'gitlab', narrow)))
      expect(report.map(({ fingerprint }) => fingerprint)).toEqual(sarif)
      expect(new Set(sarif).size).toBe(sarif.length)
    }),
    { numRuns: 150 },
  )
})
