/** A spot in a file the user wrote; line and column count from 1, as editors do. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/**
 * Every error code, with the hint that is printed when the place that raises it has nothing better to say.
 * The exit code of all of them is 2 (could not start) unless `exitCodeOf` in cli/exit.ts says otherwise.
 */
export const errorHints = {
  // command line and files
  BAD_OPTION: 'perfdb help lists the options of every command',
  BAD_FORMAT: 'formats: text, json, jsonl, markdown, html, junit, sarif, github, gitlab',
  FILE_NOT_FOUND: 'name a profile, a folder or a glob, or run perfdb where perfdb.yaml is',
  FILE_UNREADABLE: 'check the permissions of the file',
  FILE_EXISTS: 'remove or rename it first',
  NO_PROFILE:
    'perfdb init writes a first one; perfdb import --out my.yaml takes the indexes of a database; perfdb plan my.yaml names one',
  // YAML and SQL profiles
  BAD_YAML: 'the file must be YAML 1.2',
  BAD_SQL: 'the file must hold CREATE INDEX and ANALYZE statements',
  UNKNOWN_KEY: 'see docs/profiles.md; perfdb help pools for a pools file',
  BAD_VALUE: 'see docs/profiles.md; perfdb help pools for a pools file',
  MISSING_ENVIRONMENT: 'set the environment variable, or write $${NAME} for the literal text',
  NAME_TOO_LONG: 'PostgreSQL names hold 63 bytes at most; choose a shorter one',
  DUPLICATE_NAME: 'an index name is unique in its schema; rename or remove one',
  UNKNOWN_REFERENCE: 'declare it in the same profile, or remove the reference',
  UNBOUNDED_POOL: 'give the pool a maximum: an unlimited pool fits in no max_connections',
  NO_TENANTS: 'list them: tenants of perfdb.yaml, or --tenants-file tenants.csv',
  SAME_DATABASE: 'list it once: two tenants of one database would be counted, and worked on, twice',
  TENANT_GONE: 'add it to the list again, or run the command again: a new run leaves it out',
  // a queue of tenants
  NO_PG_BOSS: 'install it beside perfdb: npm install --save-dev pg-boss@12',
  WORKER_REFUSED: 'give each worker the version, the profiles and the perfdb.yaml of the command that it works for',
  WORKER_LOST:
    'look at the logs of the workers, then run the same command again: it goes on from what the catalog says',
  QUEUE_LOST:
    'when the queue is back, run the same command again: what workers did meanwhile is in the catalogs of the tenants',
  TAKEOVER_REFUSED: 'end these sessions as their own role or as a member of pg_signal_backend',
  // profile against the server
  NO_TABLE: 'check the schema and the name, or the database that the URL names',
  NO_COLUMN: 'check the column name; names are case-sensitive once they are quoted',
  NO_SCHEMA: 'check the schema name, or the database that the URL names',
  NO_EXTENSION: 'install it: create extension NAME, or allow it with --allow CREATE_EXTENSION',
  BAD_DEFINITION: 'PostgreSQL refused the definition; its own message says why',
  NOT_INDEXABLE: 'only tables and materialized views can be indexed',
  NAME_TAKEN: 'the name belongs to another relation in that schema; choose another one',
  // connection
  NO_URL: 'give --url, or set DATABASE_URL, or PGHOST and PGDATABASE',
  BAD_URL: 'the form is postgres://user@host:5432/database?sslmode=verify-full',
  UNKNOWN_URL_PARAMETER: 'remove the parameter: PostgreSQL and libpq do not know it',
  CONNECTION_REFUSED: 'check host and port, and that the server accepts connections there',
  NODE_PERMISSION: 'start node with --allow-net, or without --permission',
  CONNECTION_LOST: 'run the same command again: it starts from what the catalog says',
  AUTHENTICATION_FAILED: 'check the user of the URL (or PGUSER), its password (PGPASSWORD, .pgpass) and pg_hba.conf',
  PASSWORD_COMMAND: 'run the command by hand: its output is not shown here',
  TLS_FAILED: 'check sslmode and sslrootcert against what the server offers',
  NO_DATABASE: 'check the database name in the URL',
  TOO_MANY_CONNECTIONS: 'perfdb check-pool shows who holds the slots',
  SERVER_TOO_OLD: 'perfdb works with PostgreSQL 14 to 18',
  SERVER_TOO_NEW: 'update perfdb',
  SETTING_REFUSED: 'connect to the server directly, not through a pooler',
  POOLER: 'use the direct URL of the server: set PERFDB_DIRECT_URL',
  STANDBY: 'connect to the primary: target_session_attrs=read-write',
  READ_ONLY: 'the session is read-only: check default_transaction_read_only',
  PRIVILEGE: 'connect as the owner of the table, or as a member of the owning role',
  FOREIGN_CODE: 'connect as the owner of the table: it would run with his rights then',
  LOCK_HELD: 'wait for the other run, or give --lock-wait a longer time',
  NO_EMBEDDED: 'give --yes to install it, or DATABASE_URL with any PostgreSQL',
  EMBEDDED_FAILED: 'its own message says why; DATABASE_URL with any PostgreSQL works as well',
  // running
  BLOCKED: 'end the transaction that is named, or give --max-wait a longer time; perfdb status shows who blocks whom',
  BUILD_FAILED: 'PostgreSQL stopped the build; its own message says why',
  DUPLICATE_KEYS: 'remove the duplicates, then run perfdb apply again',
  NOT_AS_DECLARED: 'run perfdb verify: the index is not what the profile declares',
  NOT_STARTED: 'run the same command again: it goes on from here',
  CHANGED: 'the database moved since the plan was made: run the same command again',
  HAZARD: 'allow it by name: --allow HAZARD, or in perfdb.yaml',
  PLAN_STALE: 'run perfdb plan --out again and have the new plan reviewed',
  LEDGER_UNTRUSTED: 'hand the schema perfdb over to a superuser, or keep no record of this run: --no-ledger',
  LEDGER_TOO_NEW: 'update perfdb, or keep no record of this run: --no-ledger',
  BAD_RECORD: 'the ledger in the schema perfdb was changed by somebody else: this step has to be undone by hand',
  NO_LEDGER: 'there is no run to undo: the schema perfdb does not exist in this database',
  NO_RUN: 'perfdb status lists the runs',
  RUN_NOT_NAMED: 'name the run: perfdb rollback RUN',
  DECLINED: 'answer y, or give --yes',
  NOTHING_TO_ROLL_BACK: 'perfdb status lists the runs',
  INTERRUPTED: 'run the same command again: it starts from what the catalog says',
  POOL_TIMEOUT: 'a larger process_max or pool.max, as perfdb check-pool allows it, or shorter queries',
  POOL_CLOSED: 'ask nothing more once close() was called',
  AUDIT_FULL: 'a larger audit.queue, more audit.workers, or when_full: drop_oldest',
  QUERY_FAILED: 'PostgreSQL refused the statement; its own message says why',
  OUTPUT_LOST: 'perfdb status and perfdb verify say what was done; make room and run the same command again',
  INTERNAL: 'this is a defect of perfdb: please report it with the output of --verbose',
} as const

export type ErrorCode = keyof typeof errorHints

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorHints, code)
}

export interface ErrorFields {
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly sqlstate?: string | undefined
  /** Character of the statement that the server points at, from 1. */
  readonly position?: number | undefined
  readonly place?: Place | undefined
  readonly cause?: unknown
}

/** One problem of many that are reported together (all problems of all files at once). */
export interface Problem extends Omit<ErrorFields, 'cause'> {
  readonly code: ErrorCode
  readonly message: string
}

/**
 * The only class: an error with a stable code. `message` is PostgreSQL's primary line or perfdb's own, in one line;
 * `detail` and `hint` as in PostgreSQL's error reports (manual, section "Reporting Errors"); `sqlstate` of the cause.
 */
export class PerfdbError extends Error {
  // Declared alone: what is not there is not printed as undefined.
  declare readonly code: ErrorCode
  declare readonly detail: string | undefined
  declare readonly hint: string
  declare readonly sqlstate: string | undefined
  declare readonly position: number | undefined
  declare readonly place: Place | undefined
  declare readonly problems: readonly Problem[]

  static {
    // The bundle gives it a short one.
    Object.defineProperty(this, 'name', { value: 'PerfdbError' })
  }

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, problems: readonly Problem[] = []) {
    super(withoutPasswords(message), fields.cause === undefined ? undefined : { cause: fields.cause })
    const all = problems.map((one) => ({ ...one, message: withoutPasswords(one.message) }))
    const quiet = { writable: true, configurable: true, enumerable: false }
    Object.defineProperty(this, 'name', { ...quiet, value: 'PerfdbError' })
    Object.defineProperty(this, 'problems', { ...quiet, value: all, enumerable: all.length > 1 })
    const { detail, hint, sqlstate, position, place } = fields
    const given = {
      code,
      detail: detail === undefined ? undefined : withoutPasswords(detail),
      hint: hint ?? errorHints[code],
      sqlstate,
      position,
      place,
    }
    Object.assign(this, Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
  }
}

/** A URL may stand where none belongs, and a message repeats what it does not understand: `perfdb plan postgres://me:secret@host/shop`. */
function withoutPasswords(text: string): string {
  return (
    text
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):\S*@/gi, '$1:***@')
      // The same without a scheme: me:secret@host.
      .replace(/(^|[\s'"(])([\w.+-]{1,63}):[^\s:@/'"]+@(?=[\w.[-])/g, '$1$2:***@')
      .replace(/\b((?:ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&'"]+)/gi, '$1***')
  )
}

/** One error for all problems: the first gives code and message, the rest are listed. Throws nothing itself. */
export function problemsError(problems: readonly [Problem, ...Problem[]]): PerfdbError {
  const [first] = problems
  return new PerfdbError(first.code, first.message, first, problems)
}
