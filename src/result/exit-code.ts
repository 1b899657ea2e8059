import type { Problem } from '../errors.js'

/** What an exit code depends on, whatever the command. */
export interface Ending {
  /** Could not look: bad option, bad profile, no connection, missing privilege. */
  readonly error?: Pick<Problem, 'code'>
  readonly signal?: 'SIGINT' | 'SIGTERM' | undefined
  /** Steps that were begun and failed, or had to be left half-way. */
  readonly failedSteps?: number
  /** Checked and not fine: findings of severity error, expectations missed, hazards that were not allowed, steps that were not begun. */
  readonly refusals?: number
}

/**
 * The exit codes of product.md, in one place: 130 and 143 after a signal, 2 could not look, 3 stopped part-way,
 * 1 looked and the answer is no, 0 otherwise.
 */
export function exitCode({ error, signal, failedSteps = 0, refusals = 0 }: Ending): 0 | 1 | 2 | 3 | 130 | 143 {
  if (signal !== undefined) return signal === 'SIGINT' ? 130 : 143
  if (error !== undefined) return 2
  if (failedSteps > 0) return 3
  return refusals > 0 ? 1 : 0
}
