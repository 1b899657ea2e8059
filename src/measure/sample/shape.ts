import { planSignature, type IndexNaming } from '../plan/signature.js'
import type { Measurement } from './measurement.js'

/**
 * The signature of a measurement's query plan with each index called by what it is: the same keys, method and predicate under another name are
 * the same query plan. Empty without a query plan.
 */
export function shapeOf({ plan, indexes }: Pick<Measurement, 'plan' | 'indexes'>): string {
  return plan === null ? '' : planSignature(plan.nodes, namingOf(indexes))
}

/** By what an index is, or by its name where the catalog was not read; where several tables have one of that name, by all of them. */
export function namingOf(indexes: Measurement['indexes'] = []): IndexNaming {
  const shapes = new Map<string, Set<string>>()
  for (const { name, shape } of indexes) shapes.set(name, (shapes.get(name) ?? new Set()).add(shape))
  return ({ index }) => [...(shapes.get(index) ?? [index])].toSorted().join(' or ')
}
