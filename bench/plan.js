import { inRounds, median, timed } from './rounds.js'
import { jobShop, perfdb, psql, withServer } from './server.js'

const catalogQuery = `select n.nspname, c.relname, t.relname, i.indisvalid, i.indisready, i.indislive, pg_get_indexdef(i.indexrelid)
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace where n.nspname = 'public'`

/** Nothing to do: 31 indexes are there already. */
export async function plan({ quick }) {
  return withServer(0, async (server) => planOn(server, quick))
}

async function planOn(server, quick) {
  await timed(process.execPath, [perfdb, 'apply', jobShop, '--no-measure', '--quiet', '--url', server.url], {
    codes: [0, 1],
  })
  const run = (...args) => timed(process.execPath, [perfdb, ...args, '--url', server.url])
  const contenders = {
    'node -e 0': () => timed(process.execPath, ['-e', '0']),
    'perfdb plan': () => run('plan', jobShop),
    'perfdb verify --format json': () => run('verify', jobShop, '--format', 'json'),
  }
  const program = psql()
  if (program !== undefined)
    contenders['psql, one catalog query'] = () => timed(program, ['-XAtq', '-c', catalogQuery, server.url])
  await inRounds(2, contenders)
  const taken = await inRounds(quick ? 9 : 41, contenders)
  const bare = median(taken['node -e 0'])
  const query = program === undefined ? null : median(taken['psql, one catalog query'])
  return {
    title: 'Nothing to do: plan of 31 indexes that are there, one local server',
    note: 'at most 5 x node, 7 x psql',
    columns: ['', 'ms', 'x node', 'x psql'],
    rows: Object.entries(taken).map(([name, times]) => [
      name,
      median(times).toFixed(0),
      (median(times) / bare).toFixed(2),
      query === null ? '' : (median(times) / query).toFixed(1),
    ]),
  }
}
