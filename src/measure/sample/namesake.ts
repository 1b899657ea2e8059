import type { Query } from '../../profile/profile.js'
import type { QueryMeasurement } from './measurement.js'

/** The same query measured at another time: by its name, and by its file where several profiles use one name. */
export function namesakeOf(
  others: readonly QueryMeasurement[] | null | undefined,
  { name, place }: Pick<Query, 'name' | 'place'>,
): QueryMeasurement | undefined {
  const namesakes = others?.filter(({ query }) => query.name === name) ?? []
  return namesakes.find(({ query }) => query.place.file === place.file) ?? namesakes[0]
}
