import type { Place } from '../../errors.js'
import type { PoolFinding, Server } from '../sums/model.js'
import type { Pooler } from '../sums/pooler-model.js'
import type { TenantRow } from '../../tenants/tenant.js'
import { several } from '../../text/amounts.js'
import { literalPassword } from '../../text/postgres-url.js'

/** LITERAL_PASSWORD for every url that writes a password out; tenants together. */
export function literalPasswords(
  servers: readonly Server[],
  poolers: readonly Pooler[],
  tenants: readonly TenantRow[],
): readonly PoolFinding[] {
  const urls = [
    ...servers.map(({ name, url, place }) => ({ name, url, place })),
    ...poolers.flatMap(({ name, adminUrls, place }) => adminUrls.map((url) => ({ name, url, place }))),
  ].flatMap(({ url, ...of }) => (url !== null && literalPassword(url) !== undefined ? [of] : []))
  const [first, ...others] = tenants.filter(({ url }) => url !== null && literalPassword(url) !== undefined)
  const listed = first === undefined ? [] : [{ name: `tenant ${first.tenant.id}`, place: first.tenant.place }]
  const more =
    others.length === 0
      ? ''
      : `, and so ${others.length === 1 ? 'does that' : 'do those'} of ${several(others.length, 'other tenant')}`
  return [
    ...urls.map((one) => literalPasswordFinding(one.name, one.place)),
    ...listed.map((one) => literalPasswordFinding(one.name, one.place, more)),
  ]
}

/** The name says whose url it is; no part of the url is told. */
export function literalPasswordFinding(name: string, place: Place, more = ''): PoolFinding {
  return {
    code: 'LITERAL_PASSWORD',
    severity: 'info',
    message: `the url of ${name} holds a password${more}`,
    hint: 'url: ${NAME} from the environment, or .pgpass',
    place,
  }
}
