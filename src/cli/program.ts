import { Command, CommanderError, Option } from 'commander'
import { perfdbVersion } from '../commands/version.js'
import type { PerfdbError } from '../errors.js'
import type * as actions from './actions.js'
import { examples, exitCodes } from './examples.js'
import type { Options } from './invocation.js'
import {
  allowOption,
  countOption,
  durationOption,
  formatOption,
  listOption,
  numberOption,
  reportOption,
  sizeOption,
  windowOption,
} from './options.js'
import { endQuietlyOnClosedPipe, printError } from './streams.js'
import { unknownHelp, usageError, wantsJson } from './usage.js'

/** Runs one command line to its exit code. Nothing is thrown: what goes wrong is printed. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  endQuietlyOnClosedPipe()
  const args = argv.slice(2)
  const ending = { code: 0 }
  const program = buildProgram(ending)
  const unknown = unknownHelp(program, args)
  if (unknown !== undefined) return refuse(unknown, args)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') return 2
    return refuse(usageError(error, program, args), args)
  }
  return ending.code
}

async function refuse(error: PerfdbError, args: readonly string[]): Promise<number> {
  const format = wantsJson(args) ? 'json' : 'text'
  await printError(error, args[0] ?? '', 2, { format, reports: [], color: 'auto', verbose: false })
  return 2
}

/** The command line as commander sees it; the README's command reference is written from it. */
export function buildProgram(ending: { code: number } = { code: 0 }): Command {
  const program = new Command('perfdb')
    .description(
      'Proves that each declared PostgreSQL index exists, is valid, is used and pays for itself, and that the next deployment still fits in max_connections.',
    )
    .version(perfdbVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  const add = (usage: string, description: string, action: keyof typeof actions): Command =>
    program
      .command(usage)
      .description(description)
      .action(async (...parts: unknown[]) => {
        const command = parts.at(-1)
        const named = Array.isArray(parts[0]) ? parts[0].map(String) : typeof parts[0] === 'string' ? [parts[0]] : []
        if (!(command instanceof Command)) return
        const [{ runAction }, known] = await Promise.all([import('./run.js'), import('./actions.js')])
        ending.code = await runAction(command.name(), command.opts<Options>(), named, known[action])
      })

  withPlanOptions(add('plan [profiles...]', 'what apply would do, and why; never writes', 'plan'))
    .option('--exit-code', 'exit 1 when there is something to do')
    .option('--out <file>', 'keep the plan for perfdb apply --plan')
  withBuildOptions(
    withMeasureOptions(
      withPlanOptions(
        add('apply [profiles...]', 'build what the profiles declare, concurrently, and prove what it changed', 'apply'),
      )
        .option('--plan <file>', 'run a kept plan; refused when the database has moved')
        .option('--no-ledger', 'keep no record in the schema perfdb (for roles without CREATE on the database)'),
    ).option('--no-measure', 'build without measuring the queries'),
  ).option('--jobs <n>', 'tables to build on side by side; each takes a connection more', countOption(1), 1)
  withPlanOptions(
    add(
      'verify [profiles...]',
      'declared against existing indexes, by definition and by the flags of pg_index; never writes',
      'verify',
    ),
  )
  withMeasureOptions(
    add('explain [files...]', 'measure queries of profiles, .sql files or --query, and report findings', 'explain')
      .option('--query <text>', 'one query')
      .option('--top <n>', 'the first n statements of pg_stat_statements', countOption(1))
      .addOption(
        new Option('--by <what>', 'what --top goes by').choices(['total', 'mean', 'calls', 'io']).default('total'),
      )
      .option('--statement-timeout <duration>', 'end a query that takes longer (default: 30s)', durationOption)
      .option('--save-baseline <file>', 'keep query plans, buffers, rows and times (YAML, or .json)')
      .option('--baseline <file>', 'compare with a kept baseline: exit 1 when a query plan or its buffers got worse')
      .option(
        '--allow <hazards>',
        'allow by name: WRITE_QUERY measures statements that change data, rolled back',
        allowOption,
      ),
  )
  add(
    'check-pool [pools...]',
    'add up every pool at the worst moment of a rollout, against what the server leaves',
    'checkPool',
  )
    .option('--offline', 'use the limits of the file; needs no server')
    .addOption(new Option('--fail-on <level>', 'exit 1 from this verdict on').choices(['fail', 'warn']).default('fail'))
    .option(
      '--what-if <change>',
      'judge with a change such as api.instances=6 or api.pool.max=4; repeatable',
      listOption,
    )
    .option('--watch [seconds]', 'a line a look until Ctrl-C, as through a rollout (default: every 5s)', durationOption)
    .option('--count <n>', 'with --watch: so many looks', countOption(1))
  withBuildOptions(
    add(
      'rollback [run]',
      'undo a run of the ledger: drop what it built, build what it dropped (the last run when none is named)',
      'rollback',
    ),
  ).addOption(maxWait())
  add('status', 'runs in the ledger, builds under way, who blocks them', 'status').option(
    '--runs <n>',
    'how many runs to list',
    countOption(1),
    10,
  )
  add('init', 'write a first perfdb.yaml, profile and pools file, with comments', 'init')
  add(
    'import [file.sql]',
    'write a YAML profile from the indexes of a database, or of a schema dump (- is stdin)',
    'importIndexes',
  )
    .option('--schema <glob>', 'of these schemas only; repeatable', listOption)
    .option('--table <glob>', 'of these tables only (table or schema.table); repeatable', listOption)
    .option('--index <glob>', 'these indexes only; repeatable', listOption)
    .option('--out <file>', 'where the profile goes (default: stdout)')
  add('demo', 'the whole job on an embedded PostgreSQL with the data of a job shop; needs no server', 'demo')
    .option('--scale <factor>', 'size of the data; 1 is 2 million rows', numberOption, 1)
    .option('--out <file>', 'where the report goes; its ending says the format', 'perfdb-report.html')
  for (const command of program.commands) {
    withCommonOptions(command)
    const lines = examples[command.name()]
    if (lines !== undefined) command.addHelpText('after', lines)
  }
  program.addHelpText('after', exitCodes)
  return program
}

function withCommonOptions(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option(
      '--url <url>',
      'where to connect, or "embedded" for a private server; else PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, url of perfdb.yaml, PG* variables; password from .pgpass or PGPASSWORD',
    )
    .option('--load <file.sql>', 'with --url embedded: a script that the new server runs first')
    .option('--config <file>', 'configuration file (default: perfdb.yaml of this folder)')
    .optionsGroup('Output:')
    .option(
      '--format <format>',
      'of the result on stdout: text, json, jsonl, markdown, html, junit, sarif, github, gitlab, sql (plan only), prometheus (check-pool only)',
      formatOption,
      'text',
    )
    .option('--report <format=file>', 'write the result to a file as well; repeatable', reportOption)
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .option('-q, --quiet', 'no progress')
    .option('-v, --verbose', 'everything, SQL included')
}

function withPlanOptions(command: Command): Command {
  return command
    .option(
      '--allow <hazards>',
      'allow hazards by name, comma-separated: REPLACE, RENAME, DROP, REDUNDANT ...',
      allowOption,
    )
    .option('--prune', 'drop what perfdb built and no profile declares any more')
    .addOption(
      new Option('--max-size <size>', 'an index that would be larger is a hazard (LARGE_BUILD)')
        .argParser(sizeOption)
        .default(50 * 1024 ** 3, '50GB'),
    )
    .addOption(maxWait())
}

function withMeasureOptions(command: Command): Command {
  return command
    .optionsGroup('Measuring:')
    .option('--samples <n>', 'samples of a query at most (default: 101)', countOption(1))
    .option('--time-budget <duration>', 'time for the samples of a query at most (default: 5s)', durationOption)
}

function withBuildOptions(command: Command): Command {
  return command
    .optionsGroup('Building:')
    .option('--retries <n>', 'tries after a failure that passes by itself (deadlock, lock timeout)', countOption(0), 2)
    .addOption(
      new Option('--on-queue <policy>', 'about a statement queued behind a build, which would end it with a deadlock')
        .choices(['report', 'cancel-build', 'cancel-waiter'])
        .default('report'),
    )
    .addOption(
      new Option('--on-disconnect <policy>', 'what the server does with a build whose client is gone')
        .choices(['cancel', 'finish'])
        .default('cancel'),
    )
    .option('--window <from-to>', "start builds only then, by the server's clock: 22:00-05:00", windowOption)
    .option('--max-lag <duration>', 'start no build while a replica is further behind', durationOption)
    .addOption(lockWait())
}

function maxWait(): Option {
  return new Option('--max-wait <duration>', 'how long a build may wait for one transaction without progress')
    .argParser(durationOption)
    .default(600_000, '10min')
}

function lockWait(): Option {
  return new Option('--lock-wait <duration>', 'how long to wait for another run of perfdb')
    .argParser(durationOption)
    .default(0, '0s')
}
