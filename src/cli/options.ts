import { InvalidArgumentError } from 'commander'
import { configFormats } from '../options/config-keys.js'
import { parseWindow, type Window } from '../commands/apply/window.js'
import { PerfdbError } from '../errors.js'
import { hazardCodes, type HazardCode } from '../codes/hazard-codes.js'
import { suggestion } from '../text/nearest.js'
import { durationMs, notADuration, notASize, sizeBytes } from '../text/units.js'

/** `10min`, `30s`, `500ms`, `1h` or `0`; milliseconds. */
export function durationOption(text: string): number {
  const value = durationMs(text)
  if (Number.isNaN(value)) throw new InvalidArgumentError(notADuration(text))
  return value
}

/** `20GB`, `500MB`; bytes. */
export function sizeOption(text: string): number {
  const value = sizeBytes(text)
  if (Number.isNaN(value)) throw new InvalidArgumentError(notASize(text))
  return value
}

/** Of --watch, whose number is seconds as that of watch(1) is; milliseconds. */
export function secondsOption(text: string): number {
  return durationOption(/^\d+(\.\d+)?$/.test(text.trim()) ? `${text.trim()}s` : text)
}

/** A whole number from `least` on. */
export function countOption(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} on`)
    return value
  }
}

/** `22:00-05:00`. */
export function windowOption(text: string): Window {
  try {
    return parseWindow(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof PerfdbError ? error.hint : String(error))
  }
}

/** A positive number, for --scale. */
export function numberOption(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('a number greater than 0')
  return value
}

/** `--allow REPLACE,DROP`, repeatable; unknown names are refused with the nearest known one. */
export function allowOption(text: string, before: ReadonlySet<HazardCode> = new Set()): ReadonlySet<HazardCode> {
  const names = text.split(',').map((name) => name.trim().toUpperCase())
  return new Set([...before, ...names.filter((name) => name !== '').map(hazardCode)])
}

function hazardCode(name: string): HazardCode {
  const known = hazardCodes.find((code) => code === name)
  if (known !== undefined) return known
  throw new InvalidArgumentError(`no such hazard${suggestion(name, hazardCodes)}; known are ${hazardCodes.join(', ')}`)
}

/** A repeatable option, as it is written. */
export function listOption(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** `--report FORMAT=FILE`, repeatable. */
export function reportOption(text: string, before: readonly Report[] = []): readonly Report[] {
  const [format, ...rest] = text.split('=')
  const file = rest.join('=')
  if (format === undefined || file === '')
    throw new InvalidArgumentError('the form is FORMAT=FILE: --report markdown=perfdb.md')
  return [...before, { format: formatOption(format), file }]
}

export interface Report {
  readonly format: Format
  readonly file: string
}

/** `sql` is a script for review, for plan only; `prometheus` is for check-pool only. */
export const formats = [...configFormats, 'sql', 'prometheus'] as const
export type Format = (typeof formats)[number]

/** Throws BAD_OPTION with the known formats. */
export function formatOption(text: string): Format {
  const known = formats.find((format) => format === text)
  if (known === undefined)
    throw new InvalidArgumentError(
      `known are ${formats.join(', ')} (sql for plan only, prometheus for check-pool only)`,
    )
  return known
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
