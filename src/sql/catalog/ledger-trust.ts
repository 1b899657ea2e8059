const tables = `'runs', 'steps', 'measurements', 'migrations', 'migrations_lock'`

/** What the functions, types and methods that a ledger may use are: perfdb's own use those of the system alone, which leave no row in pg_depend. */
const code = `(${['proc', 'operator', 'type', 'opclass', 'am'].map(classOf).join(', ')})`

/** What the relations are made of. */
const partsSql = `parts as (
  select ${classOf('class')} as class, r.oid, r.name from relations r
  union all select ${classOf('class')}, i.indexrelid, r.name from relations r join pg_catalog.pg_index i on i.indrelid = r.oid
  union all select ${classOf('attrdef')}, d.oid, r.name from relations r join pg_catalog.pg_attrdef d on d.adrelid = r.oid
  union all select ${classOf('constraint')}, k.oid, r.name from relations r join pg_catalog.pg_constraint k on k.conrelid = r.oid
`

function classOf(catalog: string): string {
  return `'pg_catalog.pg_${catalog}'::pg_catalog.regclass`
}

/** Whether the schema is there at all, and that table in it; and whether all of it is `plain`, as below. */
export function ledgerThereSql(table: string): string {
  return `
select n.oid is not null as there,
  exists (select from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relname = '${table}' and c.relkind = 'r') as table,
  coalesce((${ledgerPlainSql}), false) as plain
from (select (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'perfdb')) as n (oid)`
}

/**
 * Whether all of it belongs to the connected role itself and nothing is on it, so that the long look below, which takes a new session three times as long to
 * plan, would find nothing. Says no to much that the long one allows.
 */
export const ledgerPlainSql = `
with space as (
  select n.oid, n.nspowner, pg_catalog.quote_ident(current_user)::pg_catalog.regrole::pg_catalog.oid as me
  from pg_catalog.pg_namespace n where n.nspname = 'perfdb'
), relations as (
  select c.oid, c.relname as name, c.relowner = s.me and c.relkind = 'r' and not (c.relrowsecurity or c.relhasrules or c.relhassubclass)
    and not exists (select from pg_catalog.aclexplode(c.relacl) a where a.privilege_type = 'TRIGGER' and a.grantee <> c.relowner) as plain
  from space s join pg_catalog.pg_class c on c.relnamespace = s.oid where c.relname in (${tables})
), ${partsSql})
select s.nspowner = s.me and current_user = session_user and not exists (select from relations r where not r.plain
    or exists (select from pg_catalog.pg_inherits h where h.inhrelid = r.oid)
    or exists (select from pg_catalog.pg_trigger t where t.tgrelid = r.oid and not t.tgisinternal)
    or exists (select from pg_catalog.pg_statistic_ext x where x.stxrelid = r.oid))
  and not exists (select from parts p join pg_catalog.pg_depend d on d.classid = p.class and d.objid = p.oid where d.refclassid in ${code}) as plain
from space s`

/**
 * What in the schema perfdb could run another role's code with the rights of who uses it, a row a thing; no row where all is well or
 * where there is no such schema. Trusted are superusers, the connected role, and the roles that it is a real member of: pg_has_role
 * says yes to a superuser for every role. The role that logged in counts as well as the one that it became by `alter role .. set role`, or
 * by what the owner of a database set: any function can bring it back. Reads catalogs alone, and none of the relations. `kind`: owner (of the schema or a table),
 * grant (of TRIGGER, which lets its holder add one in the middle of a run), relation, trigger, rule, policy, child, statistics, function.
 */
export const ledgerTrustSql = `
with recursive me as (
  select r.oid, r.rolsuper, pg_catalog.quote_ident(r.rolname) as name from pg_catalog.pg_roles r
  where r.rolname in (current_user, session_user) order by r.rolsuper desc, r.rolname = current_user desc limit 1
), of_current as (
  select r.oid from pg_catalog.pg_roles r where r.rolname = current_user
  union
  select m.roleid from of_current o join pg_catalog.pg_auth_members m on m.member = o.oid
), of_session as (
  select r.oid from pg_catalog.pg_roles r where r.rolname = session_user
  union
  select m.roleid from of_session o join pg_catalog.pg_auth_members m on m.member = o.oid
), mine as (
  select oid from of_current intersect select oid from of_session
), trusted as (
  select r.oid from pg_catalog.pg_roles r where r.rolsuper or r.oid in (select oid from mine)
  union
  select o.oid from pg_catalog.pg_roles o, pg_catalog.pg_database d join pg_catalog.pg_roles r on r.oid = d.datdba
  where o.rolname = 'pg_database_owner' and d.datname = pg_catalog.current_database()
    and (r.rolsuper or r.oid in (select oid from mine))
), space as (
  select n.oid, n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'perfdb'
), relations as (
  select c.*, 'perfdb.' || pg_catalog.quote_ident(c.relname) as name from space join pg_catalog.pg_class c on c.relnamespace = space.oid
  where c.relname in (${tables})
), ${partsSql}), problems as (
  select 'owner' as kind, 'perfdb' as relation, null::text as thing, s.nspowner as role from space s
  where s.nspowner not in (select oid from trusted)
  union all select 'owner', r.name, null, r.relowner from relations r where r.relowner not in (select oid from trusted)
  union all select distinct 'grant', r.name, null, a.grantee
  from relations r, pg_catalog.aclexplode(r.relacl) a
  where a.privilege_type = 'TRIGGER' and a.grantee not in (select oid from trusted) and a.grantee <> r.relowner
  union all select 'relation', r.name, case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
      when 'p' then 'partitioned table' else 'relation of kind ' || r.relkind::text end, r.relowner
  from relations r where r.relkind <> 'r'
  union all select 'trigger', r.name, pg_catalog.quote_ident(t.tgname), r.relowner
  from relations r join pg_catalog.pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
  union all select 'rule', r.name, pg_catalog.quote_ident(w.rulename), r.relowner
  from relations r join pg_catalog.pg_rewrite w on w.ev_class = r.oid where r.relkind = 'r'
  union all select 'policy', r.name, null, r.relowner from relations r where r.relrowsecurity
  union all select 'child', r.name, null, r.relowner
  from relations r where exists (select from pg_catalog.pg_inherits h where r.oid in (h.inhrelid, h.inhparent))
  union all select 'statistics', r.name, pg_catalog.quote_ident(x.stxname), r.relowner
  from relations r join pg_catalog.pg_statistic_ext x on x.stxrelid = r.oid
  union all select distinct 'function', p.name, pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0), null::oid
  from parts p join pg_catalog.pg_depend d on d.classid = p.class and d.objid = p.oid
  where d.refclassid in ${code}
)
select p.kind, p.relation, p.thing, case when p.role = 0 then 'public' else pg_catalog.quote_ident(r.rolname) end as role,
  me.name as me, case when me.rolsuper then me.name else (
    select pg_catalog.quote_ident(s.rolname) from pg_catalog.pg_roles s where s.rolsuper order by s.oid limit 1) end as "newOwner",
  me.rolsuper as superuser
from problems p cross join me left join pg_catalog.pg_roles r on r.oid = p.role
order by p.kind <> 'owner', p.relation, p.kind, p.thing, r.rolname`
