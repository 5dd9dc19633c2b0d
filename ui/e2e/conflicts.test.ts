import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { focused } from "./steps";

useBrowser();

/** What the first session's workspace was asked to do. */
const wishes = (page: Page) =>
  page.evaluate(() =>
    window.mizzenFake.workspace.asked.filter(({ ask }) => ask !== "conflicts" && ask !== "history"),
  );
const places = (page: Page) =>
  page
    .locator('[data-testid="conflict"]')
    .evaluateAll((cards) => cards.map((card) => card.getAttribute("data-path")));
const card = (page: Page, path: string) => page.locator(`[data-path="${path}"]`);

async function open(page: Page): Promise<void> {
  await byId(page, "session-row-api").click();
  await byId(page, "action-sync-conflicts").focus();
  await page.keyboard.press("Enter");
  await byId(page, "conflict").first().waitFor();
}

describe("a conflict", () => {
  test("is decided by keyboard, said, and taken back", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=2" }, async (page) => {
      await open(page);
      await focused(page).toBe("workspace-title");
      expect(await places(page)).toEqual(["assets/logo.png", "src/checkout.ts"]);
      await card(page, "assets/logo.png").locator('[data-testid="keep-container"]').focus();
      await page.keyboard.press("Enter");
      await byId(page, "told").getByText("container's version of assets/logo.png").waitFor();
      await expect.poll(() => places(page)).toEqual(["src/checkout.ts"]);
      await byId(page, "page-conflicts").getByText("1").waitFor();
      // Whoever decides goes on with the next one.
      await focused(page).toBe("keep-host");
      await byId(page, "undo-told").focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => places(page)).toEqual(["assets/logo.png", "src/checkout.ts"]);
      const [resolve, undo] = await wishes(page);
      expect(resolve).toEqual({ ask: "resolve", path: "assets/logo.png", keep: "container" });
      expect(undo).toMatchObject({ ask: "undo" });
    }));

  test("keeps both where there are two, and says where the other is", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=6" }, async (page) => {
      await open(page);
      const deleted = card(page, "docs/old-plan.md");
      await deleted.getByText("Deleted here").waitFor();
      expect(await deleted.locator('[data-testid="keep-both"]').count()).toBe(0);
      await card(page, "src/checkout.ts").locator('[data-testid="keep-both"]').click();
      await byId(page, "told").getByText("src/checkout.conflict-container-").waitFor();
    }));

  test("that is none any more is refused in words, and the list is looked at again", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=2" }, async (page) => {
      await open(page);
      await page.evaluate(() => {
        const { workspace } = window.mizzenFake;
        workspace.conflicts = workspace.conflicts.slice(0, 1);
      });
      await card(page, "src/checkout.ts").locator('[data-testid="keep-host"]').click();
      await byId(page, "notice").getByText("there is no conflict at src/checkout.ts").waitFor();
      await expect.poll(() => places(page)).toEqual(["assets/logo.png"]);
    }));

  test("with names and texts of a container is text, and nothing hides in it", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=6" }, async (page) => {
      await open(page);
      const evil = page.locator('[data-path$="stoc.exe"]');
      await evil.getByText("U+202E").first().waitFor();
      await evil.locator("summary").click();
      // It unfolds after the click, and has no text to be seen before it is drawn.
      const shown = () => evil.locator('[data-testid="diff"]').innerText();
      await expect.poll(shown).toContain('<img src=x onerror="window.owned=1">');
      expect(await shown()).toContain("U+001B");
      expect(await page.locator("main").innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.evaluate(() => "owned" in window)).toBe(false);
    }));

  test("that is long is folded, and says which side a line is on", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=6" }, async (page) => {
      await open(page);
      const long = card(page, "package-lock.json");
      await long.locator("summary").click();
      await expect.poll(() => long.locator('[data-testid="diff"] p').count()).toBe(28);
      await byId(page, "unfold-diff").focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => long.locator('[data-testid="diff"] p').count()).toBe(92);
      await long.getByText("only on the host:").waitFor({ state: "attached" });
      await focused(page).toBe("unfold-diff");
    }));

  test("that comes while one looks is shown", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=2" }, async (page) => {
      await open(page);
      await page.evaluate(async () => {
        const { workspace } = window.mizzenFake;
        const one = { ...workspace.conflicts[0]!, path: "new.txt" };
        workspace.conflicts = [...workspace.conflicts, one];
        const { sessions } = await window.mizzenFake.snapshot();
        const { sync } = sessions.find(({ name }) => name === "api")!;
        window.mizzenFake.change("api", { sync: { ...sync!, conflicts: 3 } });
      });
      await card(page, "new.txt").waitFor();
    }));
});

describe("all conflicts", () => {
  test("are decided after a question that begins at Cancel, and can be taken back", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=6" }, async (page) => {
      await open(page);
      await byId(page, "keep-all-both").click();
      await focused(page).toBe("cancel");
      await page.keyboard.press("Escape");
      expect(await wishes(page)).toEqual([]);
      await focused(page).toBe("keep-all-both");
      await page.keyboard.press("Enter");
      await byId(page, "dialog-confirm").getByText("Keep both versions of 5 places?").waitFor();
      await byId(page, "confirm").click();
      await byId(page, "told").getByText("Both versions of 5 places stay").waitFor();
      expect(await places(page)).toEqual(["docs/old-plan.md"]);
      await byId(page, "undo-told").click();
      await byId(page, "told").getByText("Taken back").waitFor();
      await expect.poll(async () => (await places(page)).length).toBe(6);
      const asked = (await wishes(page)).map(({ ask }) => ask);
      expect(asked.filter((ask) => ask === "resolve").length).toBe(5);
      expect(asked.filter((ask) => ask === "undo").length).toBe(5);
    }));

  test("when they are many are drawn a few at a time", () =>
    withPage({ scenario: "sessions=3&sync=conflicts&conflicts=130" }, async (page) => {
      await open(page);
      expect((await places(page)).length).toBe(40);
      await byId(page, "more-conflicts").click();
      await expect.poll(async () => (await places(page)).length).toBe(80);
    }));
});

describe("the page", () => {
  test("opens from the alert, too", () =>
    withPage({ scenario: "sessions=3&sync=conflicts" }, async (page) => {
      await byId(page, "session-row-docs").click();
      await byId(page, "nav-alerts").click();
      await page.evaluate(() =>
        window.mizzenFake.emit({
          kind: "alert_raised",
          alert: {
            id: "sync_conflicts:api",
            kind: "sync_conflicts",
            session: "api",
            engine: null,
            message: "Folder and container of api changed 2 places.",
            hint: "See and decide them: mizzen sync conflicts api",
            at: new Date().toISOString(),
          },
        }),
      );
      await byId(page, "decide").click();
      await byId(page, "conflict").first().waitFor();
      await focused(page).toBe("workspace-title");
    }));

  test("is left by Escape, back to where one came from", () =>
    withPage({ scenario: "sessions=3&sync=conflicts" }, async (page) => {
      await open(page);
      await page.keyboard.press("Escape");
      await focused(page).toBe("action-sync-conflicts");
      await page.keyboard.press("Enter");
      await byId(page, "keep-container").first().click();
      await expect.poll(() => places(page)).toEqual(["src/checkout.ts"]);
      await byId(page, "keep-container").first().click();
      await byId(page, "no-conflicts").waitFor();
      await focused(page).toBe("workspace-title");
      await page.keyboard.press("Escape");
      await focused(page).toBe("detail-title");
    }));

  test("says when the session does not run any more, and goes with it", () =>
    withPage({ scenario: "sessions=3&sync=conflicts" }, async (page) => {
      await open(page);
      await page.evaluate(() => window.mizzenFake.change("api", { state: "stopped" }));
      await page.getByText("does not run: its workspace cannot be reached").waitFor();
      expect(await byId(page, "conflict").count()).toBe(0);
      await page.evaluate(() => window.mizzenFake.emit({ kind: "session_removed", name: "api" }));
      await byId(page, "leave-workspace").waitFor({ state: "detached" });
    }));
});
