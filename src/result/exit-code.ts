import type { Problem } from '../errors.js'

/** The signals that end a run in order. */
export type SignalName = keyof typeof signalCodes

/** 128 and the number of the signal, as a shell says it. */
const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/** What an exit code depends on, whatever the command. */
export interface Ending {
  /** Could not look: bad option, bad profile, no connection, missing privilege. */
  readonly error?: Pick<Problem, 'code'>
  readonly signal?: SignalName | undefined
  /** Steps that were begun and failed, or had to be left half-way. */
  readonly failedSteps?: number
  /** Checked and not fine: findings of severity error, expectations missed, hazards that were not allowed, steps that were not begun. */
  readonly refusals?: number
}

/**
 * The exit codes, in one place: 129, 130 and 143 after a signal, 2 could not start, 3 stopped part-way,
 * 1 checked, and not fine, 0 otherwise.
 */
export function exitCode({ error, signal, failedSteps = 0, refusals = 0 }: Ending): 0 | 1 | 2 | 3 | 129 | 130 | 143 {
  if (signal !== undefined) return signalCodes[signal]
  if (error !== undefined) return 2
  if (failedSteps > 0) return 3
  return refusals > 0 ? 1 : 0
}

/** The exit code of a fleet from those of its tenants: a signal's, else 3 if any is 3, else 2 if any could not be looked at, else 1 if any is 1. */
export function fleetExitCode(codes: Iterable<number>, signal: SignalName | undefined): number {
  if (signal !== undefined) return signalCodes[signal]
  const all = new Set(codes)
  return [3, 2, 1].find((code) => all.has(code)) ?? 0
}

/** The exit code of a run whose result could not be written to stdout or to a report: at least 2. */
export function outputLost(code: number): number {
  return Math.max(code, 2)
}
