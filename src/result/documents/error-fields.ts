import { isErrorCode, PerfdbError } from '../../errors.js'
import type { TenantResult } from './fleet-result.js'

type Fields = NonNullable<TenantResult['error']>

/** An error as documents hold it. */
export function fieldsOf({ code, message, detail, hint, sqlstate, place }: PerfdbError): Fields {
  return {
    code,
    message,
    ...(detail !== undefined && { detail }),
    hint,
    ...(sqlstate !== undefined && { sqlstate }),
    ...(place !== undefined && { place }),
  }
}

/** The error that a document of the same version holds. */
export function errorOf({ code, message, ...fields }: Fields): PerfdbError {
  return new PerfdbError(isErrorCode(code) ? code : 'INTERNAL', message, fields)
}
