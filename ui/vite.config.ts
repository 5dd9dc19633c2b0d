import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  // The window's policy forbids data: URLs for fonts, so nothing is inlined.
  build: { target: "safari16", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { port: 5179, strictPort: true },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
