import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";
import type { FakeBackend } from "../src/backend/fake";

declare global {
  interface Window {
    mizzenFake: FakeBackend;
  }
}

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"];

let browser: Browser;

/** One Chromium for the tests of a file. A missing one is a failure. */
export function useBrowser(): void {
  beforeAll(async () => {
    const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });
  afterAll(() => browser.close());
}

export interface Look extends BrowserContextOptions {
  /** Scenario of the scripted backend, e.g. `sessions=50`. */
  scenario?: string;
}

/** The window as it opens first, less what a desktop puts round it. */
export const WIDE = { width: 1080, height: 690 };
export const NARROW = { width: 640, height: 720 };

/**
 * Opens the window in a context of its own, hands it to the test, and fails on any error the page
 * reported: an exception, a console error, a breach of the content policy.
 */
export async function withPage(look: Look, test: (page: Page) => Promise<void>): Promise<void> {
  const { scenario = "", ...options } = look;
  const context = await browser.newContext({
    viewport: WIDE,
    locale: "en-GB",
    reducedMotion: "reduce",
    ...options,
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(90_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        complaints.push(message.text());
    });
    // What a scenario says comes first, and counts.
    await page.goto(`${inject("address")}?${scenario}&pace=15`);
    // The page's script may run only after the page counts as loaded.
    await page.waitForFunction(() => "mizzenFake" in window);
    await test(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

export function byId(page: Page, id: string) {
  return page.locator(`[data-testid="${id}"]`);
}
