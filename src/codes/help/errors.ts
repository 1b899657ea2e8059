import type { ErrorCode } from '../../errors.js'
import type { ErrorText } from './explanation.js'

/** Errors of the command line, of files, of profiles against the server, and of perfdb/runtime. What to do about each is its hint in errors.ts. */
export const profileErrorTexts = {
  BAD_OPTION: {
    text: 'the command line cannot be understood',
    why: 'Nothing was looked at and nothing was changed.',
    rule: 'An option, a value or a number of names that the command does not take, or a file that cannot be written.',
  },
  BAD_FORMAT: {
    text: 'there is no such format',
    why: 'Nothing was looked at.',
    rule: 'sql is for plan only, prometheus for check-pool only.',
    option: '--format, --report',
  },
  FILE_NOT_FOUND: {
    text: 'a file that was named is not there',
    why: 'A profile that is not read would not be proven.',
    rule: 'No file, folder or glob of that name, relative to the working folder.',
    option: '--config',
  },
  FILE_UNREADABLE: {
    text: 'a file cannot be read',
    why: 'A profile that is not read would not be proven.',
    rule: 'The operating system refused; its message is the detail.',
  },
  FILE_EXISTS: {
    text: 'a file to be written is there already',
    why: 'What somebody wrote is never overwritten.',
    rule: 'perfdb init and plan --export write new files only.',
    option: '--out-dir',
  },
  NO_PROFILE: {
    text: 'nothing says what is declared',
    why: 'There is nothing to compare with.',
    rule: 'No profile on the command line, and none in perfdb.yaml.',
    option: 'profiles in perfdb.yaml',
  },
  BAD_YAML: {
    text: 'a file is no YAML',
    why: 'Nothing of it could be trusted.',
    rule: 'The YAML 1.2 parser refused it at the place that is named.',
  },
  BAD_SQL: {
    text: 'a SQL file holds something else than a profile does',
    why: 'perfdb runs no statement that it does not know.',
    rule: "PostgreSQL's own parser reads it; CREATE INDEX and ANALYZE are known.",
  },
  UNKNOWN_KEY: {
    text: 'a key of a file is not known',
    why: 'A key with a slip would otherwise be silently ignored.',
    rule: 'The key is not in the schema of the file; the nearest known one is named.',
  },
  BAD_VALUE: {
    text: 'a value of a file cannot be right',
    why: 'It would be guessed at otherwise.',
    rule: 'The schema of the file says what is allowed: type, range, words.',
  },
  MISSING_ENVIRONMENT: {
    text: '${NAME} has no value',
    why: 'An empty password or host would be tried otherwise.',
    rule: 'The environment variable is not set.',
  },
  NAME_TOO_LONG: {
    text: 'a name is longer than PostgreSQL keeps',
    why: 'The server would cut it silently, and two names could become one.',
    rule: 'Over 63 bytes in UTF-8.',
  },
  DUPLICATE_NAME: {
    text: 'a name is declared twice',
    why: 'Which of both is meant cannot be known.',
    rule: 'Two indexes of one schema, or two queries of one profile, have one name.',
  },
  UNKNOWN_REFERENCE: {
    text: 'a name refers to nothing',
    why: 'A promise about something that is not there would always hold.',
    rule: 'for, uses or a service, server, pooler or policy names what no file declares.',
  },
  UNBOUNDED_POOL: {
    text: 'a pool has no maximum',
    why: 'An unlimited pool fits in no max_connections.',
    rule: 'The maximum of a pool, or its overflow, is unlimited or not said for a driver whose default is unlimited.',
    option: 'pool.max in the pools file',
  },
  NO_TENANTS: {
    text: 'no tenant is left to work on',
    why: 'A command that looks at nothing would end as if all were in order.',
    rule: 'The list is empty, or --tenant, --label and --exclude leave none of it.',
    option: '--tenants, --tenants-file',
  },
  SAME_DATABASE: {
    text: 'two tenants are one database',
    why: 'It would be worked on twice, and counted as two.',
    rule: 'The same server (port and start of its postmaster), database and schema, whatever the urls say; or the master database of the registry.',
  },
  TENANT_GONE: {
    text: 'the queue names a tenant that the list of this worker does not have',
    why: 'The tenant went away after the run began, or the worker reads another list; it is an outcome, and stops no other tenant.',
    rule: 'No tenant of that id is in the list, read anew for the run.',
    option: '--tenants-file',
  },
  NO_PG_BOSS: {
    text: 'the package pg-boss is not installed',
    why: 'It is the queue; only perfdb worker and apply with --queue need it.',
    rule: 'import of pg-boss fails.',
    option: '--queue',
  },
  WORKER_REFUSED: {
    text: 'the worker is not what the run wants',
    why: 'Another version may plan otherwise, and other profiles would build other indexes.',
    rule: 'The job names the version of perfdb and a digest of the profiles of the tenant; both must be the same. The job goes back to the queue, and the worker ends.',
    option: '--queue',
  },
  WORKER_LOST: {
    text: 'the workers that had this tenant were lost, again and again',
    why: 'Nobody knows how far the last one came; its server finished or cancelled what was being built.',
    rule: 'The heartbeat of the job was missed eleven times.',
    option: '--heartbeat',
  },
  QUEUE_LOST: {
    text: 'the queue did not answer for so long that nobody waits for it any more',
    why: 'What became of tenants that workers had or took meanwhile, this run does not know; the workers themselves go on and wait for the queue.',
    rule: 'No answer for the time of --queue-wait.',
    option: '--queue-wait',
  },
  TAKEOVER_REFUSED: {
    text: 'a worker hangs with the lock of a tenant, and its sessions may not be ended',
    why: 'It would hold the lock as long as its connection lives, which may be for ever.',
    rule: 'The heartbeat of its job was missed, its sessions of this job have been idle for 5 s, and the role of the next worker may not end them.',
  },
  NO_TABLE: {
    text: 'a declared table does not exist',
    why: 'An index needs a table; often it is the wrong database or a migration that has not run.',
    rule: 'The catalog has no relation of that schema and name.',
  },
  NO_COLUMN: {
    text: 'a declared column does not exist',
    why: 'PostgreSQL would refuse the build.',
    rule: 'The server refused the declaration on an empty copy of the table.',
  },
  NO_SCHEMA: {
    text: 'a declared schema does not exist',
    why: 'Often it is the wrong database.',
    rule: 'pg_namespace has no such name.',
  },
  NO_EXTENSION: {
    text: 'an extension that the profile needs is not installed',
    why: 'Its opclasses and functions are missing.',
    rule: 'pg_extension has no such name.',
    option: '--allow CREATE_EXTENSION',
  },
  BAD_DEFINITION: {
    text: 'PostgreSQL refuses the declared index',
    why: 'Found on an empty copy of the table, before the real one is touched.',
    rule: 'The build on the copy failed: unknown opclass, expression that is not immutable, and so on.',
  },
  NOT_INDEXABLE: {
    text: 'the relation cannot have an index',
    why: 'Views and foreign tables have no storage of their own.',
    rule: 'relkind of the relation is neither table, partitioned table nor materialized view.',
  },
  NAME_TAKEN: {
    text: 'another relation has the name',
    why: 'Tables, views, sequences and indexes of a schema share one set of names.',
    rule: 'pg_class has a relation of that name that is no index of this table.',
  },
  POOL_TIMEOUT: {
    text: 'perfdb/runtime: no connection within acquire_timeout',
    why: 'The process has as many connections open as its pools file gives it, and a request waits no longer.',
    rule: 'All connections of the pool or of the process were busy for acquire_timeout; the detail says how many, and how many requests wait for what.',
  },
  POOL_CLOSED: {
    text: 'perfdb/runtime: the pools are closed',
    why: 'A connection that is opened after close() would never be closed.',
    rule: 'A query, a tenant or an audit row came after close() of the application object was called.',
  },
  AUDIT_FULL: {
    text: 'perfdb/runtime: the audit queue had no room within block_timeout',
    why: 'The queue is bounded, so that rows that cannot be written fill no memory.',
    rule: 'audit.queue rows waited for block_timeout, with when_full: block.',
  },
} as const satisfies Partial<Readonly<Record<ErrorCode, ErrorText>>>
