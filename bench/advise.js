import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import postgres from 'postgres'
import { queries, tables } from './advise-data.js'
import { median } from './rounds.js'
import { perfdb, psql, source } from './server.js'

/*
 * `npm run bench -- advise`: 40 slow queries, 20 of which an index helps. perfdb says which indexes, each is built, and psql runs every query without and with all of
 * them, without each one that it uses, and with those that a person would make instead. An index helps where a query is a quarter faster with it.
 */
export async function advise({ quick }) {
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const server = await startEmbedded({ settings: { shared_buffers: '512MB' } })
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    for (const text of tables(quick ? 0.2 : 1)) await sql.unsafe(text)
    const { result, ms } = await advised(server.url, queries, ['--max-indexes', '40'])
    const { refused, existing, names } = await built(sql, result.advice)
    const person = new Map()
    for (const [at, { name, person: texts }] of queries.entries())
      for (const [number, text] of texts.entries()) {
        const index = `person_${at}_${number}`
        await sql.unsafe(`create index ${index} on ${text}`)
        person.set(index, name)
      }
    await sql.unsafe('vacuum analyze')
    const parts = await partsOf(sql, [...names, ...person.keys()])
    const truth = await measured(server.url, { names, person: [...person.keys()], parts, rounds: quick ? 3 : 7 })
    return told({ result, ms, refused, existing, names, truth })
  } finally {
    await sql.end({ timeout: 2 })
    await server[Symbol.asyncDispose]()
  }
}

/** What perfdb advises for these queries, and how long it took. */
export async function advised(url, all, args = []) {
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  try {
    const profile = {
      version: 1,
      profile: 'bench',
      queries: all.map(({ name, sql, params = [] }) => ({ name, sql, params })),
    }
    writeFileSync(join(cwd, 'q.yaml'), JSON.stringify(profile))
    return await advisedBy(url, cwd, ['q.yaml', ...args])
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** The document of `perfdb advise` with these arguments. */
export async function advisedBy(url, cwd, args) {
  const start = performance.now()
  const result = await perfdbJson(cwd, ['advise', ...args, '--url', url])
  return { result, ms: performance.now() - start }
}

/** What perfdb prints as JSON. */
export async function perfdbJson(cwd, args) {
  const { stdout } = await output(process.execPath, [perfdb, ...args, '--format', 'json', '--quiet'], '', cwd)
  const document = JSON.parse(stdout)
  if (document.error !== undefined) throw new Error(`perfdb ${args.join(' ')}: ${JSON.stringify(document.error)}`)
  return document
}

async function output(program, args, input, cwd) {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stdin.end(input)
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { stdout, code }
}

/** Builds each index by the text that perfdb gave, under a name of its own: the names, those that PostgreSQL refuses, and those that another index equals. */
export async function built(sql, advice) {
  const refused = []
  const names = []
  // As the advice says, the extension that an index needs comes first.
  for (const text of new Set(advice.flatMap(({ needs }) => needs?.sql ?? []))) await sql.unsafe(text)
  for (const [at, { index }] of advice.entries()) {
    const name = `advised_${at}`
    const text = index.sql.replace(/ concurrently "(?:[^"]|"")*"/i, ` ${name}`)
    await sql.unsafe(text).then(
      () => names.push(name),
      (error) => refused.push(`${index.sql}: ${error.message}`),
    )
  }
  const existing = await sql`
    select one.indexrelid::regclass::text as name from pg_index one join pg_index other on other.indrelid = one.indrelid and other.indexrelid <> one.indexrelid
      and other.indkey = one.indkey and other.indclass = one.indclass and other.indoption = one.indoption
      and coalesce(pg_get_expr(other.indexprs, other.indrelid), '') = coalesce(pg_get_expr(one.indexprs, one.indrelid), '')
      and pg_get_expr(other.indpred, other.indrelid) is not distinct from pg_get_expr(one.indpred, one.indrelid)
    where one.indexrelid::regclass::text in ${sql(['', ...names])}`
  return { refused, existing: existing.map(({ name }) => name), names }
}

/** The names that query plans have of indexes: those of their parts in partitions. */
export async function partsOf(sql, names) {
  const rows = await sql`
    select i as name, c.relname as part from unnest(${names}::text[]) i, pg_partition_tree(i::regclass) t join pg_class c on c.oid = t.relid`
  const parts = new Map(names.map((name) => [name, []]))
  for (const { name, part } of rows) parts.get(name).push(part)
  return parts
}

async function measured(url, { names, person, parts, rounds }) {
  const uses = (plan, name) => [name, ...(parts.get(name) ?? [])].some((one) => new RegExp(`\\b${one}\\b`).test(plan))
  const arms = queries.flatMap((query) => [
    { key: `${query.name} none`, query, without: [...names, ...person] },
    { key: `${query.name} all`, query, without: person },
    { key: `${query.name} person`, query, without: names },
  ])
  const first = await psqlRuns(
    url,
    arms.filter(({ key }) => key.endsWith(' all')),
    1,
  )
  const alone = queries.flatMap((query) => {
    const used = names.filter((name) => uses(first.get(`${query.name} all`).plan, name))
    return used.map((name) => ({ key: `${query.name} without ${name}`, query, without: [...person, name] }))
  })
  return psqlRuns(url, [...arms, ...alone], rounds)
}

/**
 * Runs each in psql, in turns, in a transaction of its own in which the indexes of `without` are gone: by key the median milliseconds of the execution, the cost and
 * the query plan as text.
 */
export async function psqlRuns(url, arms, rounds) {
  const program = psql()
  if (program === undefined) throw new Error('no psql to measure with')
  const lines = Array.from({ length: rounds + 1 }, () =>
    arms.flatMap(({ key, query, without }) => [
      `\\echo @@ ${key}`,
      'begin;',
      ...(without.length === 0 ? [] : [`drop index ${without.join(', ')};`]),
      `explain (analyze, timing off) ${withValues(query)};`,
      'rollback;',
    ]),
  ).flat()
  const { stdout } = await output(program, ['-XAtq', '-v', 'ON_ERROR_STOP=1', url], `${lines.join('\n')}\n`)
  const found = new Map(arms.map(({ key }) => [key, { times: [], plan: '' }]))
  for (const part of stdout.split(/^@@ /m).slice(1)) {
    const [key] = part.split('\n', 1)
    const one = found.get(key)
    one.plan = part
    one.times.push(Number(/Execution Time: ([\d.]+)/.exec(part)[1]))
  }
  // The first round warms up.
  const costOf = (plan) => Number(/cost=[\d.]+\.\.([\d.]+)/.exec(plan)[1])
  return new Map(
    [...found].map(([key, { times, plan }]) => [key, { ms: median(times.slice(1)), cost: costOf(plan), plan }]),
  )
}

/** A query plan as text without its numbers and conditions. */
export function shapeOf(plan) {
  return plan
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/\(.*|:.*/, ''))
    .join('\n')
}

function withValues({ sql, params = [] }) {
  return params.reduce((text, value, at) => text.replaceAll(`$${at + 1}`, `'${value}'`), sql)
}

const helpful = 1.25

function told({ result, ms, refused, existing, names, truth }) {
  // The same query plan is as quick: what else is measured is the machine.
  const shape = (key) => shapeOf(truth.get(key).plan)
  const ratio = (name, slow, fast) => {
    const [one, other] = [`${name} ${slow}`, `${name} ${fast}`]
    return shape(one) === shape(other) ? 1 : truth.get(one).ms / truth.get(other).ms
  }
  const lines = queries.map(({ name, sql }) => {
    const pieces = result.advice.filter(({ serves }) => serves.some(({ query }) => query === name))
    const texts = pieces.map(({ index }) => `${index.table} ${index.definition}`)
    return { name, sql, texts, own: ratio(name, 'none', 'all'), person: ratio(name, 'none', 'person') }
  })
  for (const { name, sql, texts, own, person } of lines)
    process.stderr.write(
      `${name}: ${own.toFixed(1)}x advised, ${person.toFixed(1)}x by a person: ${sql.slice(0, 90)}\n    ${texts.join('; ')}\n`,
    )
  for (const text of [...refused, ...existing]) process.stderr.write(`refused or existing: ${text}\n`)
  const used = names.filter((name) => [...truth.keys()].some((key) => key.endsWith(` without ${name}`)))
  const paying = used.filter((name) =>
    queries.some(
      (query) => truth.has(`${query.name} without ${name}`) && ratio(query.name, `without ${name}`, 'all') >= helpful,
    ),
  )
  for (const name of names.filter((one) => !paying.includes(one)))
    process.stderr.write(`${name}: no query is a quarter faster with it\n`)
  const [gains, content] = ['gains', 'content'].map((kind) => lines.filter(({ name }) => name.startsWith(kind)))
  const count = (list, test) => `${list.filter(test).length} of ${list.length}`
  return {
    title: '40 slow queries, 20 that an index helps',
    note: 'helped: at least a quarter faster, by medians of runs in turns in psql; an index is right where some query is a quarter slower without it alone',
    columns: ['', 'goal', 'measured'],
    rows: [
      ['recall: of the 20, helped by the advice', '20', count(gains, ({ own }) => own >= helpful)],
      ['the same, by the indexes of a person', '20', count(gains, ({ person }) => person >= helpful)],
      [
        'as quick as with those of a person, or within a quarter',
        '20',
        count(gains, ({ own, person }) => own * helpful >= person),
      ],
      ['of those with nothing to gain, an index named for', '0', count(content, ({ texts }) => texts.length > 0)],
      ['the same, helped by the indexes of a search', '0', count(content, ({ person }) => person >= helpful)],
      ['precision: indexes advised that are right', String(names.length), `${paying.length} of ${names.length}`],
      [
        'refused by PostgreSQL, existing, used by no query',
        '0',
        `${refused.length}, ${existing.length}, ${names.length - used.length}`,
      ],
      ['queries judged', '40', String(result.judged)],
      ['time of advise', '20 s', `${(ms / 1000).toFixed(1)} s`],
    ],
  }
}
