import { PerfdbError } from '../../errors.js'
import type { ResultFinding } from '../../result/documents/result.js'
import type { Invocation } from '../../settings/invocation.js'
import type { ListedTenants } from '../../tenants/read.js'
import { selectTenants } from '../../tenants/select.js'
import { configOf } from '../files/inputs.js'
import { rememberingRegistry } from './registry-cache.js'
import { readTenantList } from './tenants-file.js'

/** The tenants that the options choose, for a command that judges them together. Throws what reading the list throws, and BAD_OPTION for a registry with --offline. */
export async function listedTenants(invocation: Invocation): Promise<ListedTenants> {
  const { options, listener } = invocation
  const config = await configOf(invocation)
  const told: ResultFinding[] = []
  const ask = rememberingRegistry(invocation, told)
  const list = await readTenantList(invocation, config, async (registry) => {
    if (options.offline !== true) return ask(registry)
    throw new PerfdbError('BAD_OPTION', 'with --offline the registry of tenants is not asked', {
      hint: 'leave --offline out, or list the tenants in a file: --tenants-file tenants.csv',
      place: registry.place,
    })
  })
  for (const { message } of told) listener({ type: 'warning', message })
  const file = options.tenantsFile ?? config.file ?? ''
  return { file, rows: selectTenants(list.rows, options), registries: list.registries }
}
