type Pairs = readonly (readonly [name: string, means: string])[]

/** Environment variables that perfdb reads, for the manual page. */
export const environment: Pairs = [
  ['PERFDB_DIRECT_URL', 'Where to connect when --url is not given; a direct way past a pooler, before the others.'],
  ['PERFDB_URL, DATABASE_URL', 'Where to connect, in this order.'],
  ['PERFDB_CONFIG', 'The configuration file, as --config names it.'],
  [
    'PERFDB_INSTALL',
    'With 1 the embedded server is installed into the cache of the user without a question, as --yes does.',
  ],
  ['PERFDB_CODE_CACHE', 'With 0 no code that Node compiled is kept for the next run, nor run where it was kept.'],
  ['PERFDB_ENV', 'The environment of perfdb.yaml whose values beat its top level, as --env does.'],
  [
    'PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGPASSFILE, PGSERVICE, PGSSLMODE ...',
    'As psql reads them, when no URL says otherwise.',
  ],
  ['NO_COLOR, TERM=dumb', 'No colours; --color always beats them.'],
  ['COLUMNS', 'The width of text that does not go to a terminal; 80 otherwise.'],
  ['LC_ALL, LC_CTYPE, LANG', 'Whether lines and signs may be drawn beyond ASCII.'],
  ['GITHUB_STEP_SUMMARY', 'With the format github the summary of the job is appended to this file.'],
]

/** Files that perfdb reads without being told, for the manual page. */
export const files: Pairs = [
  ['perfdb.yaml', 'The configuration: profiles, pools, allowed hazards, environments. perfdb init writes a first one.'],
  ['~/.pgpass', 'Passwords, as psql reads them (PGPASSFILE names another file).'],
  ['~/.pg_service.conf', 'Services, as psql reads them (PGSERVICEFILE names another file).'],
  [
    '~/.cache/perfdb/code',
    'What Node compiled of perfdb, so that the next run starts sooner; below XDG_CACHE_HOME where that is set, ~/Library/Caches on macOS.',
  ],
]
