import { defineConfig } from "vitest/config";

/** `npm run test:slow` runs the long tests instead of the others. */
const kind = process.env.ATMICRO_SLOW === undefined ? "test" : "slow";

export default defineConfig({
  test: {
    include: [`{core,device,boards,host,bench,setup}/test/**/*.${kind}.ts`],
    pool: "forks",
    reporters: ["default", "./setup/suiteReport.mjs"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A busy machine takes longer than the second that is vitest's default.
    expect: { poll: { timeout: 20_000 } },
  },
});
