import type postgres from 'postgres'

/**
 * A table whose index on slow(a) takes about `seconds` to build, so that every phase of a concurrent build can be met: an
 * IMMUTABLE function that sleeps, called once a row and scan.
 */
export function slowTable(rows: number, sleepMs: number): string {
  return `create function public.slow(int) returns int language plpgsql immutable as $$ begin perform pg_catalog.pg_sleep(${sleepMs / 1000}); return $1; end $$;
    create table t (a int, b int, c text);
    insert into t select n, n, 'c' || n from generate_series(1, ${rows}) n;`
}

/**
 * A table whose builds with slow(a) end no sooner than the test says by openGate, however busy the machine is. A sequence is seen through every
 * snapshot.
 */
export const gatedTable = `create sequence public.gate; grant select on public.gate to public;
    create function public.slow(int) returns int language plpgsql immutable as $$ begin
      while (select s.last_value from public.gate s) = 1 loop perform pg_catalog.pg_sleep(0.005); end loop; return $1; end $$;
    create table t (a int, b int, c text);
    insert into t select n, n, 'c' || n from generate_series(1, 20) n;`

/** Lets all builds of gatedTable go on, from now on. */
export async function openGate(sql: postgres.Sql): Promise<void> {
  await sql`select setval('public.gate', 2)`
}

/** A declaration that runs slow() for each row, in its condition: how wide the values of an expression are is looked at beforehand. */
export const slowIndex = '{ name: i_slow, table: t, keys: [a], where: public.slow(a) > 0 }'

/** Polls until the condition holds; fails after 30 s with its text. */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** True once a concurrent build is in a phase that begins like this. */
export function inPhase(sql: postgres.Sql, phase: string): () => Promise<boolean> {
  return async () =>
    (
      await sql`select 1 from pg_stat_progress_create_index where datname = current_database() and command = 'CREATE INDEX CONCURRENTLY' and phase like ${`${phase}%`}`
    ).length > 0
}

/** True once the index of that name is in the scan of its build. */
export function building(sql: postgres.Sql, name: string): () => Promise<boolean> {
  return async () =>
    (
      await sql`select 1 from pg_stat_progress_create_index p join pg_class c on c.oid = p.index_relid
        where p.datname = current_database() and c.relname = ${name} and p.phase like 'building index%'`
    ).length > 0
}

/** Indexes that are not valid, by name. */
export async function invalidIndexes(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<
    { name: string }[]
  >`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where not (i.indisvalid and i.indisready and i.indislive)`
  return rows.map((row) => row.name)
}
