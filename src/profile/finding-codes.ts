/** Findings about a query, which `expect.forbid` may name. */
export const queryFindingCodes = [
  'NOT_USED',
  'SEQ_SCAN',
  'ROWS_REMOVED',
  'MISESTIMATE',
  'SPILL',
  'HEAP_FETCHES',
  'LOSSY_BITMAP',
  'NESTED_LOOP',
  'JIT',
  'PLANNING_DOMINATES',
  'WORKERS_MISSING',
  'STALE_STATISTICS',
  'GENERIC_PLAN',
] as const
