import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-server.ts'],
    // Above the 60 s of `until`, so that what never came is named.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores: more workers only make the servers wait for each other.
    maxWorkers: 3,
    // A test that fails is a defect, of the code or of its own wait: it is never tried again.
    retry: 0,
  },
})
