/* What a row of the option table says; rows-*.ts have the rows, table.ts puts them together. */

export type CommandName =
  | 'plan'
  | 'apply'
  | 'worker'
  | 'verify'
  | 'explain'
  | 'statistics'
  | 'advise'
  | 'load'
  | 'check-pool'
  | 'rollback'
  | 'status'
  | 'history'
  | 'doctor'
  | 'init'
  | 'import'
  | 'demo'
  | 'config'

/** How a text is read, and what the value then is. */
export type Reader =
  | 'text'
  | 'file'
  | 'folder'
  | 'flag'
  | 'duration'
  | 'seconds'
  | 'size'
  | 'count'
  | 'number'
  | 'window'
  | 'words'
  | 'hazards'
  | 'format'
  | 'reports'
  | 'texts'
  | 'command'

export interface OptionRow {
  /** As commander takes it: `-q, --quiet`, `--max-wait <duration>`, `--no-measure`. */
  readonly flags: string
  readonly read: Reader
  readonly help: string
  /** `all`: every command but completion. */
  readonly commands: readonly CommandName[] | 'all'
  readonly group?: 'Connection:' | 'Output:' | 'Tenants:' | 'Measuring:' | 'Building:'
  /** The least of a count; 1 when left out. */
  readonly least?: number
  /** Of `words`: the only values. */
  readonly words?: readonly string[]
  /** A text that is a path, as it is written. */
  readonly completes?: 'files'
  /** perfdb.yaml may say true or false as well. */
  readonly truth?: true
  /** As it would be written. */
  readonly default?: string
  /** The default is that of the room that measures: help and `perfdb config` say it, nobody sets it. */
  readonly defaultElsewhere?: true
  /** The description of its key in perfdb.yaml, if it has one; then it has a variable as well. */
  readonly setting?: string
  /** Only of the command line; the library has its own way. */
  readonly commandLineOnly?: true
}
