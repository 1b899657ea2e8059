import { expect, test } from 'vitest'
import { runHistory } from '../../src/commands/apply/history.js'
import { sparkline } from '../../src/report/blocks/history.js'
import { render } from '../../src/report/render.js'
import { apply, rollback } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

test('what the runs of the ledger measured and built, the oldest first; one name alone run by run', async () => {
  await using db = await testDatabase(
    'create table t (a int, b text); insert into t select n, n::text from generate_series(1, 20000) n; analyze t',
  )
  const history = async (name?: string) => {
    await using session = await connectTo(db.url, 'look')
    return await runHistory(session, name, 10)
  }
  expect(await history()).toMatchObject({ exit_code: 0, ledger: false, queries: [], indexes: [] })
  const profiles = await profileOf(
    ['{ name: t_a, table: t, keys: [a] }'],
    'queries: [{ name: by a, sql: select b from t where a = 7 }, { name: all, sql: select count(*) from t }]\n',
  )
  const options = { ledger: true, measure: true, timeBudgetMs: 200 }
  await apply(db.url, profiles, options)
  await rollback(db.url, 1)
  await apply(db.url, profiles, options)
  const all = await history()
  expect(all).toMatchObject({
    ledger: true,
    queries: [
      { name: 'all', runs: [{ run: 1 }, { run: 3 }] },
      {
        name: 'by a',
        runs: [
          { run: 1, before: {}, after: {} },
          { run: 3, before: {}, after: {} },
        ],
      },
    ],
    indexes: [
      {
        schema: 'public',
        index: 't_a',
        runs: [
          { run: 1, step: 'create', outcome: 'built', size_bytes: expect.any(Number) },
          { run: 2, step: 'drop', outcome: 'dropped' },
          { run: 3, step: 'create', outcome: 'built' },
        ],
      },
    ],
  })
  expect(await history('public.t_a')).toMatchObject({ queries: [], indexes: [{ index: 't_a' }] })
  const one = await history('by a')
  expect(one).toMatchObject({ queries: [{ name: 'by a' }], indexes: [] })
  const layout = { width: 80, color: false, unicode: true, verbose: false }
  expect(await render(one, 'text', layout)).toMatch(/run +when +before +after +speedup +verdict/)
  expect(await render(one, 'html', layout)).toContain('by a, run by run')
  expect(await history('nobody')).toMatchObject({ exit_code: 0, queries: [], indexes: [] })
})

test('a trend is one sign a run, the lowest at the least', () => {
  expect(sparkline([1, 2, 8], { unicode: true })).toBe('▁▂█')
  expect(sparkline([8, 8], { unicode: false })).toBe('00')
  expect(sparkline([8], { unicode: true })).toBe('')
})
