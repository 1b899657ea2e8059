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

/** `sql` is a script for review, for plan only; `prometheus` is for check-pool only. */
export const formats = [...configFormats, 'sql', 'prometheus'] as const

export type Format = (typeof formats)[number]
