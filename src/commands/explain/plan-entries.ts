import { beginsPlan } from '../../measure/plan/text-plan.js'

/** A part of a file that should hold one query plan, in whatever form. */
export interface PlanEntry {
  /** Lines without frames and prefixes. */
  readonly lines: readonly string[]
  /** Of the first, from 1. */
  readonly line: number
  /** What auto_explain logged beside it, in ms. */
  readonly durationMs: number | null
}

interface Open {
  lines: string[]
  readonly line: number
  readonly durationMs: number | null
  readonly form: 'text' | 'json' | 'yaml' | 'xml' | 'log'
  depth: number
}

const logged = /duration: ([\d.]+) ms\s+plan:\s*(.*)$/
const csvStart = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [\w+-]+,/
const largest = 50_000_000

/**
 * The query plans of a text, line by line, so that a log of any size takes the memory of its largest entry: EXPLAIN's text, JSON and YAML, one or
 * several, as files or as psql prints them (with its frame and the + of lines that go on), and what auto_explain writes to stderr, csvlog and jsonlog.
 * https://www.postgresql.org/docs/current/auto-explain.html
 */
export async function* planEntries(source: AsyncIterable<string>): AsyncGenerator<PlanEntry> {
  let open: Open | null = null
  let framed = false
  let record: { text: string; readonly line: number } | null = null
  let number = 0
  const begin = (form: Open['form'], line: number, durationMs: number | null = null): Open => ({
    lines: [],
    line,
    durationMs,
    form,
    depth: 0,
  })
  for await (const read of source) {
    number += 1
    const raw = (number === 1 ? read.replace(/^\uFEFF/, '') : read).replace(/\r$/, '')
    if (record !== null || csvStart.test(raw)) {
      record = record === null ? { text: raw, line: number } : { text: `${record.text}\n${raw}`, line: record.line }
      if (quotes(record.text) % 2 === 1 && record.text.length < largest) continue
      const entry = fromMessage(csvMessage(record.text), record.line)
      record = null
      if (entry !== null) yield entry
      continue
    }
    if (raw.startsWith('{"timestamp":')) {
      const entry = fromMessage(jsonMessage(raw), number)
      if (entry !== null) yield entry
      continue
    }
    if (/^[\s|│]*QUERY PLAN[\s|│]*$/.test(raw) || /^\(\d+ (?:rows?|Zeilen?|lignes?)\)$/.test(raw.trim())) {
      if (open !== null) yield open
      open = null
      framed = raw.includes('QUERY PLAN')
      continue
    }
    if (framed && /^[-+─┬┼┌┐└┘═|│]+$/.test(raw.trim())) continue
    const line = framed ? unframed(raw) : raw
    const log = logged.exec(line)
    if (log !== null && !line.startsWith('\t')) {
      if (open !== null) yield open
      open = begin('log', number, Number(log[1]))
      if (log[2] !== undefined && log[2] !== '') open.lines.push(log[2])
      continue
    }
    if (open?.form === 'log') {
      if (line.startsWith('\t') || line.trim() === '') {
        open.lines.push(line.replace(/^\t/, ''))
        continue
      }
      yield open
      open = null
    }
    if (open === null) {
      const form = formOf(line)
      if (form === null) continue
      open = begin(form, number)
    } else if (open.form === 'text' && startsAnew(line, open)) {
      yield open
      open = null
      const form = formOf(line)
      if (form === null) continue
      open = begin(form, number)
    } else if (open.form === 'yaml' && line.startsWith('- Plan:')) {
      yield open
      open = begin('yaml', number)
    }
    open.lines.push(line)
    if (open.form === 'json') {
      open.depth += depthOf(line)
      if (open.depth <= 0) {
        yield open
        open = null
      }
    } else if (open.form === 'xml' && line.includes('</explain>')) {
      yield open
      open = null
    }
  }
  if (record !== null) {
    const entry = fromMessage(csvMessage(record.text), record.line)
    if (entry !== null) yield entry
  }
  if (open !== null) yield open
}

function formOf(line: string): Open['form'] | null {
  if (/^\s*[[{]/.test(line)) return 'json'
  if (line.startsWith('- Plan:')) return 'yaml'
  if (/^\s*<explain\b/.test(line)) return 'xml'
  return beginsPlan(line) && !/^\s*->/.test(line) ? 'text' : null
}

/** The next query plan, or something that is none. */
function startsAnew(line: string, { lines }: Open): boolean {
  if (line.trim() === '') return false
  const first = lines[0] ?? ''
  const indent = first.length - first.trimStart().length
  return line.length - line.trimStart().length <= indent && formOf(line) !== null
}

/** The psql frame: a space or a border before, the sign of a value that goes on behind. */
function unframed(line: string): string {
  return line.replace(/^(?:[|│] ?| )/, '').replace(/\s*(?:[+↵]\s*[|│]?|[|│])?\s*$/, '')
}

/** Opened minus closed brackets of a line of JSON, those in strings left out. */
function depthOf(line: string): number {
  let depth = 0
  for (const [bracket] of line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g))
    depth += bracket === '[' || bracket === '{' ? 1 : -1
  return depth
}

function quotes(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1
  return count
}

/** The 14th column of a record of csvlog; empty where there is none. */
function csvMessage(record: string): string {
  if (!record.includes(' plan:')) return ''
  let column = 0
  for (const match of record.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)) {
    if (column === 13) return (match[1] ?? '').replace(/^"([\s\S]*)"$/, '$1').replaceAll('""', '"')
    column += 1
  }
  return ''
}

function jsonMessage(line: string): string {
  if (!line.includes(' plan:')) return ''
  try {
    const parsed: unknown = JSON.parse(line)
    const message: unknown = typeof parsed === 'object' && parsed !== null && 'message' in parsed ? parsed.message : ''
    return typeof message === 'string' ? message : ''
  } catch {
    return ''
  }
}

function fromMessage(message: string, line: number): PlanEntry | null {
  const [first = '', ...lines] = message.split('\n')
  const found = logged.exec(first)
  return found === null
    ? null
    : { lines: [...(found[2] === '' ? [] : [found[2] ?? '']), ...lines], line, durationMs: Number(found[1]) }
}
