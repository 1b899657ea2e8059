import type { Block } from '../block/block.js'
import { moodOf } from '../block/mood.js'
import { blockHtml, headingOf } from './html-blocks.js'
import { drawingsOf, type Drawing } from './html-drawings.js'
import { fleetHtml, isSearched } from './html-fleet.js'
import { queryPlanHtml } from './html-plans.js'
import { searchSource } from './html-search.js'
import { style } from './html-style.js'
import { html, htmlLines } from './html-text.js'
import { tilesHtml } from './html-tiles.js'
import { cutEnd } from '../text/width.js'
import { together } from '../text/wrap.js'
import { moment } from '../../text/amounts.js'
import { type Result, isError, isFleet } from '../../result/results.js'

/**
 * The document as one HTML page that needs nothing else: no font, no network, no script (its policy forbids them) but the one that finds tenants, for a screen of 400 pixels as
 * for a broad one, light and dark, and for paper. Each drawing stands with the table of the same numbers.
 */
export function renderHtml(result: Result, blocks: readonly Block[]): string {
  const [first, ...rest] = blocks
  const title = first?.kind === 'verdict' ? first.text : verdictOf(result)
  const body = first?.kind === 'verdict' ? rest : blocks
  const drawings = drawingsOf(result)
  const sections = sectionsOf(
    body.filter((block) => !isNext(block)),
    drawings,
  )
  const mood = moodOf(result.ok, body)
  const plans = queryPlanHtml(result)
  const scripts = isFleet(result) && isSearched(result) ? `; script-src ${searchSource}` : ''
  const headings = [
    ...sections.headings,
    ...(plans === '' ? [] : ['Query plans']),
    ...(isFleet(result) ? ['Tenants'] : []),
  ]
  return `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${scripts}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>perfdb ${html(result.command)}: ${html(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<header class="${mood}">`,
    `<p class="command">perfdb ${html(result.command)}</p>`,
    `<h1><span class="sign" role="img" aria-label="${moods[mood].label}">${moods[mood].sign}</span> ${html(together(title))}</h1>`,
    ...sections.lede,
    ...nextHtml(body),
    '</header>',
    '<main>',
    tilesHtml(result),
    contents(headings),
    ...sections.parts,
    plans === '' ? '' : `<h2 id="${anchor(headings.length)}">Query plans</h2>\n${plans}`,
    isFleet(result) ? `<h2 id="${anchor(headings.length)}">Tenants</h2>\n${fleetHtml(result)}` : '',
    isError(result) || result.command !== 'import'
      ? ''
      : `<h2>Profile</h2>\n<pre tabindex="0"><code>${htmlLines(result.profile)}</code></pre>`,
    '</main>',
    `<footer><p>${html(footer(result))}</p></footer>`,
    '</body>',
    '</html>',
  ]
    .filter((line) => line !== '')
    .join('\n')}\n`
}

const moods = {
  good: { sign: '✓', label: 'in order' },
  warn: { sign: '!', label: 'in order, with warnings' },
  bad: { sign: '✗', label: 'not in order' },
} as const

function isNext(block: Block): boolean {
  return block.kind === 'text' && block.next === true
}

/** What to do now stands on the first screen. */
function nextHtml(blocks: readonly Block[]): readonly string[] {
  const texts = blocks.flatMap((block) => (block.kind === 'text' && isNext(block) && block.text !== '' ? [block] : []))
  return texts.map(({ text }) => `<p class="next">${html(text)}</p>`)
}

// Beside a drawing of the same numbers a longer table is folded.
const drawnRows = 20

function foldedTable(text: string): string {
  return text.startsWith('<table') ? `<details><summary>the same as a table</summary>\n${text}\n</details>` : text
}

interface Sections {
  /** Texts before the first table. */
  readonly lede: readonly string[]
  readonly headings: readonly string[]
  readonly parts: readonly string[]
}

/** Headings by the titles of the blocks; below the verdict of a part they are of the third level. */
function sectionsOf(blocks: readonly Block[], drawings: readonly Drawing[]): Sections {
  const placed = new Set<Drawing>()
  const lede: string[] = []
  const headings: string[] = []
  const parts: string[] = []
  let level = 2
  const head = (text: string, tone: string) => {
    if (level === 2) headings.push(text)
    const id = level === 2 ? ` id="${anchor(headings.length)}"` : ''
    parts.push(`<h${level}${id}${tone === '' ? '' : ` class="${tone}"`}>${html(text)}</h${level}>`)
  }
  for (const block of blocks) {
    const text = blockHtml(block)
    const here = drawings.filter((drawing) => !placed.has(drawing) && drawing.beside(block))
    if (text === '' && here.length === 0) continue
    if (block.kind === 'text' && parts.length === 0) {
      lede.push(text)
      continue
    }
    if (block.kind === 'verdict' && block.tone !== 'plain') {
      level = 2
      head(block.text, block.tone)
      level = 3
      continue
    }
    const heading = headingOf(block)
    if (heading !== '') head(heading, '')
    if (here.length > 0) parts.push(drawn(here))
    for (const drawing of here) placed.add(drawing)
    parts.push(here.length > 0 && block.kind === 'grid' && block.rows.length > drawnRows ? foldedTable(text) : text)
  }
  const left = drawings.filter((drawing) => !placed.has(drawing))
  if (left.length > 0) parts.push(drawn(left))
  return { lede, headings, parts }
}

function drawn(drawings: readonly Drawing[]): string {
  const figures = drawings.map(({ title, figure, folded }) =>
    folded === true
      ? `<details class="drawing"><summary>${html(title)}</summary>${figure}</details>`
      : `<div class="drawing"><p class="title">${html(title)}</p>${figure}</div>`,
  )
  return `<div class="drawings">${figures.join('\n')}</div>`
}

function contents(headings: readonly string[]): string {
  if (headings.length < 4) return ''
  const links = headings.map((heading, at) => `<li><a href="#${anchor(at + 1)}">${html(shortened(heading))}</a></li>`)
  return `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`
}

/** A heading as far as it names its part. */
function shortened(heading: string): string {
  return heading.length < 36 ? heading : cutEnd(heading.split(/[,;]/)[0] ?? heading, 48, '…')
}

function anchor(number: number): string {
  return `part-${number}`
}

/** Of a document without a verdict block: an error. */
function verdictOf(result: Result): string {
  return isError(result) ? result.error.message : `exit code ${result.exit_code}`
}

function footer(result: Result): string {
  const started =
    'started_at' in result && result.started_at !== undefined ? `, started ${moment(result.started_at)}` : ''
  return `perfdb ${result.perfdb} ${result.command}, exit code ${result.exit_code}${started}`
}
