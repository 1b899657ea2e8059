import { expect, test } from 'vitest'
import { runSqlImport } from '../../src/commands/import/import-sql.js'
import { parseProfile } from '../../src/profile/read/read.js'

const all = { schemas: [], tables: [], indexes: [] }

test('a schema dump: CREATE INDEX statements as they are, ON ONLY as the partitioned table, attached ones left out', async () => {
  const dump = `--
-- PostgreSQL database dump
--

\\restrict abc

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.t (id integer NOT NULL, s text);

COPY public.t (id, s) FROM stdin;
1\tcreate index nonsense on (
2\t'
\\.

--
-- Name: i; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX i ON public.t USING btree (lower(s) text_pattern_ops DESC NULLS LAST) INCLUDE (id) WITH (fillfactor='90') WHERE ((s)::text = 'x'::text);

COMMENT ON INDEX public.i IS 'what it is for';

CREATE INDEX m_at ON ONLY public.m USING btree (at);
CREATE INDEX m1_at_idx ON public.m1 USING btree (at);
ALTER INDEX public.m_at ATTACH PARTITION public.m1_at_idx;
CREATE UNIQUE INDEX "Odd.X" ON app."Jobs.a" USING gist (r) ;
`
  const result = await runSqlImport(dump, 'dump.sql', all)
  expect(result.notes).toEqual([
    {
      code: 'ATTACHED',
      message: '1 index left out, attached to the index of a partitioned table',
      indexes: ['public.m1_at_idx'],
    },
    {
      code: 'OTHER_STATEMENT',
      message: '4 other statements passed over (1 SET, 1 SELECT, 1 CREATE TABLE, 1 COPY)',
      indexes: [],
    },
  ])
  expect(result.profile).toMatchInlineSnapshot(`
    "# Imported from dump.sql.
    # 1 index left out, attached to the index of a partitioned table: public.m1_at_idx
    # 4 other statements passed over (1 SET, 1 SELECT, 1 CREATE TABLE, 1 COPY)

    version: 1
    profile: dump
    indexes:
      - name: i
        table: t
        keys:
          - expression: lower(s)
            opclass: text_pattern_ops
            order: desc
            nulls: last
        include: [id]
        where: (s)::text = 'x'::text
        with: {fillfactor: 90}
        comment: what it is for
      - name: m_at
        table: m
        keys: [at]
      - name: Odd.X
        table: {schema: app, name: Jobs.a}
        method: gist
        keys: [r]
        unique: true
    "
  `)
})

test('migrations in their order: dropped, renamed, re-created; search_path; comments above are why', async () => {
  const result = await runSqlImport(
    `create index gone on t (a); create index old on t (b);
drop index gone;
alter index old rename to new_name;
set search_path = app, public;
-- for the dashboard
create index concurrently if not exists here on t (c) where c in (1, 2);
drop index if exists public.nothing;
create index twice on t (a);
drop index twice;
create index twice on t (a, b);
create index on t (d);
do $$ begin execute 'create index hidden on t (a)'; end $$;`,
    'm.sql',
    all,
  )
  const { indexes } = parseProfile(result.profile, 'p.yaml')
  expect(
    indexes.map(({ definition: { name, table, keys, predicate }, why }) => ({ name, table, keys, predicate, why })),
  ).toEqual([
    { name: 'new_name', table: { schema: 'public', name: 't' }, keys: [{ column: 'b' }] },
    {
      name: 'here',
      table: { schema: 'app', name: 't' },
      keys: [{ column: 'c' }],
      predicate: 'c in (1, 2)',
      why: 'for the dashboard',
    },
    { name: 'twice', table: { schema: 'app', name: 't' }, keys: [{ column: 'a' }, { column: 'b' }] },
  ])
  expect(result.notes).toMatchObject([
    { code: 'UNNAMED', message: '1 index left out, without a name (line 11)' },
    { code: 'OTHER_STATEMENT', message: '2 other statements passed over (1 SET, 1 DO)' },
  ])
})

test('what does not parse is an error with its place; nothing to import is a note', async () => {
  await expect(runSqlImport('create index a on t (x);\ncreate indx b', 'm.sql', all)).rejects.toMatchObject({
    code: 'BAD_SQL',
    place: { file: 'm.sql', line: 2, column: 8 },
  })
  const empty = await runSqlImport('create table t ()', 'm.sql', all)
  expect(empty).toMatchObject({ exit_code: 0, notes: [{ code: 'OTHER_STATEMENT' }, { code: 'NOTHING_FOUND' }] })
  const picked = await runSqlImport('create index a on t (x); create index b on t (x)', 'm.sql', {
    ...all,
    indexes: ['b'],
  })
  expect(parseProfile(picked.profile, 'p.yaml').indexes.map(({ definition }) => definition.name)).toEqual(['b'])
})
