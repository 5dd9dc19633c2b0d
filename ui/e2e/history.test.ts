import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { focused } from "./steps";

useBrowser();

const wishes = (page: Page) =>
  page.evaluate(() =>
    window.mizzenFake.workspace.asked.filter(({ ask }) => ask !== "conflicts" && ask !== "history"),
  );

async function open(page: Page): Promise<void> {
  await byId(page, "session-row-api").click();
  await byId(page, "action-sync-history").focus();
  await page.keyboard.press("Enter");
  await byId(page, "cycle").first().waitFor();
}

test("a cycle says what it changed on which side, and is taken back when that is confirmed", () =>
  withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
    await open(page);
    await focused(page).toBe("workspace-title");
    const cycle = byId(page, "cycle").nth(2);
    await cycle.getByText("1 place in the container, 4 places on the host").waitFor();
    await cycle.locator('[data-testid="unfold-cycle"]').focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => cycle.locator('[data-testid="place"]').count()).toBe(5);
    // What was new had nothing before it.
    await expect.poll(() => cycle.locator('[data-testid="restore"]').count()).toBe(4);
    const name = await cycle.getAttribute("data-cycle");
    await cycle.locator('[data-testid="undo-cycle"]').click();
    await focused(page).toBe("cancel");
    await byId(page, "dialog-confirm").getByText("4 places on the host go back").waitFor();
    await byId(page, "confirm").click();
    const told = byId(page, "told");
    await told.getByText("Taken back: 3 places changed.").waitFor();
    await told.getByText("2 places stay as they are:").waitFor();
    await told.getByText("on the host: it has changed since").first().waitFor();
    expect(await wishes(page)).toEqual([{ ask: "undo", cycle: name }]);
    await byId(page, "undo-told").waitFor();
  }));

test("one file comes back, or it is said why it does not", () =>
  withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
    await open(page);
    const before = await byId(page, "cycle").nth(2).getAttribute("data-cycle");
    const cycle = page.locator(`[data-cycle="${before}"]`);
    await cycle.locator('[data-testid="unfold-cycle"]').click();
    const place = (path: string) =>
      cycle.locator('[data-testid="place"]', { hasText: path }).locator('[data-testid="restore"]');
    await place("README.md").click();
    await byId(page, "dialog-confirm").getByText("It comes back on the host").waitFor();
    await byId(page, "confirm").click();
    await byId(page, "told").getByText("README.md is back.").waitFor();
    await place("Cargo.lock").click();
    await byId(page, "confirm").click();
    await byId(page, "told").getByText("Nothing was changed.").waitFor();
    await byId(page, "told").getByText("it has changed since").waitFor();
    expect(await byId(page, "undo-told").count()).toBe(0);
    expect(await wishes(page)).toEqual([
      { ask: "restore", path: "README.md", side: "host", before },
      { ask: "restore", path: "Cargo.lock", side: "container", before },
    ]);
  }));

test("what is not kept any more is refused in words", () =>
  withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
    await open(page);
    await byId(page, "undo-cycle").first().click();
    await page.evaluate(() => (window.mizzenFake.workspace.past = []));
    await byId(page, "confirm").click();
    await byId(page, "notice").getByText("is known").waitFor();
    await byId(page, "no-history").waitFor();
  }));

test("cycles of one place are found, and a place that is none is named", () =>
  withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
    await open(page);
    const all = await byId(page, "cycle").count();
    await byId(page, "find-place").fill("README.md");
    await expect.poll(() => byId(page, "cycle").count()).toBeLessThan(all);
    await byId(page, "cycle").first().waitFor();
    await byId(page, "find-place").fill("/etc/passwd");
    await page.getByText("names no place of a workspace").waitFor();
    await byId(page, "find-place").fill("nothing.txt");
    await byId(page, "no-history").getByText("keeps nothing of this place").waitFor();
    await byId(page, "find-place").fill("");
    await expect.poll(() => byId(page, "cycle").count()).toBe(all);
  }));

test("a cycle that comes while one looks is shown, and what is open stays so", () =>
  withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
    await open(page);
    await byId(page, "unfold-cycle").first().click();
    const name = await byId(page, "cycle").first().getAttribute("data-cycle");
    await page.evaluate(async () => {
      const { workspace } = window.mizzenFake;
      workspace.past = [
        { ...workspace.past[0]!, cycle: "20990102T030405.000000006Z" },
        ...workspace.past,
      ];
      const { sessions } = await window.mizzenFake.snapshot();
      const { sync } = sessions.find(({ name }) => name === "api")!;
      const last_cycle = { ...sync!.last_cycle!, at: new Date().toISOString() };
      window.mizzenFake.change("api", { sync: { ...sync!, last_cycle } });
    });
    await page.locator('[data-cycle="20990102T030405.000000006Z"]').waitFor();
    await page.locator(`[data-cycle="${name}"] [data-testid="place"]`).first().waitFor();
  }));

test("thousands of cycles come as one scrolls, and few are drawn", () =>
  withPage({ scenario: "sessions=3&sync=in_step&cycles=3000" }, async (page) => {
    await open(page);
    expect(await byId(page, "cycle").count()).toBe(60);
    const drawn = await page.evaluate(async () => {
      const scroller = document.querySelector(".page")!;
      const frame = () => new Promise(requestAnimationFrame);
      let most = 0;
      while (!document.querySelector('[data-testid="history-end"]')) {
        scroller.scrollTop = scroller.scrollHeight;
        await frame();
        const rows = [...document.querySelectorAll('[data-testid="cycle"]')];
        const inView = rows.filter((row) => row.checkVisibility({ contentVisibilityAuto: true }));
        most = Math.max(most, inView.length);
      }
      return most;
    });
    expect(await byId(page, "cycle").count()).toBe(3000);
    expect(drawn).toBeGreaterThan(5);
    expect(drawn).toBeLessThan(120);
    const asked = await page.evaluate(() => window.mizzenFake.workspace.asked);
    expect(asked.every((question) => question.ask === "history" && question.limit === 60)).toBe(
      true,
    );
  }));
