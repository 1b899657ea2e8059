import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { isMap, isPair, isScalar, isSeq, parseDocument, type Node } from 'yaml'
import { expect, test } from 'vitest'
import { quickDocument } from '../../src/yaml/quick.js'

const root = join(import.meta.dirname, '../..')

/** What a reader made of a text: kinds, values, sources and where each begins. */
function shape(node: unknown): unknown {
  if (isPair(node)) return [shape(node.key), shape(node.value)]
  if (isMap(node)) return { map: node.items.map(shape), at: node.range?.[0], flow: node.flow ?? false }
  if (isSeq(node)) return { list: node.items.map(shape), at: node.range?.[0], flow: node.flow ?? false }
  if (isScalar(node)) return { value: node.value, source: node.source, at: node.range?.[0] }
  return String(node)
}

/** The package's reading, which counts; undefined where there is anything that it says. */
function slowly(text: string): Node | null | undefined {
  const document = parseDocument(text, { prettyErrors: false, merge: true, logLevel: 'error' })
  return document.errors.length + document.warnings.length > 0 ? undefined : document.contents
}

function same(text: string): boolean {
  const quick = quickDocument(text)
  if (quick === undefined) return false
  const slow = slowly(text)
  expect(shape(quick.contents), text).toEqual(slow === undefined ? 'mistakes' : shape(slow))
  expect(quick.toJS()).toEqual(parseDocument(text, { merge: true }).toJS())
  return true
}

test('the profiles and pools files that come with perfdb are read quickly, as the package reads them', async () => {
  const texts = await Promise.all(
    (await readdir(join(root, 'profiles')))
      .filter((name) => name.endsWith('.yaml'))
      .map(async (name) => ({ name, text: await readFile(join(root, 'profiles', name), 'utf8') })),
  )
  expect(texts.filter(({ text }) => !same(text)).map(({ name }) => name)).toEqual([])
})

test('every YAML file of the tests and examples is read as the package reads it, or left to it', async () => {
  const files = ['test', 'examples', 'docs'].map(async (folder) =>
    (await readdir(join(root, folder), { recursive: true, encoding: 'utf8' }))
      .filter((name) => /\.ya?ml$|\.md$/.test(name) && !name.includes('node_modules'))
      .map((name) => join(root, folder, name)),
  )
  for (const file of (await Promise.all(files)).flat()) {
    const text = await readFile(file, 'utf8')
    if (!file.endsWith('.md')) same(text)
    for (const [, block = ''] of text.matchAll(/^```ya?ml\n(.*?)^```/gms)) same(block)
  }
})

const tokens = [
  'a',
  'b',
  'key: ',
  'k:',
  'a: ',
  ': ',
  ' ',
  '  ',
  '\n',
  '\n  ',
  '\n    ',
  '- ',
  '\n- ',
  '\n  - ',
  '-',
  '|\n',
  '|-\n',
  '>\n',
  '>-\n',
  '#',
  ' # x',
]
const signs = [
  '[',
  ']',
  '{',
  '}',
  ', ',
  ',',
  "'",
  '"',
  '"x"',
  "'it''s'",
  '1',
  '-1',
  '0',
  '1.5',
  '007',
  '0x1f',
  '1e3',
  'null',
  'true',
  '~',
  '*a',
  '&a ',
  '<<: ',
  '---\n',
  '? ',
  '!t ',
  '%',
  '\\',
  '.',
  '$x',
  '@',
  '`',
  '=',
  '(',
  'ü',
  '+1',
  '_',
]

/** More where a change of the reader is tried: QUICK_RUNS=100000. */
const numRuns = Number(process.env['QUICK_RUNS'] ?? 1500)

test('what is put together from the signs of YAML is read as the package reads it, or left to it', () => {
  const parts = fc.array(fc.constantFrom(...tokens, ...signs), { maxLength: 12 })
  const texts = fc
    .tuple(fc.constantFrom('', 'a: ', '- ', 'a: ['), parts)
    .map(([start, rest]) => `${start}${rest.join('')}\n`)
  let quick = 0
  const read = (text: string) => void (quick += Number(same(text)))
  fc.assert(fc.property(texts, read), { numRuns })
  expect(quick).toBeGreaterThan(numRuns / 50)
})

test('a profile with a slip in it is read as the package reads it, or left to it', async () => {
  const lines = (await readFile(join(root, 'profiles/job-shop.yaml'), 'utf8')).split('\n')
  const slips = fc.record({
    from: fc.nat(lines.length - 12),
    length: fc.integer({ min: 2, max: 12 }),
    at: fc.nat(400),
    cut: fc.nat(3),
    put: fc.constantFrom('', ...tokens, ...signs),
  })
  const texts = slips.map(({ from, length, at, cut, put }) => {
    const text = `${lines.slice(from, from + length).join('\n')}\n`
    const where = at % text.length
    return `${text.slice(0, where)}${put}${text.slice(where + cut)}`
  })
  let quick = 0
  const read = (text: string) => void (quick += Number(same(text)))
  fc.assert(fc.property(texts, read), { numRuns })
  expect(quick).toBeGreaterThan(numRuns / 10)
})
