import type { HazardCode } from './hazard-codes.js'
import type { Explanation } from './help/explanation.js'

/** Hazards: dangers of a step that must be allowed by name; REDUNDANT is told as the finding. */
export const hazardTexts = {
  REPLACE: {
    text: 'an index is replaced',
    why: 'For a moment both indexes stand there, and afterwards the old one is gone.',
    rule: 'An index of that name has another definition. The new one is built under a temporary name, the names are exchanged in one short transaction, the old one is dropped concurrently. That of a partitioned table cannot be: its drop locks the table and all partitions ACCESS EXCLUSIVE for a moment, tried for 150 ms at a time.',
    todo: 'The old one goes away. To allow: perfdb apply --allow REPLACE.',
    option: '--allow REPLACE, or allow in perfdb.yaml',
  },
  RENAME: {
    text: 'an index is renamed',
    why: 'Code, hints and scripts that name the index find it no more.',
    rule: 'A valid index of the declared definition has another name: ALTER INDEX RENAME, which needs SHARE UPDATE EXCLUSIVE on the index alone.',
    todo: 'To allow: perfdb apply --allow RENAME.',
    option: '--allow RENAME, or allow in perfdb.yaml',
  },
  REPLICA_IDENTITY: {
    text: 'the index is the replica identity of its table',
    why: 'ALTER TABLE ... REPLICA IDENTITY USING INDEX locks the table ACCESS EXCLUSIVE: for a moment, once it has the lock, and nobody reads or writes while it waits for it.',
    rule: 'The index to replace or rebuild has indisreplident. The lock is tried for 50 ms at a time, with pauses of 2.5 s that grow to 30 s, up to --max-wait.',
    todo: 'To allow: perfdb apply --allow REPLICA_IDENTITY, at a quiet time.',
  },
  DROP: {
    text: 'an index is dropped',
    why: 'Duplicates may be accepted, ON CONFLICT may fail, and updates of a published table may be refused.',
    rule: 'The index to drop is unique, the replica identity of its table, what the table is clustered on, or that of a partitioned table, whose drop locks the table and all partitions ACCESS EXCLUSIVE for a moment, tried for 150 ms at a time. Other drops need no permission beyond absent or --prune.',
    todo: 'To allow: perfdb apply --allow DROP. perfdb rollback builds it again; that of a partitioned table with names of its own for the indexes of partitions, and without what single ones of them had beside.',
    option: '--allow DROP, or allow in perfdb.yaml',
  },
  CREATE_EXTENSION: {
    text: 'an extension is created',
    why: 'An extension is code in the database, and creating one may need a superuser.',
    rule: 'The profile names an extension under extensions that is not installed.',
    todo: 'To allow: perfdb apply --allow CREATE_EXTENSION.',
    option: '--allow CREATE_EXTENSION, or allow in perfdb.yaml',
  },
  HOT_LOSS: {
    text: 'updates of the table lose HOT',
    why: 'HOT updates write no index at all. Once a column that they change is in one, each of them writes to every index of the table: 2,000 of 2,000 HOT updates became none in a test.',
    rule: 'At least 1,000 HOT updates, half of all or more, and a column in no index yet that the UPDATEs in pg_stat_statements change; where those cannot be read, a name such as updated_at or last_seen. BRIN does not count.',
    todo: 'A column that is updated becomes a key: each such update then writes every index. To allow: perfdb apply --allow HOT_LOSS.',
    option: '--allow HOT_LOSS, or allow in perfdb.yaml',
  },
  LARGE_BUILD: {
    text: 'the index would be large',
    why: 'The build takes the size of the index on disk, and as much again while it sorts; a full disk stops the server.',
    rule: 'The size predicted from the statistics of the columns is over --max-size (50GB unless said). Free disk space cannot be seen over SQL.',
    todo: 'Larger than --max-size or than the disk allows. To allow: perfdb apply --allow LARGE_BUILD.',
    option: '--max-size, --allow LARGE_BUILD',
  },
  UNIQUE_BUILD: {
    text: 'a unique index is built',
    why: 'The build over duplicates fails at its very end, and until then rejects new rows that are duplicates.',
    rule: 'A bounded look for duplicate keys before the build. Known duplicates are shown, and that step alone fails with DUPLICATE_KEYS; where they could not be ruled out in time the hazard must be allowed.',
    todo: 'The build fails when there are duplicates. To allow: perfdb apply --allow UNIQUE_BUILD.',
    option: '--allow UNIQUE_BUILD',
  },
  LONG_TRANSACTION: {
    text: 'an old transaction is open',
    why: 'A concurrent build waits at its end for every transaction that is older than its snapshot, even on other tables.',
    rule: 'pg_stat_activity or pg_prepared_xacts shows a snapshot that is older than --max-wait (10min unless said).',
    todo: 'A concurrent build waits for it. End it, or allow it: perfdb apply --allow LONG_TRANSACTION.',
    option: '--max-wait, --allow LONG_TRANSACTION',
  },
  WRITE_QUERY: {
    text: 'a query that changes data was not measured',
    why: 'EXPLAIN ANALYZE executes the statement. Rolled back, its sequences have advanced, its triggers have run and its locks were held.',
    rule: "PostgreSQL's own parser finds INSERT, UPDATE, DELETE or MERGE in the statement, in a WITH too.",
    todo: 'It would be rolled back, but sequences advance and triggers run. To allow: --allow WRITE_QUERY.',
    option:
      '--allow WRITE_QUERY measures it in a transaction that is rolled back; perfdb load --allow WRITE_QUERY commits it',
  },
  LOAD: {
    text: 'others are busy on the server that is to be loaded',
    why: 'A load takes processors, disks and connections from everybody who works there.',
    rule: 'pg_stat_activity shows other sessions that are not idle, or sessions whose state the role may not see.',
    todo: 'Load a server of its own, or allow it: perfdb load --allow LOAD.',
    option: '--allow LOAD',
  },
} as const satisfies Readonly<Record<Exclude<HazardCode, 'REDUNDANT'>, Explanation>>
