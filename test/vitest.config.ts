import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-server.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the servers wait for each other.
    maxWorkers: 3,
    // Faults are met on real servers by real clocks: on a crowded machine a moment can be missed. Never on a developer's own.
    retry: process.env['CI'] === undefined ? 0 : 2,
  },
})
