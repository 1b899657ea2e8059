import type { Explanation } from './explanation.js'

/** Findings about what ran between two looks at pg_stat_statements, with the thresholds of src/measure. */
export const activityTexts = {
  STATEMENTS_HIDDEN: {
    text: 'pg_stat_statements hides the statements of other roles',
    why: 'What takes the most time may be among them.',
    rule: 'Entries of this database whose text the role may not read. Where it may read none, explain --top ends with exit code 2.',
    todo: 'grant pg_read_all_stats to the role.',
  },
  VALUES_DIFFER: {
    text: 'the values of the statistics give other rows than the calls did',
    why: 'Its time says little of what the application waits for.',
    rule: 'A query was measured with values of the statistics of its columns, and gave 10 times as many or as few rows as a call did on average (1 or more, and 10 more).',
    todo: 'Give values as the application does: a profile with params, or --query with --param.',
  },
  N_PLUS_ONE: {
    text: 'a lookup ran once for each row of another statement',
    why: 'Each call is a round trip: a loop over rows in the application costs more than the one query that it replaces.',
    rule: 'A lookup by key of 50 calls or more, under 5 ms and with at most 1.5 rows a call (10 by a foreign key), called once for each row that a statement of 5 rows a call or more returned meanwhile, within 10 %, on tables that are linked. Counters show no order: it is a suspicion.',
    todo: 'Look for the loop: one join, or one query with key = any ($1), spares the others.',
    option: '--since',
  },
  STATEMENTS_RESET: {
    text: 'pg_stat_statements began anew since the snapshot',
    why: 'All is counted since the reset, and not since the snapshot.',
    rule: 'stats_reset of pg_stat_statements_info is later than in the snapshot: a reset, a crash, or a restart without pg_stat_statements.save.',
    todo: 'Take another snapshot: perfdb explain --save-snapshot FILE.',
    option: '--since',
  },
  SERVER_RESTARTED: {
    text: 'the server was started since the snapshot',
    why: 'Its caches were empty at first, so that the times of that interval are worse than usual.',
    rule: 'pg_postmaster_start_time() is another one than in the snapshot.',
    todo: 'Take another snapshot when the interval is to have no restart.',
    option: '--since',
  },
  STATEMENTS_EVICTED: {
    text: 'pg_stat_statements was full and threw statements away',
    why: 'Calls of those statements are missing from the counters.',
    rule: 'dealloc of pg_stat_statements_info has grown since the snapshot.',
    todo: 'Raise pg_stat_statements.max; the server must be restarted.',
    option: '--since',
  },
  SINCE: {
    text: 'the interval that was looked at',
    why: 'Said so that the numbers can be read as calls and time of that interval.',
    rule: 'The counters of now less those of the snapshot.',
    todo: 'Nothing to do.',
    option: '--since',
  },
  SNAPSHOT: {
    text: 'the counters of pg_stat_statements were kept',
    why: 'A later look at them says what ran in between.',
    rule: 'The file that was named holds them.',
    todo: 'Later: perfdb explain --since FILE.',
    option: '--save-snapshot',
  },
} as const satisfies Readonly<Record<string, Explanation>>
