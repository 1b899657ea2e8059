import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inRounds, median, timed, timedWithMemory } from './rounds.js'
import { perfdb, psql, withServer } from './server.js'

const query = `select n.nspname, c.relname, t.relname, i.indisvalid, i.indisready, i.indislive, pg_get_indexdef(i.indexrelid)
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace where n.nspname not in ('pg_catalog', 'pg_toast')`

/** A schema like that of a large application, 6,039 indexes on 671 empty tables: import, plan, verify, and half of them built anew. */
export async function many({ quick }) {
  return withServer(0, async (server) => manyOn(server, quick ? 60 : 671, quick ? 2 : 5))
}

async function manyOn({ sql, url }, tables, rounds) {
  const program = psql()
  if (program === undefined) throw new Error('no psql to compare with')
  const made = schema(tables)
  for (let at = 0; at < made.length; at += 500) await sql.unsafe(made.slice(at, at + 500).join(';'))
  const file = (name) => join(tmpdir(), `perfdb-bench-${randomBytes(6).toString('hex')}-${name}`)
  const [profile, half, bare, script] = [file('all.yaml'), file('half.yaml'), file('bare.sql'), file('schema.sql')]
  try {
    await timed(process.execPath, [perfdb, 'import', '--out', profile, '--quiet', '--url', url])
    await timed(process.execPath, [perfdb, 'import', '--out', half, '--quiet', '--url', url, '--index', '*_b'])
    const names = [...(await readFile(half, 'utf8')).matchAll(/name: (\w+_b)\b/g)].map(([, name]) => name)
    const defs = await sql`select indexname, indexdef from pg_indexes where indexname = any (${names})`
    await writeFile(bare, defs.map(({ indexdef }) => `${indexdef.replace('INDEX', 'INDEX CONCURRENTLY')};`).join('\n'))
    await writeFile(script, made.map((text) => `${text};`).join('\n'))
    const run = (...args) => timedWithMemory(process.execPath, [perfdb, ...args, '--quiet'])
    const one = async (...args) => ({ ms: await timed(program, ['-XAtq', ...args, url]), peakBytes: null })
    const dropped = (work) => async () => {
      for (let at = 0; at < names.length; at += 200)
        await sql.unsafe(`drop index if exists ${names.slice(at, at + 200).join(', ')}`)
      return work()
    }
    const catalogs = {
      'psql, one catalog query': () => one('-c', query),
      'perfdb import': () => run('import', '--url', url),
      'perfdb plan': () => run('plan', profile, '--url', url),
      'perfdb verify': () => run('verify', profile, '--url', url),
      'perfdb import of the script': () => run('import', script),
    }
    const builds = {
      [`psql, ${names.length} builds`]: dropped(() => one('-f', bare)),
      'perfdb apply --no-measure': dropped(() => run('apply', half, '--no-measure', '--url', url)),
    }
    await inRounds(1, catalogs)
    const rows = [...told(await inRounds(rounds, catalogs)), ...told(await inRounds(rounds, builds))]
    return {
      title: `An application's schema: ${(tables * 9).toLocaleString('en')} indexes on ${tables.toLocaleString('en')} empty tables`,
      note: 'at most 3 x psql and 150 MB each, the script 200 MB; the builds 2 x',
      columns: ['', 'ms', 'x psql', 'peak MB'],
      rows,
    }
  } finally {
    for (const path of [profile, half, bare, script]) await rm(path, { force: true })
  }
}

/** The first is what the others are compared with. */
function told(taken) {
  const ms = Object.values(taken).map((all) => median(all.map((one) => one.ms)))
  return Object.entries(taken).map(([name, all], at) => {
    const peak = Math.max(...all.map((one) => one.peakBytes ?? 0))
    return [name, ms[at].toFixed(0), (ms[at] / ms[0]).toFixed(1), peak === 0 ? '' : (peak / 1024 ** 2).toFixed(0)]
  })
}

/** What large applications have: foreign keys, states of few values, partial and unique ones, of expressions, gin. */
function schema(tables) {
  return Array.from({ length: tables }, (_, n) => {
    const t = `records_${n}`
    return [
      `create table ${t} (id bigint primary key, project_id bigint not null, user_id bigint, status smallint default 0 not null, title text,
        payload jsonb default '{}' not null, created_at timestamptz not null, updated_at timestamptz not null, archived boolean default false not null,
        external_id varchar(255))`,
      `create index ${t}_project_b on ${t} (project_id)`,
      `create index ${t}_user_b on ${t} (user_id, created_at desc)`,
      `create index ${t}_status_b on ${t} (status) where archived = false`,
      `create index ${t}_title_b on ${t} (lower(title))`,
      `create unique index ${t}_external on ${t} (project_id, external_id) where external_id is not null`,
      `create index ${t}_payload on ${t} using gin (payload)`,
      `create index ${t}_pattern on ${t} (title text_pattern_ops)`,
      `create index ${t}_updated on ${t} (updated_at, id) where status in (1, 2, 3)`,
    ]
  }).flat()
}
