import { adviseResult } from './advise-result.js'
import { compareResult } from './compare-result.js'
import { configResult } from './config-result.js'
import { demoResult } from './demo-result.js'
import { doctorResult } from './doctor-result.js'
import { fleetResult } from './fleet-result.js'
import { historyResult } from './history-result.js'
import { importResult } from './import-result.js'
import { initResult } from './init-result.js'
import { loadResult } from './load-result.js'
import { poolResult } from './pool-result.js'
import { applyResult, errorResult, explainResult, planResult, statusResult, verifyResult } from './result.js'
import { statisticsResult } from './statistics-result.js'

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
