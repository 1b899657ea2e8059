/** An opclass that an index may have for a column, and an operator that it serves. */
export interface OperatorClass {
  readonly column: string
  readonly operator: string
  readonly method: string
  readonly opclass: string
  /** The one that an index gets where none is named. */
  readonly default: boolean
}

/**
 * Which opclasses serve which operators ($3) on the columns of a table ($1 schema, $2 name), as the catalog says: operators of an operator
 * family for searches, opclasses of the column's type, of what its domain is over, and of the polymorphic types.
 * https://www.postgresql.org/docs/current/catalog-pg-amop.html
 */
export const operatorClassesSql = `
  select distinct a.attname as column, o.oprname as operator, m.amname as method, c.opcname as opclass, c.opcdefault as default
  from pg_namespace n
  join pg_class t on t.relnamespace = n.oid
  join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  join pg_type y on y.oid = a.atttypid
  join pg_type b on b.oid = case when y.typtype = 'd' then y.typbasetype else y.oid end
  join pg_opclass c on c.opcintype = b.oid or c.opcintype = case
      when b.oid = 'varchar'::regtype then 'text'::regtype
      when b.typcategory = 'A' then 'anyarray'::regtype
      when b.typtype = 'e' then 'anyenum'::regtype
      when b.typtype = 'r' then 'anyrange'::regtype
      when b.typtype = 'm' then 'anymultirange'::regtype end
  join pg_am m on m.oid = c.opcmethod
  join pg_amop p on p.amopfamily = c.opcfamily and p.amopmethod = c.opcmethod and p.amoppurpose = 's' and p.amoplefttype = c.opcintype
  join pg_operator o on o.oid = p.amopopr
  where n.nspname = $1 and t.relname = $2 and o.oprname = any ($3::text[])
  order by 1, 2, 3, 4`
