import { expect, test } from 'vitest'
import { formats, type Format } from '../../src/options/rows/formats.js'
import { render } from '../../src/report/render.js'
import { widthOf } from '../../src/report/text/width.js'
import { narrow } from './documents.js'
import { pages, withText } from './shown-documents.js'

/** What a name, a query or a message may hold: markup, control and bidi characters, commands of CI logs, a query of a thousand columns. */
const evil =
  'x"\'</style><script>alert(1)</script><!-- ]]> \n::error::pwned\n  ##[command]rm ::add-mask::y \u202e\u2066\u0007\u001b[2J\u009b31m ##vso[task.setvariable]z @everyone [a](javascript:b)'
const thousand = `${evil} select ${Array.from({ length: 1000 }, (_, at) => `column_${at}`).join(', ')} ${'q'.repeat(500)}`

const moving = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const laws: Readonly<Partial<Record<Format, (line: string) => boolean>>> = {
  // What would be a command of a log shows a code in its place, which is longer.
  text: (line) => widthOf(line.replaceAll(/\\u\{(?:23|3a)\}/g, '#')) <= narrow.width && !/^\s*::/.test(line),
  markdown: (line) =>
    !/<(?!\/?(?:details|summary|code)>|!-- -->)|(?<!\w)@\w/.test(line.replaceAll(/(`+)[^`].*?\1/g, '')),
  html: (line) => !/<(?:script|img|iframe|base)|<\/style><s/i.test(line),
  // Of this format the lines are commands of perfdb's own.
  github: (line) => /^(?:::(?:error|warning|notice) (?:file|title)=|perfdb )/.test(line),
  junit: (line) => !/<script|\]\]>/.test(line),
  json: () => true,
  jsonl: () => true,
  sarif: () => true,
  gitlab: () => true,
}

// Three hundred steps say no more than five.
const looked = pages.filter(([name]) => name !== 'long plan')
const short = looked.map(([name, result]) => [name, withText(result, evil)] as const)
const long = looked
  .filter(([name]) => name === 'explain')
  .map(([name, result]) => [`${name} of a thousand columns`, withText(result, thousand)] as const)

test.each([...short, ...long])('%s: in no format a text of others breaks out', async (_, result) => {
  for (const format of formats) {
    const holds = laws[format]
    if (holds === undefined) continue
    const text = await render(result, format, { ...narrow, verbose: true })
    const shown = format === 'markdown' ? text.replaceAll(/^(`{3,})\w*\n[^]*?\n\1$/gm, '') : text
    const bad = shown
      .trimEnd()
      .split('\n')
      .filter((line) => moving.test(line) || /##\[|##vso\[/.test(line) || !holds(line))
      .map((line) => line.slice(0, 200))
    expect([format, bad.slice(0, 3)]).toEqual([format, []])
    if (format === 'json') expect(JSON.parse(text)).toEqual(result)
  }
})
