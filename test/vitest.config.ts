import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** What waits for servers and signals begins first, so that no long file is alone at the end. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = (file: TestSpecification) =>
      /\/test\/(package|pipelines|fault|fleet|library|browser|docs)/.test(file.moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seed.ts'],
    globalSetup: ['test/support/global-server.ts'],
    sequence: { sequencer: WaitingFirst },
    // Above the 60 s of `until`, so that what never came is named.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait for a server most of the time: two cores are busy with six of them.
    maxWorkers: 6,
    // One worker loads each module once. Nothing in src keeps state between two runs, and a test that leaves some behind is a defect.
    isolate: false,
    // A test that fails is a defect, of the code or of its own wait: it is never tried again.
    retry: 0,
  },
})
