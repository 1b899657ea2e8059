import { adviseResult } from './documents/advise-result.js'
import { compareResult } from './documents/compare-result.js'
import { configResult } from './documents/config-result.js'
import { demoResult } from './documents/demo-result.js'
import { doctorResult } from './documents/doctor-result.js'
import { fleetResult } from './documents/fleet-result.js'
import { historyResult } from './documents/history-result.js'
import { importResult } from './documents/import-result.js'
import { initResult } from './documents/init-result.js'
import { loadResult } from './documents/load-result.js'
import { poolResult } from './documents/pool-result.js'
import { applyResult, errorResult, explainResult, planResult, statusResult, verifyResult } from './documents/result.js'
import { statisticsResult } from './documents/statistics-result.js'

/** The document of each command, by the command that it names; rollback's is that of apply. */
export const commandSchemas = {
  plan: planResult,
  verify: verifyResult,
  apply: applyResult,
  explain: explainResult,
  status: statusResult,
  history: historyResult,
  'check-pool': poolResult,
  demo: demoResult,
  init: initResult,
  doctor: doctorResult,
  config: configResult,
  import: importResult,
  compare: compareResult,
  statistics: statisticsResult,
  advise: adviseResult,
  load: loadResult,
} as const

/** Every document that perfdb prints: of each command, of a command for many tenants, of one that could not start. */
export const resultSchemas = { ...commandSchemas, fleet: fleetResult, error: errorResult } as const
