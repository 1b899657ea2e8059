import type { TransactionSettings } from './settings.js'
import type { Role } from './pin.js'

/** A parameter value in PostgreSQL's text form; the server infers its type. A list becomes an array literal. */
export type Parameter = string | number | boolean | null | readonly string[] | readonly number[]

/**
 * One backend, one set of pinned settings, one socket. Never reconnects: once the backend is gone every call throws
 * CONNECTION_LOST (faults 51, 52). int8 and oid arrive as number, numeric as string, json parsed, timestamps as Date,
 * arrays of these as arrays; all other types in PostgreSQL's text form.
 */
export interface Session extends AsyncDisposable {
  /** pg_backend_pid() of this session. */
  readonly pid: number
  /** server_version_num: 150018 for 15.18. */
  readonly versionNum: number
  /** `15.18` */
  readonly version: string
  /** host:port/database as user, never the password. */
  readonly label: string
  /** Where it is connected, for reports. */
  readonly host: string
  readonly port: number
  readonly database: string
  /**
   * Which database this is, whatever url led here: port, start of the postmaster in microseconds (clones of one disk have one system identifier and
   * the same oids) and name.
   */
  readonly identity: string
  readonly user: string
  /** pg_is_in_recovery(): a standby. */
  readonly inRecovery: boolean
  /** default_transaction_read_only is on for this role or database. */
  readonly readOnly: boolean
  /**
   * A pooler answers: the pid of BackendKeyData is not pg_backend_pid() (fault 58). Every transaction may then run on
   * another backend, so that `pid` means little; settings are pinned in each transaction anew.
   */
  readonly pooled: boolean
  /** search_path of the role and database before perfdb pinned its own, as SQL text. */
  readonly defaultSearchPath: string
  /** True once the socket is closed. */
  readonly lost: boolean
  /**
   * Runs exactly one statement by the extended protocol (two in one text are refused, fault 49).
   * Throws PerfdbError: the primary message, detail, hint, position and SQLSTATE of the server's error.
   */
  query<Row>(text: string, parameters?: readonly Parameter[]): Promise<Row[]>
  /** Rolls back always. The callback gets the same session; statements run inside the transaction. */
  rolledBack<T>(settings: TransactionSettings, work: () => Promise<T>): Promise<T>
  /** Commits when the callback returns, rolls back when it throws. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Notices and warnings of the server since the last call, oldest first. */
  takeNotices(): readonly Notice[]
  /** Asks the server to cancel the statement that runs now (CancelRequest); resolves when the server took it. What is asked meanwhile is sent then: it is not met. */
  cancel(): Promise<void>
}

export interface Notice {
  readonly severity: string
  readonly code: string
  readonly message: string
}

export type Connect = (role: Role) => Promise<Session>
