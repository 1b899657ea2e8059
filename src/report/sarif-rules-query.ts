/** Codes of findings about a query: what each means, and what to do about it. */
export const queryRules: Readonly<Record<string, readonly [text: string, help: string]>> = {
  EXPECTATION_MISSED: [
    'a query misses what the profile expects',
    'Mend the query or its index, or change expect in the profile when it asked too much.',
  ],
  NOT_MEASURED: ['a query was not measured', 'The message says why.'],
  SEQ_SCAN: [
    'a query reads a whole table to keep a small part of it',
    'An index on the columns of its condition would find the rows.',
  ],
  SEQ_SCAN_OK: ['a query reads a whole table, and is right to', 'Nothing to do: an index would not be cheaper.'],
  ROWS_REMOVED: [
    'a scan finds many rows and throws most of them away',
    'Put the filtered column into the index, as a key or as its predicate.',
  ],
  MISESTIMATE: [
    'the planner is wrong about the number of rows',
    'Run ANALYZE; for columns that depend on one another create statistics (CREATE STATISTICS).',
  ],
  SPILL: ['a sort or hash went to disk', 'Raise work_mem for the role, or give the order an index.'],
  HEAP_FETCHES: ['an index-only scan looks into the table', 'VACUUM the table: its pages are not all-visible.'],
  LOSSY_BITMAP: ['a bitmap kept only block numbers', 'Raise work_mem, or narrow the condition.'],
  NESTED_LOOP: [
    'the inner side of a nested loop runs very often',
    'An index on the inner join column, or better estimates, so that the planner chooses a hash join.',
  ],
  JIT: ['compiling takes much of the time', 'Raise jit_above_cost, or switch jit off for the role.'],
  PLANNING_DOMINATES: ['planning takes longer than execution', 'Use prepared statements, or fewer partitions.'],
  WORKERS_MISSING: ['a parallel query got fewer workers than planned', 'Raise max_parallel_workers.'],
  STALE_STATISTICS: ['the statistics of a table are old', 'Run ANALYZE for the table.'],
  GENERIC_PLAN: [
    'the generic query plan is much worse than the custom one',
    'Drivers that prepare statements get it after five executions: plan_cache_mode = force_custom_plan.',
  ],
  JOIN_FILTER: ['a join puts pairs together and drops most', 'Join by equality on indexed columns where possible.'],
  CORRELATED_SUBPLAN: ['a sub-query runs once a row', 'Write it as a join or as a lateral join.'],
  TRIGGER_TIME: ['triggers take much of the time', 'Index the referencing columns of the foreign keys.'],
  IO_BOUND: ['a query waits for the disk', 'Read fewer blocks, or give the server more memory.'],
  LARGE_OFFSET: ['OFFSET reads rows to skip them', 'Page by the last key seen instead.'],
  TOPN_SORT: ['all rows are sorted for the first few', 'An index in that order stops after those few.'],
  INDEX_RECHECK: ['many rows that the index finds do not hold', 'Use an index that is exact for this condition.'],
  MEMOIZE: ['Memoize rarely had the answer', 'Raise work_mem, or switch enable_memoize off for the query.'],
  TEMP_IO: ['a node writes temporary blocks', 'Raise work_mem, or keep fewer rows.'],
  SERIALIZATION: ['turning rows into text takes much of the time', 'Select fewer columns or fewer rows.'],
  WAL_HEAVY: ['a statement writes much WAL', 'Write in smaller parts, or away from a checkpoint.'],
  SKIP_SCAN: ['an index is used without its leading column', 'An index that leads with the compared column is faster.'],
  LARGE_RESULT: ['very many rows go to the client', 'Ask for a page, or aggregate in the database.'],
  COLD_CACHE: ['blocks were not in shared buffers', 'The first times are of a cold cache: measure again.'],
  SETTINGS: ['measured with changed planner settings', 'The numbers hold only for sessions with these settings.'],
  DISABLED_NODE: [
    'a kind of node stands there although it is switched off',
    'There is no other way: an index, or another setting, would open one.',
  ],
  PARAMETER_SENSITIVE: [
    'the query plan depends on the values',
    'Measure every set that matters; plan_cache_mode = force_custom_plan keeps it so for prepared statements.',
  ],
  REGRESSED: [
    'a query got worse than its baseline',
    'More buffers, or a scan that was not there: mend it, or keep a new baseline.',
  ],
  PLAN_CHANGED: ['another query plan than in the baseline, and no dearer', 'Keep a new baseline when it shall stay.'],
}
