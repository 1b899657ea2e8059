import { Help, Option, type Command } from 'commander'
import { settingKeys } from '../options/config-keys.js'
import { attributeOf } from './config-settle.js'
import {
  allowOption,
  countOption,
  durationOption,
  formatOption,
  reportOption,
  sizeOption,
  windowOption,
} from './options.js'

/* Options that several commands have, in the order of their help. */

/** Where to connect, and in which form the result goes where: every command has these. */
export function withCommonOptions(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option(
      '--url <url>',
      'where to connect, or "embedded" for a private server; else PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, url of perfdb.yaml, PG* variables; password from .pgpass or PGPASSWORD',
    )
    .option('--load <file.sql>', 'with --url embedded: a script that the new server runs first')
    .option('--config <file>', 'configuration file (default: the nearest perfdb.yaml from this folder up)')
    .option('--env <name>', 'its environment of that name beats its top level (else PERFDB_ENV)')
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

/** Takes every option that perfdb.yaml can set, to tell what it would be; its help names none of them. */
export function withAllSettings(command: Command, commands: readonly Command[]): Command {
  const names = new Set(settingKeys.map(attributeOf))
  const others = commands.flatMap((one) => one.options).filter((option) => names.has(option.attributeName()))
  const borrowed = [...new Map(others.map((option) => [option.attributeName(), option])).values()]
  for (const option of borrowed) command.addOption(option)
  const help = new Help()
  return command.configureHelp({
    visibleOptions: (each) => help.visibleOptions(each).filter((option) => !borrowed.includes(option)),
  })
}

/** What is allowed, and which sizes and waits are hazards. */
export function withPlanOptions(command: Command): Command {
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

/** How many samples, and for how long. */
export function withMeasureOptions(command: Command): Command {
  return command
    .optionsGroup('Measuring:')
    .option('--samples <n>', 'samples of a query at most (default: 101)', countOption(1))
    .option('--time-budget <duration>', 'time for the samples of a query at most (default: 5s)', durationOption)
}

/** How builds wait, are tried again, and end. */
export function withBuildOptions(command: Command): Command {
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

/** --max-wait; milliseconds. */
export function maxWait(): Option {
  return new Option('--max-wait <duration>', 'how long a build may wait for one transaction without progress')
    .argParser(durationOption)
    .default(600_000, '10min')
}

function lockWait(): Option {
  return new Option('--lock-wait <duration>', 'how long to wait for another run of perfdb')
    .argParser(durationOption)
    .default(0, '0s')
}
