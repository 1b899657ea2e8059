import { expect, test } from 'vitest'
import { repeatedLookups, type Activity, type TableLink } from '../../src/measure/activity/n-plus-one.js'
import { statementShape } from '../../src/sql/rewrite/shape.js'

const lookup: Activity = {
  name: 'lookup',
  relations: ['customers'],
  keys: ['id'],
  calls: 1000,
  rows: 1000,
  total_ms: 30,
}
const list: Activity = { name: 'list', relations: ['jobs'], keys: [], calls: 20, rows: 1000, total_ms: 90 }
const reference: TableLink = {
  kind: 'reference',
  table: 'jobs',
  column: 'customer_id',
  to_table: 'customers',
  to_column: 'id',
}

test.each<[string, Partial<Activity>, Partial<Activity>, number]>([
  ['once a row', {}, {}, 1],
  ['within 10 %', { calls: 1090, rows: 1090 }, {}, 1],
  ['beyond 10 %', { calls: 1120, rows: 1120 }, {}, 0],
  ['twice a row, by one foreign key', { calls: 2000, rows: 2000 }, {}, 0],
  ['most find nothing', { rows: 100 }, {}, 1],
  ['two rows each', { rows: 2000 }, {}, 0],
  ['slow', { total_ms: 6000 }, {}, 0],
  ['few calls', { calls: 40, rows: 40 }, { rows: 40, calls: 2 }, 0],
  ['a list of one row each', {}, { calls: 1000 }, 0],
  ['no key', { keys: [] }, {}, 0],
  ['another column than the one referred to', { keys: ['email'] }, {}, 0],
  ['another table', { relations: ['machines'] }, {}, 0],
])('%s: %o against %o', (_, child, parent, found) => {
  const findings = repeatedLookups(
    [
      { ...lookup, ...child },
      { ...list, ...parent },
    ],
    [reference],
  )
  expect(findings.map(({ code }) => code)).toEqual(Array.from({ length: found }, () => 'N_PLUS_ONE'))
})

test('a lookup by the foreign key may give ten rows, the primary key of the same table one', () => {
  const orders: Activity = { ...list, relations: ['customers'] }
  const lines: Activity = { ...lookup, relations: ['jobs'], keys: ['customer_id'], rows: 9000 }
  expect(repeatedLookups([lines, orders], [reference])).toHaveLength(1)
  expect(repeatedLookups([{ ...lines, rows: 11_000 }, orders], [reference])).toHaveLength(0)
  const unique: TableLink = { kind: 'unique', table: 'jobs', column: 'id', to_table: null, to_column: null }
  const one: Activity = { ...lookup, relations: ['jobs'] }
  expect(repeatedLookups([one, list], [unique])).toHaveLength(1)
  expect(repeatedLookups([{ ...one, rows: 3000 }, list], [unique])).toHaveLength(0)
})

test('twice a row where two foreign keys lead to it', () => {
  const second: TableLink = { ...reference, column: 'billed_customer_id' }
  const twice = (calls: number) => repeatedLookups([{ ...lookup, calls, rows: calls }, list], [reference, second])
  expect(twice(2050)[0]?.message).toContain('2 times for each of the 1,000 rows')
  expect(twice(1000)).toHaveLength(1)
  expect(twice(2150)).toHaveLength(0)
  expect(twice(3000)).toHaveLength(0)
})

test('names link tables only where no foreign keys are declared', () => {
  const named: TableLink = { kind: 'named', table: 'jobs', column: 'customer_id', to_table: null, to_column: null }
  const unique: TableLink = { kind: 'unique', table: 'customers', column: 'id', to_table: null, to_column: null }
  const elsewhere: TableLink = { ...reference, column: 'machine_id', to_table: 'machines' }
  expect(repeatedLookups([lookup, list], [named, unique])).toHaveLength(1)
  expect(repeatedLookups([lookup, list], [named, unique, elsewhere])).toHaveLength(0)
})

test.each<[string, readonly string[], readonly string[]]>([
  ['select * from shop.customers where id = $1', ['customers'], ['id']],
  ['select c.name from customers c where c.id = $1::bigint and c.gone is null limit $2', ['customers'], ['id']],
  ['select 1 from t where $1 = a and b = $2', ['t'], ['a', 'b']],
  ['select 1 from t where a = $1 or b = $2', ['t'], []],
  ['select 1 from t where a = any ($1)', ['t'], []],
  ['select 1 from t where lower(a) = $1', ['t'], []],
  ['select 1 from t where a > $1', ['t'], []],
  ['select 1 from t join u on t.a = u.a where t.a = $1', ['t', 'u'], []],
  ['select 1 from t where a = $1 and exists (select from u where u.a = t.a)', ['t', 'u'], []],
])('%s', async (text, relations, keys) => {
  expect(await statementShape(text)).toEqual({ relations, keys })
})

test.each(['update t set a = $1 where b = $2', 'vacuum t', 'select interval $1 oops('])(
  '%s has no shape',
  async (text) => {
    expect(await statementShape(text)).toBeNull()
  },
)
