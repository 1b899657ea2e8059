import { Command, CommanderError } from 'commander'
import { outputLost } from '../result/exit-code.js'
import { perfdbVersion } from '../result/version.js'
import { PerfdbError } from '../errors.js'
import type * as actions from '../actions/actions.js'
import { theProcess, type Outside, type OutputStream } from '../settings/outside.js'
import { addCompletion } from './completion/completion.js'
import { examples, exitCodes } from './help/examples.js'
import { withAllSettings, withOptions } from './options.js'
import { lostOutput, printError, printLost, surviveLostStreams } from './terminal/streams.js'
import { commandFirst, unknownHelp, usageError, wantedOutput } from './help/usage.js'

/** Runs one command line to its exit code. Nothing is thrown: what goes wrong is printed; what could not be printed counts too. */
export async function runCommandLine(outside: Outside = theProcess): Promise<number> {
  surviveLostStreams(outside.streams)
  const code = await codeOf(outside)
  const lost = await lostOutput(outside.streams.stdout)
  if (lost === undefined) return code
  await printLost(outside, lost, outside.argv[2] ?? '', outputLost(code))
  return outputLost(code)
}

async function codeOf(outside: Outside): Promise<number> {
  const { argv, streams } = outside
  const args = commandFirst(argv.slice(2))
  const ending = { code: 0 }
  const [name = ''] = args
  const program = buildProgram(ending, ['help', 'completion'].includes(name) ? undefined : name, outside)
  try {
    if (args[0] === 'help' && args[1] === 'pools') {
      const { poolsReference } = await import('../pools/file/reference.js')
      streams.stdout.write(poolsReference())
      return 0
    }
    if (args[0] === 'help' && args.length > 1) {
      const { explainedCodes } = await import('./help/help.js')
      const text = explainedCodes(program, args, outside)
      if (text !== undefined) {
        streams.stdout.write(text)
        return 0
      }
    }
    const unknown = unknownHelp(program, args)
    if (unknown !== undefined) return await refuse(outside, unknown, args)
    await program.parseAsync([...argv.slice(0, 2), ...args])
  } catch (error) {
    if (error instanceof PerfdbError) return refuse(outside, error, args)
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') return 2
    return refuse(outside, usageError(error, program, args), args)
  }
  return ending.code
}

async function refuse(outside: Outside, error: PerfdbError, args: readonly string[]): Promise<number> {
  await printError(outside, error, args[0] ?? '', 2, { ...wantedOutput(args), color: 'auto', verbose: false })
  return 2
}

/**
 * The command line as commander sees it; docs/commands.md is written from it. Where one command is named it alone has its options: making those of all
 * takes longer than reading a profile.
 */
export function buildProgram(
  ending: { code: number } = { code: 0 },
  named?: string,
  outside: Outside = theProcess,
): Command {
  const { streams } = outside
  const program = new Command('perfdb')
    .description(
      'Proves that each declared PostgreSQL index exists, is valid, is used and pays for itself, and that the next deployment still fits in max_connections.',
    )
    .version(perfdbVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [name]', 'explain a command, or a code such as SEQ_SCAN')
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      getOutHelpWidth: () => widthOf(streams.stdout),
      getErrHelpWidth: () => widthOf(streams.stderr),
    })
  const add = (usage: string, description: string, action: keyof typeof actions | 'worker'): Command =>
    program
      .command(usage)
      .description(description)
      .action(async (...parts: unknown[]) => {
        const command = parts.at(-1)
        const named = Array.isArray(parts[0]) ? parts[0].map(String) : typeof parts[0] === 'string' ? [parts[0]] : []
        if (!(command instanceof Command)) return
        const [{ runAction }, known, { overTenants }] = await Promise.all([
          import('./run.js'),
          import('../actions/actions.js'),
          import('../actions/fleet/over-tenants.js'),
        ])
        const run =
          action === 'worker'
            ? (await import('../actions/fleet/worker-action.js')).worker
            : overTenants(command.name(), known[action])
        ending.code = await runAction(outside, command, named, run)
      })

  add('plan [profiles...]', 'what apply would do, and why; never writes', 'plan')
  add('apply [profiles...]', 'build what the profiles declare, concurrently, and prove what it changed', 'applyOrPlan')
  add(
    'worker [profiles...]',
    'take tenants of apply --queue from the queue and build what the profiles declare there; ends after its tenant on SIGTERM',
    'worker',
  )
  add(
    'verify [profiles...]',
    'declared against existing indexes, by definition and by the flags of pg_index; never writes',
    'verify',
  )
  add('explain [files...]', 'measure queries of profiles, .sql files or --query, and report findings', 'explain')
  add(
    'advise [files...]',
    'which indexes are missing: each was tried on a twin of the server, where the planner took it; builds nothing there',
    'advise',
  )
  add(
    'load [profiles...]',
    'send the queries that read at rates of your own, and measure what whoever waits for them feels',
    'load',
  )
  add(
    'statistics [files...]',
    'sizes and statistics of a database into a file, for a twin that plans as it does without its rows',
    'statistics',
  )
  add(
    'compare <files...>',
    'two query plans, or two result documents of perfdb, side by side; needs no server',
    'compare',
  )
  add(
    'check-pool [pools...]',
    'add up every pool at the worst moment of a rollout, against what the server leaves',
    'checkPool',
  )
  add(
    'rollback [run]',
    'undo a run of the ledger: drop what it built, build what it dropped (the last run when none is named); again, it goes on with what is left',
    'rollback',
  )
  add('status', 'runs in the ledger, builds under way, who blocks them', 'status')
  add('history [name]', 'sizes of indexes, times and verdicts of queries over the runs of the ledger', 'history')
  add(
    'doctor',
    'what perfdb could do here: Node, server, pooler, rights, extensions; with the grants to paste',
    'doctor',
  )
  add(
    'init [pools...]',
    'write a first perfdb.yaml, profile and pools file, with comments; init pools FILE... reads what applications have',
    'init',
  )
  add(
    'import [file.sql]',
    'write a YAML profile from the indexes of a database, or of a schema dump or a folder of migrations (- is stdin)',
    'importIndexes',
  )
  add(
    'demo [name]',
    'the whole job on an embedded PostgreSQL with the data of a job shop (job-shop, pam or oms); needs no server',
    'demo',
  )
  const config = add(
    'config',
    'what is in force of perfdb.yaml, variables and flags, and where it comes from',
    'config',
  )
  for (const command of program.commands) {
    if (named !== undefined && named !== command.name()) continue
    if (command === config) withAllSettings(command)
    withOptions(command)
    const lines = examples[command.name()]
    if (lines !== undefined) command.addHelpText('after', lines)
  }
  addCompletion(program, outside)
  program.addHelpText('after', exitCodes)
  return program
}

function widthOf({ isTTY = false, columns = 80 }: OutputStream): number {
  return isTTY ? columns : 80
}
