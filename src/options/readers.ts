import { hazardCodes, type HazardCode } from '../codes/hazard-codes.js'
import { PerfdbError } from '../errors.js'
import { suggestion } from '../text/nearest.js'
import { durationMs, notADuration, notASize, sizeBytes } from '../text/units.js'
import { isNegated } from './table.js'
import type { OptionRow } from './rows/row.js'
import { parseWindow, type Window } from './window.js'
import { formats, type Format } from './rows/formats.js'

/** A file that gets the result as well. */
export interface Report {
  readonly format: Format
  readonly file: string
}

/**
 * The value of an option as a flag, a variable or perfdb.yaml writes it; `before` is that of an earlier one where it is repeatable. Durations
 * are milliseconds, sizes bytes. Throws BAD_OPTION with what would be right, not with the name of the option.
 */
export function readOption(row: OptionRow, text: string, before: unknown): unknown {
  switch (row.read) {
    case 'text':
    case 'file':
    case 'folder':
    case 'command':
      return text
    case 'flag':
      return truth(text)
    case 'duration':
      return amount(durationMs(text), () => notADuration(text))
    // Of --watch, whose bare number is seconds as that of watch(1) is.
    case 'seconds':
      return amount(durationMs(/^[\d.]+$/.test(text.trim()) ? `${text.trim()}s` : text), () => notADuration(text))
    case 'size':
      return amount(sizeBytes(text), () => notASize(text))
    case 'count':
      return wholeNumber(text, row.least ?? 1)
    case 'number':
      return positiveNumber(text)
    case 'window':
      return windowOf(text)
    case 'words':
      return row.truth && /^(true|false)$/.test(text) ? text : oneOf(text, row.words ?? [])
    case 'hazards':
      return new Set([...(before instanceof Set ? before : []), ...hazards(text)])
    case 'format':
      return format(text)
    case 'reports':
      return [...(Array.isArray(before) ? before : []), report(text)]
    case 'texts':
      return [...(Array.isArray(before) ? before : []), text]
  }
}

/** What an option is when nobody sets it; undefined for one that has no default, or whose default another room has. */
export function defaultOf(row: OptionRow): unknown {
  if (isNegated(row)) return true
  return row.default === undefined || row.defaultElsewhere ? undefined : readOption(row, row.default, undefined)
}

function truth(text: string): boolean {
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0)$/i.test(text)) return false
  throw refused('expected true or false')
}

function amount(value: number, wrong: () => string): number {
  if (Number.isNaN(value)) throw refused(wrong())
  return value
}

function wholeNumber(text: string, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least) throw refused(`a whole number from ${least} on`)
  return value
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw refused('a number greater than 0')
  return value
}

function windowOf(text: string): Window {
  try {
    return parseWindow(text)
  } catch (error) {
    throw refused(error instanceof PerfdbError ? error.hint : String(error))
  }
}

function oneOf(text: string, words: readonly string[]): string {
  if (!words.includes(text)) throw refused(`known are ${words.join(', ')}`)
  return text
}

/** `REPLACE,DROP`; an unknown name is refused with the nearest known one. */
function hazards(text: string): readonly HazardCode[] {
  const names = text.split(',').map((name) => name.trim().toUpperCase())
  return names.filter((name) => name !== '').map(hazardCode)
}

function hazardCode(name: string): HazardCode {
  const known = hazardCodes.find((code) => code === name)
  if (known !== undefined) return known
  throw refused(`no such hazard${suggestion(name, hazardCodes)}; known are ${hazardCodes.join(', ')}`)
}

function report(text: string): Report {
  const [name, ...rest] = text.split('=')
  const file = rest.join('=')
  if (name === undefined || file === '') throw refused('the form is FORMAT=FILE: --report markdown=perfdb.md')
  return { format: format(name), file }
}

function format(text: string): Format {
  const known = formats.find((one) => one === text)
  if (known === undefined)
    throw refused(`known are ${formats.join(', ')} (sql for plan only, prometheus for check-pool only)`)
  return known
}

function refused(message: string): PerfdbError {
  return new PerfdbError('BAD_OPTION', message)
}

const endings: Readonly<Record<string, Format>> = {
  html: 'html',
  htm: 'html',
  md: 'markdown',
  json: 'json',
  jsonl: 'jsonl',
  xml: 'junit',
  sarif: 'sarif',
  txt: 'text',
}

/** The format of a report by its file's ending, HTML when that says nothing. */
export function formatOfFile(file: string): Format {
  return endings[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? ''] ?? 'html'
}
