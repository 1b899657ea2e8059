import type { Limits } from '../../measure/sample/limits.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { ResultTwin } from '../../result/parts/twin-result.js'
import type { Session } from '../../server/session/session.js'
import { readSchema, type Schema } from '../../twin/load.js'
import { makeTwin } from '../../twin/make/make-twin.js'
import { readStatistics } from '../../twin/read/read-statistics.js'
import type { Statistics } from '../../twin/statistics.js'
import type { Present } from '../../twin/suppose/suppose.js'
import type { LoneTwin, Twin } from '../../twin/twin.js'
import { unseenFindings } from './statistics.js'

export interface TwinOptions {
  /** Where the embedded server is looked for. */
  readonly from: readonly string[]
  readonly scale: number
  /** Make pg_trgm too, which the source lacks. */
  readonly trigrams?: boolean
}

/** A twin, and what is to be known of it. */
export interface MadeTwin<T extends Twin = Twin> {
  readonly twin: T
  readonly findings: readonly Finding[]
}

/** The twin of the database of this session, of the role `look`. Throws NO_EMBEDDED, EMBEDDED_FAILED, INTERRUPTED and the server's errors. */
export async function twinOfServer(session: Session, limits: Limits, options: TwinOptions): Promise<MadeTwin> {
  const { statistics, notes } = await readStatistics(session, { noValues: false, hide: [] })
  const schema = await readSchema(session)
  const twin = await makeTwin({ ...options, statistics, schema }, limits)
  const told = notes.map((message): Finding => ({ code: 'TWIN_PARTIAL', severity: 'warning', message }))
  return { twin, findings: [...unseenFindings(statistics, session.user), ...told, ...gapFindings(twin)] }
}

/** The twin of a statistics file, with a schema from elsewhere. Throws as twinOfServer does. */
export async function twinOfFile(
  statistics: Statistics,
  schema: Schema,
  limits: Limits,
  options: TwinOptions,
): Promise<MadeTwin<LoneTwin>> {
  const twin = await makeTwin({ ...options, statistics, schema }, limits)
  return { twin, findings: gapFindings(twin) }
}

function gapFindings({ gaps }: Twin): readonly Finding[] {
  return gaps.length === 0
    ? []
    : [
        {
          code: 'TWIN_PARTIAL',
          severity: 'warning',
          message: `the twin lacks ${gaps.length === 1 ? 'something' : `${gaps.length} things`}: ${gaps.slice(0, 3).join('; ')}${gaps.length > 3 ? ' ...' : ''}`,
          hint: 'query plans that lean on them differ there; perfdb compares each with that of the server where there is one',
        },
      ]
}

/** Of a query whose constants mean nothing on a twin without values. */
export function strangerFinding({ name, place }: Query, strange: ReturnType<Twin['strangers']>): readonly Finding[] {
  if (strange === null) return []
  const { constants, asAny } = strange
  const shown = `${constants.slice(0, 3).join(', ')}${constants.length > 3 ? ' ...' : ''}`
  return [
    {
      code: 'TWIN_PARTIAL',
      severity: 'warning',
      query: name,
      place,
      message: `the statistics file is without values and does not know ${shown}: ${asAny ? 'planned as any value would be' : 'compared with what stands for the values, which says little'}`,
      hint: 'perfdb statistics --no-values FILE... keeps what the constants of the queries in these files mean',
    },
  ]
}

/** How far the twin plans as its source does; `planned` is null where there is no source to compare with. */
export function twinDocument({ version, gaps }: Twin, planned: readonly Present[] | null): ResultTwin {
  const told = (likeness: Present['likeness']) =>
    (planned ?? [])
      .filter((one) => one.likeness === likeness)
      .map(({ name, params, difference }) => ({
        query: name,
        ...(params === null || params === 'default' ? {} : { params }),
        difference,
      }))
  const [near, differ] = [told('near'), told('differs')]
  return {
    version,
    equal: planned === null ? null : planned.length - differ.length - near.length,
    of: planned?.length ?? 0,
    ...(near.length === 0 ? {} : { near }),
    ...(differ.length === 0 ? {} : { differ }),
    ...(gaps.length === 0 ? {} : { gaps: [...gaps] }),
  }
}
