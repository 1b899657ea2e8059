import type { PoolServer } from '../../result/documents/pool-result.js'
import type { Block, Cell } from '../block/block.js'
import { several } from '../../text/amounts.js'
import { visible } from '../text/width.js'

/** Rows of tenants that are shown one by one; as many services have a column. */
const shownTenants = 30
const shownServices = 8

/** The matrix of tenants and the services that have a pool for each: connections at the peak. Under verbose, as on a page. */
export function tenantGrid({ name, tenants = [] }: PoolServer, verbose: boolean): Block {
  const services = tenants.toSorted((one, other) => other.each - one.each).slice(0, shownServices)
  const ids = [...new Set(tenants.flatMap((service) => service.ids))]
  const shown = verbose ? ids.slice(0, shownTenants) : []
  const count = Math.max(ids.length, ...tenants.map((service) => service.count))
  const rows = shown.map((id): Cell[] => [
    { text: id },
    ...services.map((service): Cell => (service.ids.includes(id) ? { text: String(service.each) } : { text: '' })),
    { text: String(tenants.reduce((sum, service) => sum + (service.ids.includes(id) ? service.each : 0), 0)) },
  ])
  const all = [...services.map((service) => service.each * service.count), total(tenants)]
  const foot: Cell[] = [
    { text: `all ${several(count, 'tenant')}`, tone: 'quiet' },
    ...all.map((connections): Cell => ({ text: String(connections) })),
  ]
  return {
    kind: 'grid',
    title: `Tenants of ${name}: connections of each at the peak`,
    columns: [
      { head: 'tenant', kind: 'name', floor: 12 },
      ...services.map(({ service }, at) => ({
        head: visible(service),
        kind: 'number' as const,
        drop: services.length - at,
      })),
      { head: 'together', kind: 'number' },
    ],
    rows: rows.length === 0 ? [] : [...rows, foot],
  }
}

function total(tenants: NonNullable<PoolServer['tenants']>): number {
  return tenants.reduce((sum, service) => sum + service.each * service.count, 0)
}
