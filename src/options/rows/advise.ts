import type { OptionRow } from './row.js'

/** Options of advise. */
export const adviseRows = [
  {
    flags: '--out <file>',
    read: 'file',
    help: 'save the advice as a profile, ready for perfdb plan',
    commands: ['advise'],
    commandLineOnly: true,
  },
  { flags: '--force', read: 'flag', help: 'write over the file of --out', commands: ['advise'], commandLineOnly: true },
  {
    flags: '--baseline <file>',
    read: 'file',
    help: 'with --url embedded --load schema.sql: for the server of that file (perfdb statistics), which is not asked',
    commands: ['advise'],
  },
  {
    flags: '--prove',
    read: 'flag',
    help: 'build the advice as apply would, measure the queries without and with it, and drop what was not shown to pay',
    commands: ['advise'],
    commandLineOnly: true,
  },
  {
    flags: '--max-indexes <n>',
    read: 'count',
    help: 'advise so many at most',
    commands: ['advise'],
    default: '10',
  },
  {
    flags: '--max-size <size>',
    read: 'size',
    help: 'all advised indexes together take so much at most',
    commands: ['advise'],
    default: '50GB',
  },
  {
    flags: '--exit-code',
    read: 'flag',
    help: 'exit 1 when the advice is worth --min-gain',
    commands: ['advise'],
    commandLineOnly: true,
  },
  {
    flags: '--min-gain <percent>',
    read: 'number',
    help: 'with --exit-code: so many percent of the weighted cost of all queries',
    commands: ['advise'],
    default: '20',
  },
] as const satisfies readonly OptionRow[]
