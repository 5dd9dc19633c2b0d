import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What tests of the page look at again and again. */

export const focused = (page: Page) =>
  expect.poll(() =>
    page.evaluate(
      () => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.id,
    ),
  );
export const selected = (page: Page) =>
  expect.poll(() =>
    page.locator('[role="option"][aria-selected="true"]').getAttribute("data-testid"),
  );
export const state = async (page: Page, name: string, wanted: string) =>
  page.locator(`[data-testid="state-${name}"][data-state="${wanted}"]`).waitFor();
export const verbs = (page: Page) => page.evaluate(() => window.mizzenFake.trace.verbs);
