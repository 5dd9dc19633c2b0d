import type { TestProject } from "vitest/node";
import { preview } from "vite";

declare module "vitest" {
  export interface ProvidedContext {
    address: string;
  }
}

/**
 * The policy of the window in tauri.conf.json, and stricter: no inline style is needed.
 * A page that breaks it fails its test.
 */
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; frame-src 'none'";

/** Serves the built page for as long as the tests run. */
export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const server = await preview({
    logLevel: "error",
    preview: { port: 0, host: "127.0.0.1", headers: { "Content-Security-Policy": POLICY } },
  });
  const address = server.resolvedUrls?.local[0];
  if (!address) throw new Error("the preview server has no address");
  project.provide("address", address);
  return () => server.close();
}
