import { expect, test } from 'vitest'
import { render } from '../../src/report/render.js'
import { broad, emptyPlan } from './documents.js'
import { pages } from './shown-documents.js'

const wide = { ...broad, width: 4000 }

/** What a reader sees before a fold is opened. */
function open(markdown: string): readonly string[] {
  return markdown
    .replaceAll(/<details>[^]*?<\/details>/g, '')
    .trimEnd()
    .split('\n')
}

// A demo is three documents in one, and nobody's comment.
const comments = pages.filter(([name]) => name !== 'demo')

test.each(comments)('%s: a comment of less than 40 lines, with the headline of the log', async (_, result) => {
  const markdown = await render(result, 'markdown', wide)
  expect(open(markdown).length).toBeLessThan(40)
  // What is folded is there.
  expect(markdown.split('<details>').length).toBe(markdown.split('</details>').length)
  const [headline = ''] = (await render(result, 'text', wide)).split('\n')
  const [heading = ''] = markdown.split('\n')
  const plain = heading
    .replaceAll(/\\(?=[^\w\s])/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  if (!('error' in result)) expect(plain).toContain(headline)
})

test('what is short is not folded', async () => {
  expect(await render(emptyPlan, 'markdown', wide)).not.toContain('<details>')
})
