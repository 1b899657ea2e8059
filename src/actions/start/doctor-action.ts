import type { DoctorResult } from '../../result/documents/doctor-result.js'
import type { Config } from '../../settings/config.js'
import { openDatabase, type Database } from '../connect/database.js'
import type { Invocation } from '../../settings/invocation.js'

/** doctor where plan would connect; what keeps it from that is a check that failed. */
export async function runDoctorAction(invocation: Invocation, config: Config): Promise<DoctorResult> {
  const { runDoctor } = await import('../../commands/start/doctor.js')
  let database: Database | undefined
  try {
    return await runDoctor(async () => {
      database = await openDatabase(invocation, config)
      return database.connect('look')
    })
  } finally {
    await database?.[Symbol.asyncDispose]()
  }
}
