import { configureGlobal } from 'fast-check'

/* The same random values in each run, so that a change fails by what it changed: PERFDB_TEST_SEED=7 tries others. */
export const testSeed = Number(process.env['PERFDB_TEST_SEED'] ?? 20_261_130)

configureGlobal({ seed: testSeed })
