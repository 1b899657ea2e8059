import { readFileSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
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

/** Of shared memory, for what the servers of tests write and nobody keeps: eleven gigabytes in a run, a few hundred MB at a time. */
const enoughBytes = 6e9

/** A folder in memory, where there is plenty of it and programs may be started from it; undefined elsewhere. */
function memoryFolder(): string | undefined {
  try {
    const mounted = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, path]) => path === '/dev/shm')
    const { bavail, bsize } = statfsSync('/dev/shm')
    const fits = bavail * bsize > enoughBytes && freemem() > 2 * enoughBytes
    return fits && mounted?.[3]?.split(',').includes('noexec') === false ? '/dev/shm' : undefined
  } catch {
    return undefined
  }
}

const folder = process.env['TMPDIR'] ?? memoryFolder()
// Workers and what they start have it from here.
if (folder !== undefined) process.env['TMPDIR'] = folder

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
