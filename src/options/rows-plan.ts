import type { OptionRow } from './row.js'

const planning = ['plan', 'apply', 'verify'] as const

/** What is planned, and what becomes of the plan. */
export const planRows: readonly OptionRow[] = [
  {
    flags: '--allow <hazards>',
    read: 'hazards',
    help: 'allow hazards by name, comma-separated: REPLACE, RENAME, DROP, REDUNDANT ...',
    commands: planning,
    setting: 'Hazards that are allowed without --allow; --allow adds to them',
  },
  {
    flags: '--prune',
    read: 'flag',
    help: 'drop what perfdb built and no profile declares any more',
    commands: planning,
    setting: 'Drop what perfdb built and no profile declares any more',
  },
  {
    flags: '--max-size <size>',
    read: 'size',
    help: 'an index that would be larger is a hazard (LARGE_BUILD)',
    commands: planning,
    default: '50GB',
    setting: 'An index that would be larger is a hazard (LARGE_BUILD); 50GB when left out',
  },
  {
    flags: '--max-wait <duration>',
    read: 'duration',
    help: 'how long a build may wait for one transaction without progress',
    commands: [...planning, 'rollback'],
    default: '10min',
    setting: 'How long a build may wait for one transaction without progress; 10min when left out',
  },
  {
    flags: '--exit-code',
    read: 'flag',
    help: 'exit 1 when there is something to do, or to refuse',
    commands: ['plan'],
    setting: 'plan exits 1 when there is something to do',
    commandLineOnly: true,
  },
  {
    flags: '--fail-on <what>',
    read: 'words',
    help: 'exit 1 when apply would refuse it, or when there is work (as --exit-code)',
    commands: ['plan'],
    words: ['refused', 'work'],
    commandLineOnly: true,
  },
  {
    flags: '--out <file>',
    read: 'file',
    help: 'save the plan for perfdb apply --plan',
    commands: ['plan'],
    commandLineOnly: true,
  },
  {
    flags: '--what-if',
    read: 'flag',
    help: 'which of the indexes the planner would choose, by the extension HypoPG; builds nothing',
    commands: ['plan'],
  },
  {
    flags: '--export <tool>',
    read: 'words',
    help: 'write what is to do as migrations of another tool, each outside a transaction',
    commands: ['plan'],
    words: ['kysely', 'node-pg-migrate', 'dbmate', 'graphile-migrate', 'flyway'],
    commandLineOnly: true,
  },
  {
    flags: '--out-dir <dir>',
    read: 'file',
    help: "with --export: where the migrations go (default: the tool's own folder)",
    commands: ['plan'],
    commandLineOnly: true,
  },
  {
    flags: '--dry-run',
    read: 'flag',
    help: 'show the plan and change nothing: the same as perfdb plan',
    commands: ['apply'],
    commandLineOnly: true,
  },
  {
    flags: '--dry-run',
    read: 'flag',
    help: 'show what would be done, and change nothing',
    commands: ['rollback'],
  },
  {
    flags: '--yes',
    read: 'flag',
    help: 'do not ask; without a terminal nothing is asked anyway',
    commands: ['rollback'],
    commandLineOnly: true,
  },
  {
    flags: '--plan <file>',
    read: 'file',
    help: 'run a saved plan; refused when the database has moved',
    commands: ['apply'],
  },
  {
    flags: '--no-ledger',
    read: 'flag',
    help: 'keep no record in the schema perfdb (for roles without CREATE on the database)',
    commands: ['apply'],
    setting: 'false keeps no record in the schema perfdb of the database',
  },
]
