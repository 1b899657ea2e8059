import { Command, CommanderError, Option } from 'commander'
import { outputLost } from '../result/exit-code.js'
import { perfdbVersion } from '../result/version.js'
import { PerfdbError } from '../errors.js'
import type * as actions from './actions.js'
import { addCompletion } from './completion.js'
import { examples, exitCodes } from './examples.js'
import {
  maxWait,
  withAllSettings,
  withBuildOptions,
  withCommonOptions,
  withMeasureOptions,
  withPlanOptions,
} from './option-groups.js'
import { allowOption, countOption, durationOption, listOption, numberOption, secondsOption } from './options.js'
import { lostOutput, printError, printLost, surviveLostStreams } from './streams.js'
import { unknownHelp, usageError, wantsJson } from './usage.js'

/** Runs one command line to its exit code. Nothing is thrown: what goes wrong is printed; what could not be printed counts too. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  surviveLostStreams()
  const code = await codeOf(argv)
  const lost = await lostOutput()
  if (lost === undefined) return code
  await printLost(lost, argv[2] ?? '', outputLost(code))
  return outputLost(code)
}

async function codeOf(argv: readonly string[]): Promise<number> {
  const args = argv.slice(2)
  const ending = { code: 0 }
  const program = buildProgram(ending)
  try {
    if (args[0] === 'help' && args.length > 1) {
      const { explainedCodes } = await import('./help.js')
      const text = explainedCodes(program, args)
      if (text !== undefined) {
        process.stdout.write(text)
        return 0
      }
    }
    const unknown = unknownHelp(program, args)
    if (unknown !== undefined) return await refuse(unknown, args)
    await program.parseAsync([...argv])
  } catch (error) {
    if (error instanceof PerfdbError) return refuse(error, args)
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
    .helpCommand('help [name]', 'explain a command, or a code such as SEQ_SCAN')
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
        ending.code = await runAction(command, named, known[action])
      })

  withPlanOptions(add('plan [profiles...]', 'what apply would do, and why; never writes', 'plan'))
    .option('--exit-code', 'exit 1 when there is something to do')
    .option('--out <file>', 'keep the plan for perfdb apply --plan')
    .option('--what-if', 'which of the indexes the planner would choose, by the extension HypoPG; builds nothing')
    .addOption(
      new Option(
        '--export <tool>',
        'write what is to do as migrations of another tool, each outside a transaction',
      ).choices(['kysely', 'node-pg-migrate', 'dbmate', 'graphile-migrate', 'flyway']),
    )
    .option('--out-dir <dir>', "with --export: where the migrations go (default: the tool's own folder)")
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
      .option('--since <snapshot>', 'go by the difference to a kept snapshot, and look for queries in loops (N+1)')
      .option('--save-snapshot <file>', 'keep the counters of pg_stat_statements for a later --since (JSON)')
      .option('--statement-timeout <duration>', 'end a query that takes longer (default: 30s)', durationOption)
      .option('--save-baseline <file>', 'keep query plans, buffers, rows and times (YAML, or .json)')
      .option('--baseline <file>', 'compare with a kept baseline: exit 1 when a query plan or its buffers got worse')
      .option('--what-if', 'which declared indexes the planner would choose, by the extension HypoPG; builds nothing')
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
    .option('--watch [seconds]', 'a line a look until Ctrl-C, as through a rollout (default: every 5s)', secondsOption)
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
  withAllSettings(
    add('config', 'what is in force of perfdb.yaml, variables and flags, and where it comes from', 'config'),
    program.commands,
  )
  for (const command of program.commands) {
    withCommonOptions(command)
    const lines = examples[command.name()]
    if (lines !== undefined) command.addHelpText('after', lines)
  }
  addCompletion(program)
  program.addHelpText('after', exitCodes)
  return program
}
