import { basename, dirname, resolve } from 'node:path'
import { PerfdbError, problemsError, type Problem } from '../../errors.js'
import { readText } from '../../profile/files/files.js'
import { missingByPath } from '../../settings/config-missing.js'
import { choiceOf } from '../../settings/resolve.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'
import { csvRecords } from '../../tenants/csv.js'
import { csvTenants } from '../../tenants/csv-tenants.js'
import { readTenants, type ReadTenants } from '../../tenants/read.js'
import { duplicateTenants } from '../../tenants/rows.js'
import { tenantsFileSchema, type WrittenLimits } from '../../options/tenants-schema.js'
import type { Registry, RegistryRow, TenantRow } from '../../tenants/tenant.js'
import { withoutUrlVariables } from '../../text/url-environment.js'
import { readYaml } from '../../yaml/read.js'

export interface TenantList extends Pick<ReadTenants, 'rows' | 'registries'> {
  readonly limits: WrittenLimits
}

/**
 * The tenants of --tenants-file, else of perfdb.yaml (those of its environment first). Throws every problem of the list at once: what readTenants finds,
 * BAD_OPTION where nothing lists any, and NO_TENANTS for an empty list.
 */
export async function readTenantList(
  invocation: Invocation,
  config: Config,
  ask: (registry: Registry) => Promise<readonly RegistryRow[]>,
): Promise<TenantList> {
  const { options, cwd, environment } = invocation
  const file = options.tenantsFile ?? config.file
  if (file === null)
    throw new PerfdbError('BAD_OPTION', 'nothing lists tenants: there is no perfdb.yaml', {
      hint: 'name a list: --tenants-file tenants.csv',
    })
  const found = { file, path: resolve(cwd, file), named: true }
  const content = await readText(found)
  if ('problem' in content) throw problemsError([content.problem])
  const section = options.tenantsFile === undefined ? choiceOf(options, environment).environment : undefined
  const list = /\.csv$/i.test(file)
    ? ofCsv(content.text, file)
    : await ofYaml(content.text, found, section, environment, ask)
  const [first, ...rest] = [...list.problems, ...list.rows.flatMap(withoutUrl)]
  if (first !== undefined) throw problemsError([first, ...rest])
  if (list.rows.length === 0)
    throw new PerfdbError('NO_TENANTS', `${basename(file)} lists no tenant`, { place: { file, line: 1, column: 1 } })
  return list
}

type Listed = TenantList & Pick<ReadTenants, 'problems'>

/** A list by itself: `id` and `url`, `database`, `role` and `schema` where they are there; all other columns are labels. */
function ofCsv(text: string, file: string): Listed {
  const [header = []] = csvRecords(text).records
  const names = header.map((cell) => cell.text)
  const own = (name: string) => (names.includes(name) ? name : undefined)
  const known = ['id', 'url', 'database', 'role', 'schema']
  const { rows, problems } = csvTenants(
    text,
    file,
    {
      ids_from: basename(file),
      url_column: 'url',
      database_column: own('database'),
      role_column: own('role'),
      schema_column: own('schema'),
      label_columns: names.filter((name) => !known.includes(name) && name !== ''),
    },
    file,
  )
  return { rows, problems: [...problems, ...duplicateTenants(rows)], registries: [], limits: {} }
}

async function ofYaml(
  text: string,
  found: { readonly file: string; readonly path: string; readonly named: boolean },
  section: string | undefined,
  environment: Invocation['environment'],
  ask: (registry: Registry) => Promise<readonly RegistryRow[]>,
): Promise<Listed> {
  const read = readYaml(text, found.file, tenantsFileSchema, withoutUrlVariables(text, environment))
  // Of perfdb.yaml only the list is of interest here: another part may need variables that nobody uses now.
  const missing = missingByPath(read)
  const others = read.problems.filter(({ code }) => code !== 'MISSING_ENVIRONMENT')
  const own = section === undefined ? [] : ['environments', section]
  const parsed = tenantsFileSchema.safeParse(read.plain)
  const written = parsed.success ? parsed.data : {}
  const there = section === undefined ? undefined : written.environments?.[section]
  const base = there?.tenants === undefined ? [] : own
  const problems: readonly Problem[] = [...others, ...missing([...base, 'tenants'])]
  if (problems.length > 0) return { rows: [], problems, registries: [], limits: {} }
  const tenants = await readTenants(
    there?.tenants ?? written.tenants ?? [],
    { ...found, path: resolve(dirname(found.path), basename(found.path)) },
    (path, part) => read.placeOf([...base, 'tenants', ...path], part),
    ask,
  )
  return { ...tenants, limits: { ...written.limits, ...there?.limits } }
}

/** A command for tenants connects to each: a server's name in a pools file says nothing of where it is. */
function withoutUrl({ url, tenant: { id, place } }: TenantRow): readonly Problem[] {
  if (url !== null) return []
  return [
    { code: 'BAD_VALUE', message: `tenant ${id} has no url`, hint: 'give url, url_column or url_template', place },
  ]
}
