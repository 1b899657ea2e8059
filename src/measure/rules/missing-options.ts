import type { Rule, RuleFinding } from './rule.js'

/**
 * MISSING_OPTION: an option of EXPLAIN that was not asked for, and what could not be judged without it. Query plans that perfdb itself asks
 * for have them all.
 * https://www.postgresql.org/docs/current/sql-explain.html
 */
export const missingOptions: Rule = ({ plan }) => {
  const told = (option: string, unknown: string): readonly RuleFinding[] => [
    {
      code: 'MISSING_OPTION',
      severity: 'info',
      message: `EXPLAIN without ${option}: ${unknown}`,
      hint: 'ask for it: explain (analyze, buffers, verbose, settings, format json) ...',
    },
  ]
  if (plan.executionMs === null && plan.nodes.every(({ loops }) => loops === 0))
    return told(
      'ANALYZE',
      'nothing ran, so that rows, times and blocks are guesses of the planner, and nothing is judged by them',
    )
  const ms = plan.options.timing ? [] : told('TIMING', 'no share of the time is known')
  return plan.options.buffers ? ms : [...ms, ...told('BUFFERS', 'how many blocks are read is not known')]
}
