import type { Listener } from '../build/events.js'
import type { QueuePolicy } from '../build/context.js'
import type { PlanResult } from '../result/documents/result.js'
import type { HazardCode } from '../codes/hazard-codes.js'
import type { WrittenPools } from '../pools/file/schema.js'
import type { WrittenProfile } from '../profile/written/schema.js'

/** What every function takes. Without any of it the function does what the command does in this folder. */
export interface CommonOptions {
  /** postgres://user@host:5432/database, or `embedded` for a private server; else `environment` and perfdb.yaml say it. */
  readonly url?: string | undefined
  /** A program and its arguments that prints the password, anew for each connection; run without a shell. */
  readonly passwordCommand?: string | undefined
  /** With the url `embedded`: a SQL script that the new server runs first. */
  readonly load?: string | undefined
  /** Instead of process.env: DATABASE_URL, PGHOST, PGPASSWORD ... and whatever `${NAME}` in a file stands for. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  /** What paths are relative to, and where perfdb.yaml is looked for; process.cwd() by default. */
  readonly cwd?: string | undefined
  /** Another perfdb.yaml, which says what options and PERFDB_ variables leave open. */
  readonly config?: string | undefined
  /** The section of its `environments`. */
  readonly env?: string | undefined
  /**
   * Ends the run as SIGINT ends the command: apply and rollback cancel the build, clean up and return what was done with exit_code 130;
   * everything else throws INTERRUPTED.
   */
  readonly signal?: AbortSignal | undefined
  /** Progress and warnings, while it works. */
  readonly onEvent?: Listener | undefined
}

export interface ProfileOptions extends CommonOptions {
  /** Files, folders, globs, or profiles as objects of the same keys as in YAML; those of perfdb.yaml by default. */
  readonly profiles?: readonly (string | WrittenProfile)[] | undefined
  /** Hazards that are allowed, besides those of perfdb.yaml. */
  readonly allow?: readonly HazardCode[] | undefined
  /** Drop what perfdb built and no profile declares any more. */
  readonly prune?: boolean | undefined
  /** How long a build may wait for one transaction without progress; 600000 by default. */
  readonly maxWaitMs?: number | undefined
  /** An index that would be larger is the hazard LARGE_BUILD; 50 GB by default. */
  readonly maxSizeBytes?: number | undefined
}

export interface VerifyOptions extends ProfileOptions {
  /** Also collation versions, the order of btrees (by the extension amcheck, 30 s at most), and bloat by an estimate. */
  readonly deep?: boolean | undefined
}

export interface PlanOptions extends ProfileOptions {
  /** Declared indexes to rebuild by REINDEX CONCURRENTLY, as name or schema.name. */
  readonly reindex?: readonly string[] | undefined
  /** Which of the indexes the planner would choose; builds nothing on the server. */
  readonly whatIf?: boolean | undefined
  /** By what it supposes indexes: a twin, and where none can be made HypoPG. */
  readonly whatIfEngine?: 'twin' | 'hypopg' | undefined
}

export interface MeasureOptions {
  /** Samples of a query at most; 101 by default. */
  readonly samples?: number | undefined
  /** Time for the samples of a query at most; 5000 by default. */
  readonly timeBudgetMs?: number | undefined
  /** Measures through a connection to this URL: as the role of the application. */
  readonly measureUrl?: string | undefined
}

export interface BuildOptions {
  /** Tries after a failure that passes by itself; 2 by default. */
  readonly retries?: number | undefined
  /** About a statement queued behind a build, which would end it with a deadlock; `report` by default. */
  readonly onQueue?: QueuePolicy | undefined
  /** What the server does with a build whose client is gone; `cancel` by default. */
  readonly onDisconnect?: 'cancel' | 'finish' | undefined
  /** Start builds only then, by the server's clock: `22:00-05:00`. */
  readonly window?: string | undefined
  /** Start no build while a replica is further behind. */
  readonly maxLagMs?: number | undefined
  /** How long to wait for another run of perfdb; 0 by default. */
  readonly lockWaitMs?: number | undefined
}

export interface ApplyOptions extends ProfileOptions, MeasureOptions, BuildOptions {
  /** A plan that was kept, as what `plan` returned or the file of `plan --out`: PLAN_STALE when the profiles or the database are neither as they were nor further along it. Names the profiles where `profiles` does not. */
  readonly plan?: PlanResult | string | undefined
  /** Tables that are built on side by side; 1 by default. */
  readonly jobs?: number | undefined
  /** false keeps no record in the schema perfdb. */
  readonly ledger?: boolean | undefined
  /** Hides each new index for a transaction, to measure with and without it in turns (superuser); `auto`, on embedded servers only, by default. */
  readonly counterfactual?: 'auto' | 'on' | 'off' | undefined
  /** false builds without measuring the queries. */
  readonly measure?: boolean | undefined
}

interface QueryOptions {
  /** One query without parameters; one with parameters and its values is a profile. */
  readonly query?: string | undefined
  /** The first n statements of pg_stat_statements. */
  readonly top?: number | undefined
  readonly by?: 'total' | 'mean' | 'calls' | 'io' | undefined
}

export interface ExplainOptions extends CommonOptions, QueryOptions, MeasureOptions {
  /** Profiles as for plan, and .sql files of statements. */
  readonly profiles?: readonly (string | WrittenProfile)[] | undefined
  /** A file of saveSnapshot: what the statements did since then, with queries in loops (N_PLUS_ONE); the first ten without `top`. */
  readonly since?: string | undefined
  /** Keeps the counters of pg_stat_statements in this file, for a later `since`. */
  readonly saveSnapshot?: string | undefined
  /** Which indexes of the profiles the planner would choose; builds nothing on the server. */
  readonly whatIf?: boolean | undefined
  /** By what it supposes indexes: a twin, and where none can be made HypoPG. */
  readonly whatIfEngine?: 'twin' | 'hypopg' | undefined
  /** WRITE_QUERY measures statements that change data; they are rolled back. */
  readonly allow?: readonly HazardCode[] | undefined
  /** Ends a query that takes longer; 30000 by default. */
  readonly statementTimeoutMs?: number | undefined
  readonly baseline?: string | undefined
  readonly saveBaseline?: string | undefined
}

export interface AdviseOptions extends CommonOptions, QueryOptions {
  /** Profiles as for plan, .sql files of statements and folders of them. */
  readonly profiles?: readonly (string | WrittenProfile)[] | undefined
  /** With the url `embedded` and the schema as `load`: for the server of this file of `perfdb statistics`, which is not asked. */
  readonly baseline?: string | undefined
  /** So many at most; 10 by default. */
  readonly maxIndexes?: number | undefined
  /** All of them together take so much at most; 50 GB by default. */
  readonly maxSizeBytes?: number | undefined
  /** Standbys, whose scans of an index count too. */
  readonly replicas?: readonly string[] | undefined
}

export interface CheckPoolOptions
  extends CommonOptions, Pick<TenantOptions, 'tenantsFile' | 'tenant' | 'label' | 'exclude' | 'staleOk'> {
  /** With the tenants of perfdb.yaml; those of `tenantsFile`, `tenant` or `label` count without it. */
  readonly tenants?: boolean | undefined
  /** Files, folders, globs, or pool configs as objects; those of perfdb.yaml by default. */
  readonly pools?: readonly (string | WrittenPools)[] | undefined
  /** With the limits of the files; needs no server. */
  readonly offline?: boolean | undefined
  /** The verdict from which on `ok` is false; `fail` by default. */
  readonly failOn?: 'fail' | 'warn' | undefined
  /** Divides the connections of each server by declared load, else evenly: `suggestion` of the result. */
  readonly suggest?: boolean | undefined
  /** Judged with changes such as `api.instances=6`. */
  readonly whatIf?: readonly string[] | undefined
}

export interface RollbackOptions extends CommonOptions, BuildOptions {
  /** A run of the ledger; the last one that changed something by default. */
  readonly run?: number | undefined
  /** What would be done, and nothing is changed. */
  readonly dryRun?: boolean | undefined
  readonly maxWaitMs?: number | undefined
}

export interface StatusOptions extends CommonOptions {
  /** How many runs to list; 10 by default. */
  readonly runs?: number | undefined
}

/** Which tenants, and how many at once. Without any of it all of perfdb.yaml. */
export interface TenantOptions {
  /** A list in YAML, or CSV with the columns id and url, instead of that of perfdb.yaml. */
  readonly tenantsFile?: string | undefined
  /** Only tenants of these names; * and ? fit any text. */
  readonly tenant?: readonly string[] | undefined
  /** Only tenants with these labels: `region=eu`. */
  readonly label?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** Only a part of them: `3/8`. */
  readonly shard?: string | undefined
  /** Sessions on one server at most; limits of the list, or 4, by default. */
  readonly perServer?: number | undefined
  /** Sessions on all servers at most; limits of the list, or 16, by default. */
  readonly total?: number | undefined
  /** Take the last answer of a registry that cannot be asked. */
  readonly staleOk?: boolean | undefined
  /** Begin no more when so many tenants are not in order. */
  readonly stopAfter?: number | undefined
}

export interface RolloutOptions {
  /** One part after another, the next only when none failed or got slower: `1,10%,100%`. */
  readonly waves?: string | undefined
  /** Tenants that are a first wave of their own. */
  readonly canary?: readonly string[] | undefined
  /** Between two waves. */
  readonly pauseMs?: number | undefined
}

export interface FleetApplyOptions extends RolloutOptions {
  /** Whose queries are measured: `canaries`, those of the first of several waves, by default. */
  readonly measureTenants?: 'canaries' | 'all' | undefined
  /** A database with the jobs of tenants, which workers do. */
  readonly queue?: string | undefined
  /** A worker of which the queue hears nothing for so long has lost its tenant; 30000 by default. */
  readonly heartbeatMs?: number | undefined
  /** Ends the run when the queue has not answered for so long; 600000 by default. */
  readonly queueWaitMs?: number | undefined
}

type OfTenants<T> = Omit<
  T,
  'url' | 'load' | 'plan' | 'measureUrl' | 'since' | 'saveSnapshot' | 'saveBaseline' | 'whatIf'
> &
  TenantOptions

/** What `fleet` takes, by its command. */
export interface FleetOptions {
  readonly plan: OfTenants<PlanOptions>
  readonly verify: OfTenants<VerifyOptions>
  readonly apply: OfTenants<ApplyOptions> & FleetApplyOptions
  readonly explain: OfTenants<ExplainOptions>
  readonly status: OfTenants<StatusOptions>
  /** `run`: the name that apply gave it. */
  readonly rollback: OfTenants<Omit<RollbackOptions, 'run'>> & RolloutOptions & { readonly run: string }
}
