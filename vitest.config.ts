import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{core,device,boards,host,bench,setup}/test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
