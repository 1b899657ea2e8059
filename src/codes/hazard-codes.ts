/** Known dangers of a step, each of which `--allow` must name before apply runs it. */
export const hazardCodes = [
  'REPLACE',
  'RENAME',
  'DROP',
  'REPLICA_IDENTITY',
  'CREATE_EXTENSION',
  'HOT_LOSS',
  'REDUNDANT',
  'LARGE_BUILD',
  'UNIQUE_BUILD',
  'LONG_TRANSACTION',
  'WRITE_QUERY',
  'LOAD',
] as const
export type HazardCode = (typeof hazardCodes)[number]
