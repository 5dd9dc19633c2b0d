import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { SyncView } from "../src/generated/SyncView";
import { byId, useBrowser, withPage } from "./browser";
import { focused, state, verbs } from "./steps";

useBrowser();

/** The first session's workspace stands in another way. */
const change = (page: Page, sync: Partial<SyncView>) =>
  page.evaluate(async (sync) => {
    const { sessions } = await window.mizzenFake.snapshot();
    const before = sessions.find(({ name }) => name === "api")!.sync!;
    window.mizzenFake.change("api", { sync: { ...before, ...sync } });
  }, sync);

describe("a synced workspace", () => {
  const sync = (page: Page, wanted: string) =>
    page.locator(`[data-testid="sync-state"][data-state="${wanted}"]`).waitFor();

  test("shows how far it has come, on its page and in the list", () =>
    withPage({ scenario: "sessions=3&sync=syncing" }, async (page) => {
      await byId(page, "session-row-api").getByText("12 340 of 20 000 files, 172 MiB").waitFor();
      await byId(page, "session-row-api").click();
      const bar = byId(page, "sync-progress").getByRole("progressbar");
      expect(Number(await bar.getAttribute("value"))).toBeCloseTo(0.62, 1);
      await change(page, { state: "in_step", progress: null });
      await sync(page, "in_step");
      expect(await byId(page, "sync-progress").count()).toBe(0);
      expect(await byId(page, "carried-api").count()).toBe(0);
    }));

  test("is synced, paused and resumed, and the focus stays", () =>
    withPage({ scenario: "sessions=3&sync=in_step" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "sync-last").getByText("14 to the container, 3 to the folder").waitFor();
      await byId(page, "action-sync-flush").click();
      await byId(page, "sync-outcome").getByText("In step: 14 changed").waitFor();
      await byId(page, "action-sync-pause").focus();
      await page.keyboard.press("Enter");
      await sync(page, "paused");
      await focused(page).toBe("action-sync-resume");
      await page.keyboard.press("Enter");
      await sync(page, "in_step");
      expect(await verbs(page)).toEqual([
        { verb: "sync_flush", session: "api", consent: false },
        { verb: "sync_pause", session: "api" },
        { verb: "sync_resume", session: "api" },
      ]);
    }));

  test("that is halted shows in the list, and goes on only when a person has agreed", () =>
    withPage({ scenario: "sessions=3&sync=halted" }, async (page) => {
      await byId(page, "session-row-api").getByText("Sync has stopped").waitFor();
      await byId(page, "scope-attention").click();
      await byId(page, "session-row-api").click();
      await byId(page, "action-sync-flush").click();
      await byId(page, "notice").getByText("214 of 380 entries").waitFor();
      await byId(page, "action-sync-agree").click();
      await focused(page).toBe("cancel");
      const asked = await byId(page, "dialog-agree").innerText();
      expect(asked).toContain("214 of 380 entries would be deleted in the host's folder.");
      await page.keyboard.press("Escape");
      await focused(page).toBe("action-sync-agree");
      await sync(page, "halted");
      await page.keyboard.press("Enter");
      await byId(page, "confirm").click();
      await sync(page, "in_step");
      await byId(page, "sync-api").waitFor({ state: "detached" });
      await focused(page).toBe("action-sync-flush");
      expect(await verbs(page)).toEqual([
        { verb: "sync_flush", session: "api", consent: false },
        { verb: "sync_flush", session: "api", consent: true },
      ]);
    }));

  test("that goes on by itself takes its question back", () =>
    withPage({ scenario: "sessions=3&sync=halted" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-sync-agree").click();
      await byId(page, "dialog-agree").waitFor();
      await change(page, { state: "in_step", reason: null, hint: null, needs_consent: false });
      await byId(page, "dialog-agree").waitFor({ state: "detached" });
      await page.keyboard.press("?");
      await byId(page, "dialog-help").waitFor();
    }));

  test("says that it is paused beside what else stands out, and goes on when it is told", () =>
    withPage({ scenario: "sessions=3&sync=conflicts" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-sync-pause").focus();
      await page.keyboard.press("Enter");
      await byId(page, "sync-paused").waitFor();
      await sync(page, "conflicts");
      await focused(page).toBe("action-sync-resume");
      await page.keyboard.press("Enter");
      await byId(page, "sync-paused").waitFor({ state: "detached" });
      await sync(page, "conflicts");
    }));

  test("asks for nothing while all is well", () =>
    withPage({ scenario: "sessions=3&sync=syncing" }, async (page) => {
      await byId(page, "session-row-api").click();
      await sync(page, "syncing");
      expect(await byId(page, "sync-api").count()).toBe(0);
      await byId(page, "session-row-docs").click();
      await byId(page, "sync-mounted").waitFor();
      expect(await byId(page, "action-sync-flush").count()).toBe(0);
    }));

  test("is chosen for a new session, by keyboard, and told to the core", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "pick-folder").click();
      await page.getByText("fresh-idea is copied to a volume").waitFor();
      await byId(page, "workspace-sync").focus();
      await page.keyboard.press("ArrowDown");
      await page.getByText("fresh-idea is mounted at /host").waitFor();
      await page.keyboard.press("ArrowDown");
      await page.getByText("fresh-idea is mounted at /workspace").waitFor();
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowUp");
      await page.getByText("fresh-idea is copied to a volume").waitFor();
      await byId(page, "submit-new-session").click();
      await state(page, "fresh-idea", "running");
      await sync(page, "in_step");
      expect(await verbs(page)).toMatchObject([{ verb: "up", workspace: "sync" }]);
    }));

  test("of a container that died goes with its session only when what may be lost was said", () =>
    withPage({ scenario: "sessions=3&sync=offline" }, async (page) => {
      await page.evaluate(() => {
        const only_there = "Its container ended before all was brought here.";
        window.mizzenFake.change("api", { state: "failed", only_there });
      });
      await byId(page, "session-row-api").click();
      await byId(page, "action-remove").click();
      await byId(page, "remove-volumes").check();
      await byId(page, "not-carried").getByText("ended before all was brought here").waitFor();
      await byId(page, "confirm-remove").click();
      await byId(page, "session-row-api").waitFor({ state: "detached" });
      expect(await verbs(page)).toMatchObject([{ verb: "remove", force: true, volumes: true }]);
    }));

  test("stays when its session is removed, unless its volume is to go, which is said", () =>
    withPage({ scenario: "sessions=3&sync=conflicts" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-remove").click();
      await byId(page, "stays-volume").waitFor();
      expect(await byId(page, "not-carried").count()).toBe(0);
      await byId(page, "remove-volumes").check();
      await byId(page, "not-carried").waitFor();
      expect(await byId(page, "stays-volume").count()).toBe(0);
    }));
});
