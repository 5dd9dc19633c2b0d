import { createRequire } from "node:module";
import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { NARROW, useBrowser, WIDE, withPage } from "./browser";
import { SCENES } from "./scenes";
import { SYNC_SCENES } from "./syncScenes";

/**
 * Every view and dialog, in both themes and at both widths: looked at by axe, and kept as a
 * picture for a person to look at.
 */

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const SHOTS = "e2e/shots";

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

async function violations(page: Page): Promise<string[]> {
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ""}`),
  );
}

useBrowser();
beforeAll(() => mkdir(SHOTS, { recursive: true }));

const LOOKS = {
  light: { colorScheme: "light", size: WIDE },
  dark: { colorScheme: "dark", size: WIDE },
  narrow: { colorScheme: "light", size: NARROW },
} as const;

test.each([...SCENES, ...SYNC_SCENES])(
  "$name has no fault of accessibility",
  async ({ name, scenario, arrange }) => {
    // axe is injected as a script tag, which the page's own policy rightly forbids.
    await withPage({ scenario, bypassCSP: true }, async (page) => {
      await page.locator("nav").waitFor();
      await arrange(page);
      await page.evaluate(() => document.fonts.ready);
      await page.addScriptTag({ path: AXE });
      for (const [look, { colorScheme, size }] of Object.entries(LOOKS)) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize(size);
        await page.screenshot({ path: `${SHOTS}/${name}-${look}.png` });
        expect(await violations(page), look).toEqual([]);
      }
    });
  },
);
