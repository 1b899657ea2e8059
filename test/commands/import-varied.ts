/** Tables of every kind with columns of many types, and a generator of CREATE INDEX statements over them. */
export const variedSchema = `
create schema ext; create schema other; create schema "Odd Schema";
create extension pg_trgm schema ext; create extension btree_gist schema ext; create extension citext schema ext;
create extension hstore schema ext; create extension intarray schema ext; create extension ltree schema ext; create extension bloom schema ext;
create type other.state as enum ('open', 'held', 'Done, "x"');
create domain other.code as varchar(8);
create collation other."De" (provider = icu, locale = 'de');
create function other.f(int) returns int language sql immutable as 'select $1 + 1';
create function public."Fn x"(text) returns text language sql immutable as 'select lower($1)';
create operator class other.my_ops for type int4 using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int4, int4);
create table public.t (
  id int, big bigint, small smallint, num numeric(10,2), f float8, s text, v varchar(20), c char(3), "Name" text, "order" int,
  d date, ts timestamp, tz timestamptz, b boolean, u uuid, j jsonb, arr int[], tarr text[], r int4range, p point, bx box, ip inet,
  tsv tsvector, e other.state, dom other.code, ct ext.citext, h ext.hstore, lt ext.ltree, lc text collate "C", de text collate other."De", "a, b" int,
  "${'ü'.repeat(31)}x" int
);
insert into public.t (id, s, v, j, ts, b, d, tz) values (1, 'a', 'b', '{"a": 1, "n": "5"}', now(), true, now(), now());
create table other.t (like public.t); insert into other.t select * from public.t;
create table "Odd Schema"."T.x ""ü""" (like public.t);
create materialized view public.mv as select * from public.t;
`

export const variedTables = ['public.t', 'other.t', '"Odd Schema"."T.x ""ü"""', 'public.mv'] as const

/** Numbers from 0 up to 1, the same ones in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** One CREATE INDEX; not every one is accepted by every version, but most are. */
export function variedIndex(random: () => number, number: number, versionNum: number): string {
  const pick = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0]
  const chance = (part: number) => random() < part
  const method = pick(methods)
  const unique = method === 'btree' && chance(0.15)
  const count = method === 'hash' || method === 'spgist' ? 1 : pick([1, 1, 2, 3])
  const keys = Array.from({ length: count }, () => {
    if (method !== 'btree') return pick(otherKeys[method])
    const order = chance(0.5)
      ? ''
      : ` ${pick(['asc', 'desc', 'desc', 'nulls first', 'desc nulls last', 'desc nulls first'])}`
    return pick(btreeKeys) + order
  })
  const include =
    (method === 'btree' || method === 'gist') && chance(0.2)
      ? ` include (${pick(['id', 's, num', '"Name"', '"a, b"'])})`
      : ''
  const nulls = unique && versionNum >= 150000 && chance(0.5) ? ' nulls not distinct' : ''
  const storage = chance(0.25) ? ` with (${pick(storages[method])})` : ''
  const joined = (word: string) => `(${pick(predicates)}) ${word} (${pick(predicates)})`
  const predicate = chance(0.4)
    ? ` where ${chance(0.3) ? joined(pick(['and', 'or', 'and not'])) : pick(predicates)}`
    : ''
  return `create${unique ? ' unique' : ''} index ${nameOf(pick, number)} on ${pick(variedTables)} using ${method} (${keys.join(', ')})${include}${nulls}${storage}${predicate}`
}

function nameOf(pick: <T>(values: readonly [T, ...T[]]) => T, number: number): string {
  return pick([
    `idx_${number}`,
    `idx_${number}`,
    `"Ix.${number} ""q"" \${HOME}"`,
    `"${number}"`,
    `"${'ö'.repeat(28)}_${String(number).padStart(6, '0')}"`,
    `"${number}: # [x], {y} & *z ü😀"`,
    `" ${number} "`,
    `"true ${number}"`,
  ])
}

const methods = ['btree', 'btree', 'btree', 'btree', 'hash', 'gin', 'gist', 'spgist', 'brin', 'bloom'] as const

type List = readonly [string, ...string[]]

const btreeKeys: List = [
  'id', 'big', 'small', 'num', 'f', 's', 'v', 'c', '"Name"', '"order"', 'd', 'ts', 'tz', 'b', 'u', 'ip', 'e', 'dom', 'ct', 'lc', 'de', '"a, b"', 'arr', 'r', 'lt',
  `"${'ü'.repeat(31)}x"`,
  's text_pattern_ops', 'v varchar_pattern_ops', 'c bpchar_pattern_ops', 's bpchar_ops', 'id other.my_ops', 'v text_ops', 'id int4_ops',
  's collate "C"', 's collate "POSIX"', 'lc collate "default"', 'v collate other."De"', 's collate "en-US-x-icu" text_pattern_ops', 'de collate "C"', 'lc', 'ct collate "C"',
  'lower(s)', 'upper(v)', '(lower(v) || s)', '(num * 2)', '(id + small)', "(j ->> 'a')", "((j ->> 'n')::int)", "((j -> 'a') ->> 'b')", "date_trunc('day', ts)",
  "((tz at time zone 'UTC')::date)", "coalesce(v, '')", 'length(s)', 'other.f(id)', 'public."Fn x"("Name")', '(v::text)', '(s::varchar(5))', '(arr[1])', "(s like 'a%')",
  '(id = any (array[1, 2]))', '(id in (1, 2))', "(case when b then 'x' when id > 3 then v else null end)", 'extract(year from ts)', 'md5(s)', '(s collate "C")', 'lower(lc)',
  'lower(de) collate "C"', 'lower(lc) collate "default"', '(b is true)', "(e = 'open')", "('x' || e)", '(dom || s)', 'lower(ct::text)', "(ts + interval '1 day')", '(-id)', '(f::int)',
  "(s || E'\\\\n''\\n')", 'lower(s) text_pattern_ops', '(big - 5)', '(num > 5)', 'nullif(s, v)', 'greatest(id, "order")', "(p <-> '(1,2)')", '(not b)', "(d::text)", '(c::text)', 'other.f(other.f(id)) other.my_ops',
] // prettier-ignore

const otherKeys = {
  hash: ['id', 's', 'v', 'u', 'lower(s)', 'ct', 'e', 'c', 'v text_pattern_ops', "(j ->> 'a')", 'big', 'dom'],
  gin: [
    'j', 'j jsonb_path_ops', 'arr', 'tarr', 'tsv', 's ext.gin_trgm_ops', 'h', 'arr ext.gin__int_ops', "to_tsvector('english', s)", 'lower(v) ext.gin_trgm_ops',
    "to_tsvector('simple', coalesce(s, '') || ' ' || coalesce(v, ''))", "(j -> 'tags')", "(j -> 'tags') jsonb_path_ops", 'tarr array_ops',
  ],
  gist: [
    'p', 'bx', 'r', 'ip inet_ops', 's ext.gist_trgm_ops', 's ext.gist_trgm_ops (siglen = 64)', 'tsv tsvector_ops (siglen = 100)', 'id', 'lt', 'lt ext.gist_ltree_ops (siglen = 32)',
    'arr ext.gist__intbig_ops (siglen = 40)', 'arr ext.gist__int_ops (numranges = 50)', 'tz', 'num', "box(p, p)", "int4range(id, id + 5, '[)')", 'h', 'tsv',
  ],
  spgist: ['s', 'p', 'p kd_point_ops', 'r', 'ip', 'v', 'bx', 's text_ops', 's collate "C"', "(s || 'x')"],
  brin: [
    'id', 'ts', 'tz timestamptz_minmax_multi_ops', 'tz timestamptz_minmax_multi_ops (values_per_range = 16)', 'id int4_bloom_ops (n_distinct_per_range = 100, false_positive_rate = 0.05)',
    'r', 's', 'v', 'num', 'd', 'u uuid_bloom_ops', 'bx', 'ip', 'id int4_minmax_multi_ops', '(id + 1)', 'c bpchar_bloom_ops', 'id int4_bloom_ops',
  ],
  bloom: ['id', 's', 'id ext.int4_ops', 'v', 'lower(s)'],
} satisfies Record<string, List> // prettier-ignore

const storages = {
  btree: ['fillfactor = 70', 'deduplicate_items = off', 'fillfactor = 90, deduplicate_items = on', 'deduplicate_items'],
  hash: ['fillfactor = 60'],
  gin: ['fastupdate = off', 'gin_pending_list_limit = 128, fastupdate = true'],
  gist: ['buffering = off', 'fillfactor = 80, buffering = auto'],
  spgist: ['fillfactor = 80'],
  brin: ['pages_per_range = 16', 'autosummarize = on, pages_per_range = 8', 'autosummarize'],
  bloom: ['length = 80, col1 = 3', 'length = 100'],
} satisfies Record<string, List>

const predicates: List = [
  's is not null', "v = 'open'", "v in ('open', 'held')", "v not in ('a', 'b')", "s like 'a%'", "s not ilike '%x_'", 'id > 5', 'id > -5', 'num > 0', 'num >= 0.5 and num < 100', 'big <> 5', 'small = 3', 'f > 1.5',
  'b', 'not b', 'b is not true', "e = 'open'", "e in ('open', 'Done, \"x\"')", "d > '2024-01-01'", "ts >= '2024-01-01 10:00'", "tz < '2024-01-01 00:00:00+02'", "j @> '{\"a\": [1]}'", "j ? 'a'", "(j ->> 'n')::int > 5",
  "j ->> 'a' = 'x'", 'lower(v) = v', "v::text = 'x' and s = 'y' or id in (1, 2, 3)", "c = 'abc'", "c::text = 'abc'", "dom = 'x'", "ct = 'Ab'", "ct::text = 'Ab'", 'arr && array[1, 2]', "tarr @> '{a,b}'", "tarr @> array['a']",
  "u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "ip << '10.0.0.0/8'", 'r @> 5', "coalesce(v, '') <> ''", "case when b then id > 5 else s = 'x' end", 'id between 1 and 10', 'id is distinct from 5', "s ~ '^a.*'", 'other.f(id) > 3',
  "\"Name\" = 'it''s' and \"order\" is null", 'array_length(arr, 1) > 0', "s = 'a' collate \"C\"", "lc = 'x'", "de > 'ä'", "s = E'a\\nb\\\\c'", "v = any (array['x'])", 'id = any (array[1, 2])', "v <> all (array['a', 'b'])",
  "ts::date = '2024-01-01'", 'num::int = 5', 'id::text = s', "s || v like 'x%'", "(id, big) > (1, 2)", "date_trunc('month', ts) = ts", "d - 1 > '2020-01-01'", "ts > '2024-01-01'::date", 'big > 3000000000', "length(v) > 3",
  "s is not null and (v = 'a' or (v = 'b' and id > 3))", "tz at time zone 'UTC' > '2024-01-01'", "h ? 'k'", "lt <@ 'a.b'", "starts_with(s, 'a')", 'true', "s similar to 'a+'", "position('a' in s) > 0", 'small::bigint = big', '(id, small) = (1, 2) and big = 3', 'id in (small, 5, 6, "order")', 'id not between 1 and 10 or b', 'num between 1 and 2 and b', "v like any (array['a%'::varchar, 'b%'::varchar])", "v::text = any (array[s, 'b'])", "v::text = any (array['a'::varchar::text, 'b'::varchar::text])", "v > 'a' and v < 'b'",
] // prettier-ignore
