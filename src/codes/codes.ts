import type { ErrorCode } from '../errors.js'
import type { HazardCode } from './hazard-codes.js'
import type { activityTexts } from './help/activity.js'
import type { doctorTexts } from './help/doctor.js'
import type { indexTexts } from './help/indexes.js'
import type { poolerTexts } from './help/poolers.js'
import type { poolTexts } from './help/pools.js'
import type { queryTexts } from './help/queries.js'
import type { queryRunTexts } from './help/query-runs.js'
import type { serviceTexts } from './help/services.js'
import type { twinTexts } from './help/twin.js'

/*
 * The codes that a finding may have: those that have a text. Types alone, so that no run loads the texts.
 */

export type IndexFindingCode = keyof typeof indexTexts
export type QueryFindingCode =
  | keyof typeof queryTexts
  | keyof typeof queryRunTexts
  | keyof typeof activityTexts
  | keyof typeof twinTexts
/** A server that could not be asked is as unknown as a step that was not reached. */
export type PoolFindingCode =
  | keyof typeof poolTexts
  | keyof typeof poolerTexts
  | keyof typeof serviceTexts
  | Extract<IndexFindingCode, 'NOT_REACHED'>

/** Of a plan, a build or a query; an error that ends one step of many is told as a finding too. */
export type FindingCode = IndexFindingCode | QueryFindingCode | HazardCode | ErrorCode

/** Of doctor: its own checks, and the error of one that could not be made. */
export type DoctorCode = keyof typeof doctorTexts | ErrorCode
