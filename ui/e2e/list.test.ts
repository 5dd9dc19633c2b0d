import { describe, expect, test } from "vitest";
import { byId, NARROW, useBrowser, withPage } from "./browser";
import { focused, selected, state } from "./steps";

useBrowser();

describe("the keyboard", () => {
  test("walks through the list, into a session and back", () =>
    withPage({ scenario: "sessions=50" }, async (page) => {
      await page.locator("#session-list").focus();
      await page.keyboard.press("ArrowDown");
      await selected(page).toBe("session-row-api-2");
      await page.keyboard.press("End");
      await selected(page).toBe("session-row-web-shop-6");
      await page.keyboard.press("Home");
      await selected(page).toBe("session-row-api");
      await page.keyboard.press("Enter");
      await focused(page).toBe("detail-title");
      await page.keyboard.press("Escape");
      await focused(page).toBe("session-list");
    }));

  test("reaches filter, dialogs and views, and never while someone types", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").waitFor();
      await page.keyboard.press("?");
      await byId(page, "dialog-help").waitFor();
      await page.keyboard.press("Escape");
      await byId(page, "dialog-help").waitFor({ state: "detached" });
      await page.keyboard.press("4");
      await byId(page, "save-settings").waitFor();
      await page.keyboard.press("/");
      await focused(page).toBe("filter");
      await page.keyboard.type("n1?");
      expect(await byId(page, "filter").inputValue()).toBe("n1?");
      expect(await byId(page, "dialog-new").count()).toBe(0);
      await page.keyboard.press("Escape");
      await focused(page).toBe("session-list");
      await page.keyboard.press("n");
      await byId(page, "dialog-new").waitFor();
    }));

  test("in a narrow window Enter shows the session alone, Esc the list", () =>
    withPage({ scenario: "sessions=8", viewport: NARROW }, async (page) => {
      await page.locator("#session-list").focus();
      await page.keyboard.press("Enter");
      await byId(page, "action-stop").waitFor({ state: "visible" });
      expect(await page.locator("#session-list").isVisible()).toBe(false);
      await page.keyboard.press("Escape");
      await page.locator("#session-list").waitFor({ state: "visible" });
      await focused(page).toBe("session-list");
    }));
});

test("the filter narrows the list, says how many are left, and can be taken off", () =>
  withPage({ scenario: "sessions=500" }, async (page) => {
    await byId(page, "filter").fill("web-shop-1");
    await page.getByText("10 sessions shown").waitFor({ state: "attached" });
    await byId(page, "scope-attention").click();
    await page.getByText("No session matches.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await byId(page, "session-row-api").waitFor();
    expect(await byId(page, "filter").inputValue()).toBe("");
  }));

describe("five hundred sessions", () => {
  test("keep few rows in the document at every place of a scroll", () =>
    withPage({ scenario: "sessions=500" }, async (page) => {
      await byId(page, "session-row-api").waitFor();
      const counts = await page.evaluate(async () => {
        const list = document.getElementById("session-list")!;
        const frame = () => new Promise(requestAnimationFrame);
        const seen: { rows: number; covered: boolean }[] = [];
        for (let at = 0; at < list.scrollHeight; at += 400) {
          list.scrollTop = at;
          await frame();
          await frame();
          const box = list.getBoundingClientRect();
          // Rows leave a gap of two pixels, so of two places at most one can lie in it.
          const covered = [0.5, 0.53].some((part) => {
            const place = document.elementFromPoint(box.left + 60, box.top + box.height * part);
            return place?.closest('[role="option"]') != null;
          });
          seen.push({ rows: list.querySelectorAll('[role="option"]').length, covered });
        }
        return seen;
      });
      expect(counts.length).toBeGreaterThan(60);
      expect(Math.max(...counts.map(({ rows }) => rows))).toBeLessThanOrEqual(30);
      expect(counts.every(({ covered }) => covered)).toBe(true);
    }));

  test("that change all at once are one drawing", () =>
    withPage({ scenario: "sessions=500" }, async (page) => {
      await byId(page, "session-row-api").waitFor();
      const drawings = await page.evaluate(async () => {
        const list = document.getElementById("session-list")!;
        let drawings = 0;
        const observer = new MutationObserver(() => (drawings += 1));
        observer.observe(list, {
          subtree: true,
          childList: true,
          characterData: true,
          attributes: true,
        });
        const { sessions } = await window.mizzenFake.snapshot();
        for (const { name } of sessions) window.mizzenFake.change(name, { state: "paused" });
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        observer.disconnect();
        return drawings;
      });
      await state(page, "api", "paused");
      expect(drawings).toBe(1);
    }));
});
