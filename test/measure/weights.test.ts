import postgres from 'postgres'
import { expect, test } from 'vitest'
import { weightsOf } from '../../src/measure/price/weights.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { aQuery, sets } from './a-query.js'
import { openSession } from './open-session.js'
import { startServer } from '../support/server.js'

const byStatus = 'select count(*) from jobs where status = $1'
const byId = 'select * from jobs where id = $1'

test('calls of pg_stat_statements weigh the queries where each has some, else weight:, else all are alike', async () => {
  await using server = await startServer({ shared_preload_libraries: 'pg_stat_statements' })
  const application = postgres(server.url, { max: 1, onnotice: () => undefined })
  await application.unsafe(`create schema monitoring; create extension pg_stat_statements schema monitoring;
    create table jobs (id int primary key, status text); insert into jobs select n, 's' || n % 9 from generate_series(1, 1000) n; analyze jobs`)
  await using session = await openSession(server.url)
  const queries = [
    { ...aQuery(byStatus), name: 'status', parameters: sets({ one: ['s1'] }) },
    { ...aQuery(byId), name: 'id', parameters: sets({ one: ['7'] }), weight: 3 },
  ]
  const measured = async () => measureQueries(session, queries, { samples: 3, timeBudgetMs: 100, allowWrites: false })
  for (let call = 0; call < 40; call += 1) await application.unsafe(byStatus, [`s${call % 9}`])
  // One was not called yet: the calls of the other are compared with nothing.
  expect(await weightsOf(session, await measured(), undefined)).toEqual({ by: 'declared', of: new Map([['id', 3]]) })
  for (let call = 0; call < 7; call += 1) await application.unsafe(byId, [call])
  // Neither the statements that perfdb measures with nor those of another database count.
  await application.unsafe('create database other')
  const elsewhere = postgres(server.url.replace(/\/postgres(\?|$)/, '/other$1'), { max: 1, onnotice: () => undefined })
  await elsewhere.unsafe('create table jobs (id int primary key, status text)')
  for (let call = 0; call < 5; call += 1) await elsewhere.unsafe(byId, [call])
  await elsewhere.end()
  expect(await weightsOf(session, await measured(), undefined)).toEqual({
    by: 'calls',
    of: new Map([
      ['status', 40],
      ['id', 7],
    ]),
  })
  await application.unsafe('drop extension pg_stat_statements')
  const [status] = queries
  const alike = await measureQueries(session, status === undefined ? [] : [status], { samples: 3, allowWrites: false })
  expect(await weightsOf(session, alike, undefined)).toEqual({ by: 'equal', of: new Map() })
  await application.end()
})
