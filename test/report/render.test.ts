import { expect, test } from 'vitest'
import type { Layout } from '../../src/report/block/layout.js'
import { codeSpan, escaped, fenced } from '../../src/report/page/markdown-text.js'
import { render } from '../../src/report/render.js'
import type { Result } from '../../src/result/results.js'
import type { Format } from '../../src/options/rows/formats.js'
import * as documents from './documents.js'

const { narrow, broad } = documents
const ascii: Layout = { ...narrow, unicode: false }
const colored: Layout = { ...narrow, color: true }
const verbose: Layout = { ...narrow, verbose: true }

const goldens: readonly (readonly [file: string, result: Result, format: Format, layout: Layout])[] = [
  ['plan.80.txt', documents.planDocument, 'text', narrow],
  ['plan.verbose.txt', documents.planDocument, 'text', verbose],
  ['plan.md', documents.planDocument, 'markdown', narrow],
  ['plan.nothing.txt', documents.nothingToDo, 'text', narrow],
  ['plan.empty.txt', documents.emptyPlan, 'text', narrow],
  ['plan.long.80.txt', documents.longPlan, 'text', narrow],
  ['verify.80.txt', documents.verifyDocument, 'text', narrow],
  ['verify.clean.txt', documents.verifyClean, 'text', narrow],
  ['verify.md', documents.verifyDocument, 'markdown', narrow],
  ['apply.80.txt', documents.applyDocument, 'text', narrow],
  ['apply.failed.80.txt', documents.applyFailed, 'text', narrow],
  ['apply.failed.ascii.txt', documents.applyFailed, 'text', ascii],
  ['apply.failed.color.txt', documents.applyFailed, 'text', colored],
  ['apply.failed.md', documents.applyFailed, 'markdown', narrow],
  ['rollback.80.txt', documents.rollbackDocument, 'text', narrow],
  ['explain.80.txt', documents.explainDocument, 'text', narrow],
  ['explain.md', documents.explainDocument, 'markdown', narrow],
  ['status.80.txt', documents.statusDocument, 'text', narrow],
  ['status.empty.txt', documents.statusEmpty, 'text', narrow],
  ['pool.80.txt', documents.poolDocument, 'text', narrow],
  ['pool.md', documents.poolDocument, 'markdown', narrow],
  ['pools.80.txt', documents.poolsDocument, 'text', narrow],
  ['plan.sql', documents.planDocument, 'sql', narrow],
  ['plan.nothing.sql', documents.nothingToDo, 'sql', narrow],
  ['error.80.txt', documents.errorDocument, 'text', narrow],
  ['error.many.txt', documents.manyErrors, 'text', narrow],
  ['error.md', documents.errorDocument, 'markdown', narrow],
  ['apply.failed.junit.xml', documents.applyFailed, 'junit', narrow],
  ['apply.failed.github.txt', documents.applyFailed, 'github', narrow],
  ['apply.failed.jsonl', documents.applyFailed, 'jsonl', narrow],
  ['plan.sarif', documents.planDocument, 'sarif', narrow],
  ['plan.gitlab.json', documents.planDocument, 'gitlab', narrow],
  ['pool.junit.xml', documents.poolDocument, 'junit', narrow],
  ['error.many.github.txt', documents.manyErrors, 'github', narrow],
]

test.each(goldens)('%s', async (file, result, format, layout) => {
  await expect(await render(result, format, layout)).toMatchFileSnapshot(`../golden/report/${file}`)
})

test('without colour there is no escape, with colour there is', async () => {
  const escape = '\u001b['
  expect(await render(documents.applyFailed, 'text', narrow)).not.toContain(escape)
  expect(await render(documents.applyFailed, 'text', colored)).toContain(escape)
})

test('colour changes nothing but colour', async () => {
  const plain = await render(documents.applyFailed, 'text', narrow)
  const painted = await render(documents.applyFailed, 'text', colored)
  // eslint-disable-next-line no-control-regex
  expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain)
})

test('a name is whole on a broad terminal, cut on a narrow one, and whole in pieces when verbose', async () => {
  const name = documents.longNames[0] ?? ''
  const text = await render(documents.longPlan, 'text', { ...narrow, width: 60 })
  expect(text).not.toContain(name)
  expect(text).toContain('…')
  expect(await render(documents.longPlan, 'text', broad)).toContain(name)
  expect(await render(documents.longPlan, 'text', { ...verbose, width: 60 })).not.toContain('…')
})

test('a pipe in a name does not end its cell', () => {
  expect(codeSpan('idx_jobs')).toBe('`idx_jobs`')
  expect(codeSpan('a|b')).toBe('<code>a&#124;b</code>')
  expect(escaped('a|b *c* _d_ e_f <g> \\')).toBe('a\\|b \\*c\\* \\_d\\_ e_f &lt;g&gt; \\\\')
  expect(fenced('sql', 'a ```` b')).toBe('`````sql\na ```` b\n`````')
  expect(fenced('sql', 'a\n\tb \u001b[2J\r\u202e')).toBe('```sql\na\n b \\u{1b}[2J \\u{202e}\n```')
})

test('what a name holds can not move the cursor or leave a table', async () => {
  const name = 'a\u001b[2Jb\nc\u202ed|`e'
  const plan = { ...documents.nothingToDo, steps: [documents.stepOf('create', name, 'jobs')] }
  const text = await render(plan, 'text', narrow)
  expect(text).toContain('a\\u{1b}[2Jb c\\u{202e}d|`e')
  const markdown = await render(plan, 'markdown', narrow)
  expect(markdown).toContain('<code>a&#92;u&#123;1b&#125;&#91;2Jb c&#92;u&#123;202e&#125;d&#124;&#96;e</code>')
})
