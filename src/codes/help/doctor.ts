import type { Explanation } from './explanation.js'

/** What perfdb doctor checks, besides what is an error elsewhere (POOLER, STANDBY, READ_ONLY, LEDGER_UNTRUSTED). */
export const doctorTexts = {
  NODE_VERSION: {
    text: 'the version of Node',
    why: 'An older one lacks what perfdb uses.',
    rule: 'Node 20.19 or later.',
    todo: 'Install a current Node.',
  },
  SERVER: {
    text: 'the server that answers',
    why: 'Everything else is asked of it.',
    rule: 'The URL is that of perfdb plan: --url, PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, perfdb.yaml, PG* variables.',
    todo: 'Look whether it is the one that was meant.',
  },
  TEMPORARY: {
    text: 'the right to make temporary tables',
    why: 'A declared index is built on an empty temporary copy of its table, and read back as PostgreSQL prints it. Without, EXPLAIN compares, which knows less of opclasses.',
    rule: 'has_database_privilege(database, temporary).',
    todo: 'grant temporary on database NAME to ROLE.',
  },
  CAN_SEE: {
    text: 'the right to see the sessions and statements of other roles',
    why: 'check-pool and status say who holds connections and who blocks a build, and explain --top reads pg_stat_statements.',
    rule: 'The role is a member of pg_read_all_stats, which pg_monitor contains.',
    todo: 'grant pg_monitor to ROLE.',
  },
  PG_STAT_STATEMENTS: {
    text: 'the extension pg_stat_statements',
    why: 'explain --top and the weights of queries come from it; nothing else needs it.',
    rule: 'It is created in this database and loaded by shared_preload_libraries.',
    todo: "shared_preload_libraries = 'pg_stat_statements', restart, create extension pg_stat_statements.",
  },
  HYPOPG: {
    text: 'the extension HypoPG',
    why: '--what-if-engine hypopg asks the planner by it; nothing else needs it.',
    rule: 'It is created in this database.',
    todo: 'Install its package on the server, then create extension hypopg.',
  },
  LEDGER: {
    text: "perfdb's own record in the schema perfdb",
    why: 'rollback, --prune and status need it.',
    rule: 'It can be read, or the role may create it: has_database_privilege(database, create).',
    todo: 'grant create on database NAME to ROLE, or run apply with --no-ledger.',
  },
  CAN_READ: {
    text: 'what plan, verify and explain need',
    why: 'Definitions are compared on the tables, and queries are measured on them.',
    rule: 'USAGE on the schemas and SELECT on the tables, of every table that is not the system’s.',
    todo: 'Paste the grants of the hint; tables that perfdb shall not see can stay as they are.',
  },
  CAN_BUILD: {
    text: 'what apply and rollback need',
    why: 'PostgreSQL lets only the owner of a table, or a member of the owning role, build an index on it.',
    rule: 'The role owns every table that is not the system’s, or is a member of the role that does, may create in its schema, and is connected to the primary without a pooler.',
    todo: 'Paste the grants of the hint, or connect as the owner.',
  },
  SUPERUSER: {
    text: 'the role is a superuser',
    why: 'It works, but query plans may differ from those of the application, since row security does not hold for it.',
    rule: 'rolsuper of pg_roles.',
    todo: 'Connect as a role of its own; docs/permissions.md has the grants.',
  },
} satisfies Readonly<Record<string, Explanation>>
