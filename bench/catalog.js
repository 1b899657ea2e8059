import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { inRounds, median, timed, timedWithMemory } from './rounds.js'
import { jobShop, perfdb, psql, withServer } from './server.js'

const query = `select n.nspname, c.relname, t.relname, i.indisvalid, i.indisready, i.indislive, pg_get_indexdef(i.indexrelid)
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace where n.nspname not in ('pg_catalog', 'pg_toast')`

/** A catalog of 10,000 indexes on 1,000 tables: plan of the job shop among them, import of all, and plan of all. */
export async function catalog({ quick, numberOf }) {
  const tables = numberOf('tables', quick ? 100 : 1000)
  const rounds = quick || tables > 1000 ? 3 : 7
  return withServer(0, async (small) => withServer(0, async (big) => catalogOn(small, big, tables, rounds)))
}

async function catalogOn(small, big, tables, rounds) {
  for (const { url } of [small, big])
    await timed(process.execPath, [perfdb, 'apply', jobShop, '--no-measure', '--quiet', '--url', url], {
      codes: [0, 1],
    })
  await crowd(big.sql, tables)
  const all = join(tmpdir(), `perfdb-bench-${randomBytes(6).toString('hex')}.yaml`)
  try {
    await timed(process.execPath, [perfdb, 'import', '--out', all, '--quiet', '--url', big.url])
    const run = async (args, url) => timedWithMemory(process.execPath, [perfdb, ...args, '--url', url])
    const program = psql()
    const contenders = {
      'perfdb plan of the job shop, catalog of 31 indexes': () => run(['plan', jobShop], small.url),
      'perfdb plan of the job shop, this catalog': () => run(['plan', jobShop], big.url),
      'perfdb import of this catalog': () => run(['import', '--quiet'], big.url),
      'perfdb plan of this catalog, a YAML profile': () => run(['plan', all], big.url),
    }
    if (program !== undefined)
      contenders['psql, one catalog query'] = async () => ({
        ms: await timed(program, ['-XAtq', '-c', query, big.url]),
        peakBytes: null,
      })
    await inRounds(1, contenders)
    const taken = await inRounds(rounds, contenders)
    const ms = (name) => median(taken[name].map((one) => one.ms))
    const base = program === undefined ? null : ms('psql, one catalog query')
    return {
      title: `A catalog of ${(tables * 10).toLocaleString('en')} indexes on ${tables.toLocaleString('en')} tables`,
      note: 'plan of a small profile at most 1.5 x the same on a small catalog and 3 x psql; memory under 250 MB',
      columns: ['', 'ms', 'x psql', 'peak MB'],
      rows: Object.keys(taken).map((name) => [
        name,
        ms(name).toFixed(0),
        base === null ? '' : (ms(name) / base).toFixed(1),
        megabytes(Math.max(...taken[name].map((one) => one.peakBytes ?? 0))),
      ]),
    }
  } finally {
    await rm(all, { force: true })
  }
}

function megabytes(bytes) {
  return bytes === 0 ? '' : (bytes / 1024 ** 2).toFixed(0)
}

/** Tables of six columns with ten indexes each: plain, descending, of an expression, partial, unique, with INCLUDE. */
async function crowd(sql, tables) {
  await sql.unsafe(`do $$
    declare t text;
    begin
      for n in 1..${tables} loop
        t := 'crowd_' || n;
        execute format('create table %I (a int, b int, c text, d timestamptz, e int, f text)', t);
        execute format('create index %I on %I (a)', t || '_a', t);
        execute format('create index %I on %I (b desc)', t || '_b', t);
        execute format('create index %I on %I (c text_pattern_ops)', t || '_c', t);
        execute format('create index %I on %I (lower(f))', t || '_f', t);
        execute format('create index %I on %I (d) where e > 0', t || '_d', t);
        execute format('create unique index %I on %I (e, a) include (b)', t || '_e', t);
        execute format('create index %I on %I using brin (d)', t || '_brin', t);
        execute format('create index %I on %I (a, b, c)', t || '_abc', t);
        execute format('create index %I on %I (c, d desc nulls last)', t || '_cd', t);
        execute format('create index %I on %I using hash (f)', t || '_hash', t);
        if n % 100 = 0 then commit; end if;
      end loop;
    end $$`)
}
