/** What stands below the options in `perfdb help` of a command, by its name; 80 columns. */
export const examples: Readonly<Record<string, string>> = {
  plan: below('Examples:', [
    'perfdb plan                                   profiles of perfdb.yaml',
    'perfdb plan profiles/ --exit-code             exit 1 when there is work',
    'perfdb plan my.yaml --out plan.json           keep it for apply --plan',
    'perfdb plan my.yaml --format sql              a script for review',
    'perfdb plan my.yaml --export dbmate           migrations for another tool',
    'perfdb plan my.yaml --url embedded --load schema.sql',
  ]),
  apply: below('Examples:', [
    'perfdb apply my.yaml --report markdown=report.md',
    'perfdb apply my.yaml --allow REPLACE,DROP     allow hazards by name',
    'perfdb apply my.yaml --jobs 2 --no-measure    build only, two tables at once',
    'perfdb apply --plan plan.json                 what was reviewed, nothing else',
  ]),
  worker: below('Examples:', [
    'perfdb worker --queue postgres://user@host/db    beside apply --queue',
    'perfdb worker --queue "$QUEUE_URL" --metrics 9187 --format jsonl',
  ]),
  verify: below('Examples:', [
    'perfdb verify profiles/                       exit 1 on any difference',
    'perfdb verify my.yaml --format json',
  ]),
  explain: below('Examples:', [
    'perfdb explain my.yaml                        the queries of a profile',
    'perfdb explain slow.sql --time-budget 10s     each statement of a file',
    'perfdb explain --query "select * from jobs where id = $1" --param 7',
    'perfdb explain --top 20 --out slow.yaml       the slowest as a profile',
    'perfdb explain plan.json server.log           query plans; needs no server',
    'psql -c "explain (analyze, buffers) ..." | perfdb explain -',
  ]),
  advise: below('Examples:', [
    'perfdb advise my.yaml                         for the queries of a profile',
    'perfdb advise --top 50 --out advised.yaml     of pg_stat_statements',
    'perfdb advise my.yaml --prove                 build, measure, keep what pays',
    'perfdb advise server.log --exit-code          exit 1 when it is worth 20 %',
    'perfdb advise queries/ --url embedded --load schema.sql --baseline main.json',
  ]),
  load: below('Examples:', [
    'perfdb load my.yaml --rate 20,100,500         10 s each, 10 connections',
    'perfdb load my.yaml --rate 50 --mix a=6 --mix b=1 --duration 1min',
  ]),
  statistics: below('Examples:', [
    'perfdb statistics --out shop.stats.json       of DATABASE_URL; reads only',
    'perfdb statistics --out s.json --hide customers.email',
    'perfdb statistics queries.sql --out s.json --no-values',
    'perfdb explain my.yaml --url embedded --load schema.sql --statistics s.json',
  ]),
  compare: below('Examples:', [
    'perfdb compare before.json after.json         two files of EXPLAIN',
    'perfdb compare monday.log friday.log          of auto_explain, query by query',
  ]),
  'check-pool': below('Examples:', [
    'perfdb check-pool my.pools.yaml --offline     with the limits of the file',
    'perfdb check-pool my.pools.yaml --suggest     sizes that fit, as YAML',
    'perfdb check-pool my.pools.yaml --fail-on warn',
  ]),
  history: below('Examples:', [
    'perfdb history                                a line for each query and index',
    'perfdb history jobs-by-status --runs 50       run by run',
    'perfdb history public.idx_jobs_status --format html',
  ]),
  rollback: below('Examples:', [
    'perfdb rollback                               the last run',
    'perfdb rollback 7                             run 7 of perfdb status',
    'perfdb rollback --dry-run                     what it would do',
  ]),
  import: below('Examples:', [
    'perfdb import > my.yaml                       every index of the database',
    "perfdb import --schema app --index 'idx_*' --out my.yaml",
    'pg_dump -s mydb | perfdb import -             without a connection of its own',
  ]),
  config: below('Examples:', [
    'perfdb config --env production                what would be in force there',
    'perfdb config --max-wait 5min                 with an option of apply',
  ]),
  doctor: below('Examples:', [
    'perfdb doctor --url postgres://user@host/database',
    'perfdb doctor --format json                   checks: [{code, ok, message}]',
  ]),
  init: below('Examples:', ['perfdb init && perfdb plan --env ci           on a private server, at once']),
  demo: below('Examples:', [
    'perfdb demo                                   2 million rows, a few minutes',
    'perfdb demo --scale 0.1                       a tenth of it',
    'perfdb demo pam                               tables of a personal assistant',
  ]),
}

/** What stands below the list of commands. */
export const exitCodes = `${below('Exit codes:', [
  '0  done, nothing to do, or every check passes',
  '1  checked, and not fine: drift, an expectation missed, pool over budget',
  '2  could not start: bad option, bad profile, no connection, missing privilege',
  '3  stopped part-way: a step was begun and failed, or had to be left',
  '129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM, after cleaning up',
])}\n${below('First steps:', [
  'perfdb demo                                   no server needed',
  'perfdb plan my.yaml --url postgres://user@host/database',
  'perfdb help SEQ_SCAN                          what a code means; help codes: all',
])}`

function below(title: string, lines: readonly string[]): string {
  return `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`
}
