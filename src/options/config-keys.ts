/**
 * What perfdb.yaml may set, in the order in which `perfdb config` tells it: the options of the command line in snake_case, and the files that
 * are used when none is named. Kept without zod, so that a run without a file loads none of it.
 */
export const settingKeys = [
  'url',
  'load',
  'profiles',
  'pools',
  'allow',
  'prune',
  'max_size',
  'max_wait',
  'lock_wait',
  'jobs',
  'retries',
  'on_queue',
  'on_disconnect',
  'window',
  'max_lag',
  'ledger',
  'measure',
  'samples',
  'time_budget',
  'statement_timeout',
  'baseline',
  'exit_code',
  'offline',
  'fail_on',
  'format',
  'report',
  'color',
  'quiet',
  'verbose',
] as const

export type SettingKey = (typeof settingKeys)[number]

/** Those of --format that every command has. */
export const configFormats = [
  'text',
  'json',
  'jsonl',
  'markdown',
  'html',
  'junit',
  'sarif',
  'github',
  'gitlab',
] as const
