/** What the field report of the job shop says of single runs, and the queries of profiles/job-shop.yaml that try it. */
export interface DemoClaim {
  readonly claim: string
  /** As the report gives them, with unit. */
  readonly before: string
  readonly after: string
  readonly queries: readonly string[]
  /** What to know before comparing the report's figures with those measured. */
  readonly note?: string
}

/** The report's table, printed beside what the demo measured, never instead of it. */
export const demoClaims: readonly DemoClaim[] = [
  {
    claim: 'customer name search',
    before: '70 ms',
    after: '3 ms',
    queries: ['customer-name-equality', 'customer-name-page', 'customer-name-prefix', 'customer-name-contains'],
    note:
      'idx_customers_name serves a whole name and the order of names. In a linguistic collation it serves no LIKE ' +
      "(a prefix takes text_pattern_ops), and ilike '%x%' takes a GIN index with pg_trgm.",
  },
  {
    claim: 'jobs by status',
    before: '30 ms',
    after: '8 ms',
    queries: ['jobs-by-status', 'jobs-all-of-a-status'],
    note: 'a page of the newest is found in the index; all rows of a common status are read from the table as before',
  },
  {
    claim: 'job steps filter',
    before: '25 ms',
    after: '5 ms',
    queries: ['operator-tasks', 'machine-load', 'job-steps-in-order', 'job-progress'],
  },
  { claim: 'overdue jobs', before: '18 ms', after: '4 ms', queries: ['jobs-overdue-page', 'jobs-overdue-count'] },
  { claim: 'complex joins', before: '40 ms', after: '5 ms', queries: ['jobs-list', 'jobs-progress'] },
  {
    claim: 'dashboard, four queries into one',
    before: '80-100 ms',
    after: '22 ms',
    queries: ['dashboard-stats'],
    note:
      'the server does the same work for one statement as for four: what one statement saves is three round trips; ' +
      'the rest of the gain comes from the indexes',
  },
]
