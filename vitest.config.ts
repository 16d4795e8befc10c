import { defineConfig } from 'vitest/config'

// Tests run against the built package (`syncline/...` and `#src/...` both resolve to dist/), so that workers,
// child processes and exports are the ones that users get.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/fixtures/postgres-global.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // Many files start servers and child processes of their own: two at a time on any machine, so that a large one proves what a small one does.
    maxWorkers: 2,
  },
})
