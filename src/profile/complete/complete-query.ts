import type { Expectation, ParameterSet, Query } from '../profile.js'
import type { WrittenQuery } from '../written/schema.js'
import { durationMs } from '../../text/units.js'
import { entriesInOrder, type Path, type ProfileSource } from '../written/source.js'
import { parameterText } from '../written/values.js'

/** A query with its parameter sets and variants in the order of the file. */
export function completeQuery(written: WrittenQuery, path: Path, source: ProfileSource): Query {
  const { sql, variants = {} } = written
  return {
    name: written.name,
    ...(sql === undefined ? {} : { sql }),
    parameters: parameterSets(written.params, [...path, 'params'], source),
    variants: entriesInOrder(variants, [...path, 'variants'], source).map(([name, statements]) => ({
      name,
      statements: typeof statements === 'string' ? [statements] : statements,
    })),
    expect: completeExpectation(written.expect ?? {}),
    ...(written.weight === undefined ? {} : { weight: written.weight }),
    place: source.placeOf(path),
  }
}

function parameterSets(written: WrittenQuery['params'], path: Path, source: ProfileSource): readonly ParameterSet[] {
  if (written === undefined) return []
  if (Array.isArray(written)) return [{ name: 'default', values: written.map(parameterText) }]
  return entriesInOrder(written, path, source).map(([name, values]) => ({ name, values: values.map(parameterText) }))
}

function completeExpectation({
  uses,
  speedup,
  time,
  cost,
  buffers,
  forbid,
}: NonNullable<WrittenQuery['expect']>): Expectation {
  const timeMs = time === undefined ? undefined : durationMs(time)
  return {
    ...(uses === undefined ? {} : { uses }),
    ...(speedup === undefined ? {} : { speedup }),
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(cost === undefined ? {} : { cost }),
    ...(buffers === undefined ? {} : { buffers }),
    ...(forbid === undefined ? {} : { forbid }),
  }
}
