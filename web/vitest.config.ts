import { defineConfig, mergeConfig } from "vitest/config";
import vite from "./vite.config";

// Apart from vite.config.ts, so that building needs no test runner.
export default mergeConfig(
  vite,
  defineConfig({
    test: {
      environment: "happy-dom",
      include: ["src/**/*.test.{ts,tsx}"],
      restoreMocks: true,
    },
  }),
);
