import type { Budget } from './budget.js'
import { capacity, keptBack, type SlotLimits } from '../sums/capacity.js'

/** A line of the waterfall: what it adds or takes (negative); a total is the sum of all lines before it that are none. */
export interface WaterfallLine {
  readonly label: string
  readonly connections: number
  readonly total: boolean
}

/** From max_connections down to the headroom, first steady, then at the peak of a rollout. Empty without limits. */
export function waterfall(budget: Budget): readonly WaterfallLine[] {
  const { limits } = budget
  if (limits === null) return []
  const steady = budget.lines.map((line) => take(line.name, line.steady))
  const surge = budget.lines
    .filter((line) => line.peak > line.steady)
    .map((line) => take(`${line.name}, rollout`, line.peak - line.steady))
  return [
    { label: 'max_connections', connections: limits.maxConnections, total: false },
    ...reserves(limits, limits.maxConnections - budget.capacity),
    { label: 'available', connections: budget.capacity, total: true },
    ...(budget.unmanaged > 0 ? [take('sessions nobody declared', budget.unmanaged)] : []),
    ...(budget.other > 0 ? [take('others, declared', budget.other)] : []),
    ...(budget.perfdb > 0 ? [take('perfdb', budget.perfdb)] : []),
    ...steady,
    { label: 'headroom, steady', connections: budget.capacity - budget.total.steady, total: true },
    ...surge,
    { label: 'headroom, peak', connections: budget.capacity - budget.total.peak, total: true },
  ]
}

/** The reserves that the least privileged role really loses: a superuser loses none. */
function reserves(limits: SlotLimits, lost: number): readonly WaterfallLine[] {
  if (lost === 0) return []
  const lines = [take('superuser_reserved_connections', limits.superuserReserved)]
  if (lost === limits.maxConnections - capacity(limits, 'reserved') && lost !== keptBack(limits)) return lines
  if (limits.reserved > 0) lines.push(take('reserved_connections', limits.reserved))
  if (limits.providerReserved > 0) lines.push(take('reserved by the provider', limits.providerReserved))
  return lines
}

function take(label: string, connections: number): WaterfallLine {
  return { label, connections: 0 - connections, total: false }
}
