/**
 * Whose code would run with the rights of the connected role, and more than its author has, when one of these relations, or a text that mentions these names, is
 * planned: planning computes constants in expressions of indexes, of extended statistics, of partition keys and of checks, and estimates call
 * operators and what belongs to a type. Foreign is a function whose owner could not become the connected role. `$1`: a JSON list of
 * {id, relations: [{schema, name}], path: [schema], functions, fields, operators, types: [{schema | null, name}]}. A row for each id, function
 * and place: as `code` the function, `via` what calls it, `on` the relation that this belongs to; `kind` tells what it means for a statement:
 * domain: checked when a constant of the type is read, which no owner of a table changes; key: of a partition key; other.
 *
 * pg_depend holds what each object refers to; what belongs to a relation or to a type is found in the catalogs themselves. A database in
 * which nobody else has a function is asked for no more than that.
 */
export function foreignCodeSql(versionNum: number): string {
  return `
with recursive strangers as materialized (${strangersSql(versionNum, true)}
), asked as materialized (
  select a.id, a.relations, a.path, a.functions, a.fields, a.operators, a.types
  from pg_catalog.json_to_recordset($1::pg_catalog.json) as a (id pg_catalog.int4, relations pg_catalog.json, path pg_catalog.json,
    functions pg_catalog.json, fields pg_catalog.json, operators pg_catalog.json, types pg_catalog.json)
  where exists (select from strangers)
), walk as (
  (${startsSql})
  union
  (select w.id, n.relation, n.via_class, n.via, n.kind, n.class, n.oid from walk w, lateral (
    -- What it refers to: functions, operators, types and opclasses; relations only where they are read through it.
    select case when d.refclassid = ${classOf('pg_class')} then d.refobjid else w.relation end as relation,
      case when w.class = ${classOf('pg_class')} and w.oid = w.relation then null when d.refclassid = ${classOf('pg_class')} then null else w.via_class end as via_class,
      case when w.class = ${classOf('pg_class')} and w.oid = w.relation then null when d.refclassid = ${classOf('pg_class')} then null else w.via end as via,
      case when w.kind = 'other' and w.class = ${classOf('pg_class')} and w.oid = w.relation and d.refclassid <> ${classOf('pg_type')} then 'key' else w.kind end as kind,
      d.refclassid as class, d.refobjid as oid
    from pg_catalog.pg_depend d
    where d.classid = w.class and d.objid = w.oid and d.refobjid >= 16384
      and (d.refclassid in (${['pg_proc', 'pg_operator', 'pg_type', 'pg_opclass', 'pg_opfamily'].map(classOf).join(', ')})
        or d.refclassid = ${classOf('pg_class')} and w.class in (${['pg_rewrite', 'pg_policy', 'pg_proc'].map(classOf).join(', ')}))
    union all
    -- What belongs to a relation and is planned with it.
    select w.relation, part.class, part.oid, w.kind, part.class, part.oid from (${partsOfRelationSql}) as part
    where w.class = ${classOf('pg_class')} and w.oid = w.relation
    union all
    -- Partitions and children are relations of their own.
    select h.inhrelid, null, null, w.kind, ${classOf('pg_class')}, h.inhrelid from pg_catalog.pg_inherits h
    where w.class = ${classOf('pg_class')} and w.oid = w.relation and h.inhparent = w.oid
    union all
    -- What a type brings along: checks of a domain, columns of a row, opclasses and casts.
    select w.relation, w.via_class, w.via, part.kind, part.class, part.oid from (${partsOfTypeSql}) as part
    where w.class = ${classOf('pg_type')}
    union all
    select w.relation, w.via_class, w.via, w.kind, part.class, part.oid from (${partsOfOpclassSql}) as part
    where w.class in (${classOf('pg_opclass')}, ${classOf('pg_opfamily')})
  ) n)
), loose as materialized (
  -- Functions of trusted roles that look their names up when they run, in whatever search_path there is then.
  select distinct w.id, w.kind, w.relation, p.oid from walk w join pg_catalog.pg_proc p on p.oid = w.oid
  where w.class = ${classOf('pg_proc')} and p.proowner not in (select s.oid from strangers s) and ${looseSql('p')}
), shadows as materialized (
  -- What of strangers such a function could find by its name.
  select o.namespace, o.class, o.oid, o.owner from (
    select p.pronamespace as namespace, ${classOf('pg_proc')} as class, p.oid, p.proowner as owner, p.proname as name from pg_catalog.pg_proc p
    union all select o.oprnamespace, ${classOf('pg_operator')}, o.oid, o.oprowner, o.oprname from pg_catalog.pg_operator o
    union all select c.relnamespace, ${classOf('pg_class')}, c.oid, c.relowner, c.relname from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f')
    union all select t.typnamespace, ${classOf('pg_type')}, t.oid, t.typowner, t.typname from pg_catalog.pg_type t where t.typrelid = 0
  ) o
  where exists (select from loose) and o.oid >= 16384 and o.owner in (select s.oid from strangers s)
    and exists (select from pg_catalog.pg_proc p where ${looseSql('p')} and p.proowner not in (select s.oid from strangers s)
      and case when o.name ~ '^[a-z0-9_]+$' then p.prosrc ~* ('\\m' || o.name || '\\M') else pg_catalog.strpos(p.prosrc, o.name::pg_catalog.text) > 0 end)
)
select distinct w.id, w.kind, p.oid::pg_catalog.regprocedure::pg_catalog.text as code, pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text as owner,
  w.relation::pg_catalog.regclass::pg_catalog.text as "on", pg_catalog.pg_describe_object(w.via_class, w.via, 0) as via
from walk w join pg_catalog.pg_proc p on p.oid = w.oid
where w.class = ${classOf('pg_proc')} and p.oid >= 16384 and p.proowner in (select s.oid from strangers s)
union all
-- Functions of the system are no foreign code, but a check of a stranger may call one that runs a text or writes a file.
select distinct w.id, w.kind, 'domain ' || t.oid::pg_catalog.regtype::pg_catalog.text, pg_catalog.pg_get_userbyid(t.typowner)::pg_catalog.text,
  w.relation::pg_catalog.regclass::pg_catalog.text, pg_catalog.pg_describe_object(w.via_class, w.via, 0)
from walk w join pg_catalog.pg_constraint k on k.oid = w.oid join pg_catalog.pg_type t on t.oid = k.contypid
where w.class = ${classOf('pg_constraint')} and ${strangerSql(versionNum, 't.typowner')}
  and ${volatileSql('k.conbin')}
union all
select distinct l.id, l.kind, pg_catalog.pg_describe_object(s.class, s.oid, 0), pg_catalog.pg_get_userbyid(s.owner)::pg_catalog.text,
  l.relation::pg_catalog.regclass::pg_catalog.text, 'names in ' || l.oid::pg_catalog.regprocedure::pg_catalog.text
from loose l join asked a on a.id = l.id, pg_catalog.json_array_elements_text(a.path) as n (name)
  join pg_catalog.pg_namespace m on m.nspname = n.name join shadows s on s.namespace = m.oid
union all
-- A view reads with its owner's rights, but calls functions with those of who reads it: one of the system may write a file.
select distinct w.id, w.kind, 'view ' || c.oid::pg_catalog.regclass::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text,
  w.relation::pg_catalog.regclass::pg_catalog.text, null::pg_catalog.text
from walk w join pg_catalog.pg_rewrite r on r.oid = w.oid join pg_catalog.pg_class c on c.oid = r.ev_class
where w.class = ${classOf('pg_rewrite')} and ${strangerSql(versionNum, 'c.relowner')} and ${volatileSql('r.ev_action')}
order by 1, 3, 5, 6`
}

/** Not bound when it was made (as C is, and SQL in standard form), and without a search_path of its own. */
function looseSql(p: string): string {
  return `${p}.oid >= 16384 and ${p}.prosqlbody is null
    and not exists (select from pg_catalog.pg_language l where l.oid = ${p}.prolang and l.lanname in ('c', 'internal'))
    and not exists (select from pg_catalog.unnest(${p}.proconfig) as s (setting) where s.setting like 'search\\_path=%')`
}

/** An expression, as the catalog keeps it, calls a function that is volatile. */
function volatileSql(tree: string): string {
  return `exists (select from pg_catalog.regexp_matches(${tree}::pg_catalog.text, ':(?:op)?funcid (\\d+)', 'g') as m (found)
      join pg_catalog.pg_proc p on p.oid = m.found[1]::pg_catalog.oid where p.provolatile = 'v')`
}

/** Owners of functions and domains, and with `views` of views, who could not become the connected role, if that has more than its own rights; distinct first: each answer takes a while. */
function strangersSql(versionNum: number, views: boolean): string {
  return `
  select o.proowner as oid from (select p.proowner from pg_catalog.pg_proc p where p.oid operator(pg_catalog.>=) 16384::pg_catalog.oid
    union select t.typowner from pg_catalog.pg_type t where t.oid operator(pg_catalog.>=) 16384::pg_catalog.oid and t.typtype operator(pg_catalog.=) 'd'${
      views
        ? " union select c.relowner from pg_catalog.pg_class c where c.oid operator(pg_catalog.>=) 16384::pg_catalog.oid and c.relkind operator(pg_catalog.=) 'v'"
        : ''
    } offset 0) o
  where ${powerfulSql} and ${strangerSql(versionNum, 'o.proowner')}`
}

/**
 * The connected role may do what no owner of a table can give himself: a superuser, and who comes near to one. Any other runs other people's
 * code with each query that it sends, by PostgreSQL's own rules, and has nothing that they want.
 */
const powerfulSql = `exists (select from pg_catalog.pg_roles r
    where (r.rolname operator(pg_catalog.=) current_user::pg_catalog.name or r.rolname operator(pg_catalog.=) session_user::pg_catalog.name)
        and (r.rolsuper or r.rolcreaterole or r.rolbypassrls or r.rolreplication)
      or r.rolname operator(pg_catalog.=) any (array['pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
        'pg_execute_server_program', 'pg_maintain', 'pg_create_subscription', 'rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin']::pg_catalog.name[])
        and (pg_catalog.pg_has_role(current_user::pg_catalog.name, r.oid, 'member') or pg_catalog.pg_has_role(session_user::pg_catalog.name, r.oid, 'member')))`

/**
 * A role could not become the connected one: it is no superuser, not the same, and no member with rights (from 16 on a membership may give
 * none). Nor the one that logged in, which the owner of a database may have exchanged by `alter database .. set role`: `reset role`, in any
 * function, brings that one back.
 */
function strangerSql(versionNum: number, one: string): string {
  const rights = versionNum >= 160_000 ? 'set, usage' : 'member'
  const may = (other: string) => `pg_catalog.pg_has_role(${one}, ${other}::pg_catalog.name, '${rights}')`
  return `not (${may('current_user')} and ${may('session_user')})`
}

/**
 * What must be known first, cheap to ask: whether there are functions (or, where a text is read, views) of strangers at all, and whose the tables of `$1` (JSON: [{schema, name}]) are: `stranger` for an owner who could not become the connected role, `given` where that role
 * may hand over a temporary table to him.
 */
export function tableOwnersSql(versionNum: number, views: boolean): string {
  return `
select exists (${strangersSql(versionNum, views)}) as strangers,
  coalesce((select pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname,
      'owner', pg_catalog.pg_get_userbyid(c.relowner),
      'partitioned', c.relkind operator(pg_catalog.=) 'p', 'stranger', ${powerfulSql} and ${strangerSql(versionNum, 'c.relowner')},
      'given', pg_catalog.pg_has_role(current_user::pg_catalog.name, c.relowner, '${versionNum >= 160_000 ? 'set' : 'member'}')
        and pg_catalog.has_database_privilege(c.relowner, pg_catalog.current_database()::pg_catalog.text, 'temporary')))
    from pg_catalog.json_to_recordset($1::pg_catalog.json) as w (schema pg_catalog.text, name pg_catalog.text)
    join pg_catalog.pg_namespace n on n.nspname operator(pg_catalog.=) w.schema
    join pg_catalog.pg_class c on c.relnamespace operator(pg_catalog.=) n.oid and c.relname operator(pg_catalog.=) w.name), '[]') as tables`
}

function classOf(catalog: string): string {
  return `'pg_catalog.${catalog}'::pg_catalog.regclass::pg_catalog.oid`
}

/** `name` of the written names in `list` of an asked row, in the schema that is written or in one of the path. */
function namedSql(list: string, name: string, namespace: string): string {
  return `exists (select from pg_catalog.json_to_recordset(a.${list}) as m (schema pg_catalog.text, name pg_catalog.text)
      where m.name = ${name} and case when m.schema is null
        then exists (select from pg_catalog.json_array_elements_text(a.path) as s (name) join pg_catalog.pg_namespace n on n.nspname = s.name where n.oid = ${namespace})
        else exists (select from pg_catalog.pg_namespace n where n.oid = ${namespace} and n.nspname = m.schema) end)`
}

const nothing = 'null::pg_catalog.oid, null::pg_catalog.oid'

const startsSql = `
  select a.id, c.oid as relation, ${nothing.replace(',', ' as via_class,')} as via, 'other'::pg_catalog.text as kind, ${classOf('pg_class')} as class, c.oid
  from asked a, pg_catalog.json_to_recordset(a.relations) as r (schema pg_catalog.text, name pg_catalog.text)
  join pg_catalog.pg_class c on c.relname = r.name
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where case when r.schema is null then n.nspname in (select s.name from pg_catalog.json_array_elements_text(a.path) as s (name)) else n.nspname = r.schema end
  union all
  select a.id, null::pg_catalog.oid, ${nothing}, 'other', m.class, m.oid from asked a, lateral (
    select ${classOf('pg_proc')} as class, p.oid from pg_catalog.pg_proc p where p.oid >= 16384 and ${namedSql('functions', 'p.proname', 'p.pronamespace')}
    union all
    select ${classOf('pg_proc')}, p.oid from pg_catalog.pg_proc p join pg_catalog.pg_type t on t.oid = p.proargtypes[0]
    where p.oid >= 16384 and p.pronargs - p.pronargdefaults <= 1 and t.typtype in ('c', 'p', 'd') and ${namedSql('fields', 'p.proname', 'p.pronamespace')}
    union all
    select ${classOf('pg_operator')}, o.oid from pg_catalog.pg_operator o where o.oid >= 16384 and ${namedSql('operators', 'o.oprname', 'o.oprnamespace')}
    union all
    select ${classOf('pg_type')}, t.oid from pg_catalog.pg_type t where t.oid >= 16384 and ${namedSql('types', 't.typname', 't.typnamespace')}
  ) m`

const partsOfRelationSql = `
    select ${classOf('pg_class')} as class, i.indexrelid as oid from pg_catalog.pg_index i where i.indrelid = w.oid
    union all select ${classOf('pg_statistic_ext')}, s.oid from pg_catalog.pg_statistic_ext s where s.stxrelid = w.oid
    union all select ${classOf('pg_constraint')}, k.oid from pg_catalog.pg_constraint k where k.conrelid = w.oid and k.contype = 'c'
    union all select ${classOf('pg_rewrite')}, r.oid from pg_catalog.pg_rewrite r where r.ev_class = w.oid
    union all select ${classOf('pg_policy')}, y.oid from pg_catalog.pg_policy y where y.polrelid = w.oid
    union all select ${classOf('pg_attrdef')}, f.oid from pg_catalog.pg_attribute g join pg_catalog.pg_attrdef f on f.adrelid = g.attrelid and f.adnum = g.attnum
      where g.attrelid = w.oid and g.attgenerated <> ''`

const partsOfTypeSql = `
    select 'domain' as kind, ${classOf('pg_constraint')} as class, k.oid as oid from pg_catalog.pg_constraint k where k.contypid = w.oid
    union all select w.kind, ${classOf('pg_type')}, a.atttypid from pg_catalog.pg_type t join pg_catalog.pg_attribute a on a.attrelid = t.typrelid
      where t.oid = w.oid and a.attnum > 0 and a.atttypid >= 16384
    union all select w.kind, ${classOf('pg_type')}, t.typelem from pg_catalog.pg_type t where t.oid = w.oid and t.typelem >= 16384
    union all select w.kind, ${classOf('pg_opclass')}, o.oid from pg_catalog.pg_opclass o where o.opcintype = w.oid
    union all select w.kind, ${classOf('pg_proc')}, c.castfunc from pg_catalog.pg_cast c where w.oid in (c.castsource, c.casttarget) and c.castfunc >= 16384`

const partsOfOpclassSql = `
    select ${classOf('pg_proc')} as class, f.amproc::pg_catalog.oid as oid from pg_catalog.pg_amproc f
    where f.amprocfamily = w.oid or f.amprocfamily = (select o.opcfamily from pg_catalog.pg_opclass o where o.oid = w.oid)
    union all
    select ${classOf('pg_operator')}, f.amopopr from pg_catalog.pg_amop f
    where f.amopfamily = w.oid or f.amopfamily = (select o.opcfamily from pg_catalog.pg_opclass o where o.oid = w.oid)`
