import type { Page } from "playwright-core";
import { SYNCED } from "../src/backend/cast";
import { byId } from "./browser";
import { select, type Scene } from "./scenes";

const STATES: readonly Scene[] = Object.keys(SYNCED).map((state) => ({
  name: `sync-${state.replace("_", "-")}`,
  scenario: `sessions=8&sync=${state}`,
  arrange: async (page) => {
    await select("api")(page);
    await byId(page, "sync-state").waitFor();
  },
}));

const page = (name: string) => async (page: Page) => {
  await select("api")(page);
  await byId(page, `action-sync-${name}`).click();
};

const PAGES: readonly Scene[] = [
  {
    name: "sync-page-conflicts",
    scenario: "sessions=8&sync=conflicts&conflicts=6",
    arrange: async (at) => {
      await page("conflicts")(at);
      await at.locator('[data-path="src/checkout.ts"] summary').click();
      await byId(at, "diff").waitFor();
    },
  },
  {
    name: "sync-page-conflict-hostile",
    scenario: "sessions=8&sync=conflicts&conflicts=6",
    arrange: async (at) => {
      await page("conflicts")(at);
      await at.locator('[data-path$="stoc.exe"] summary').click();
      await at.locator('[data-path="package-lock.json"] summary').click();
      await byId(at, "unfold-diff").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "sync-page-conflict-decided",
    scenario: "sessions=8&sync=conflicts&conflicts=2",
    arrange: async (at) => {
      await page("conflicts")(at);
      await byId(at, "keep-both").first().click();
      await byId(at, "told").waitFor();
    },
  },
  {
    name: "sync-page-conflicts-none",
    scenario: "sessions=8&sync=conflicts&conflicts=1",
    arrange: async (at) => {
      await page("conflicts")(at);
      await byId(at, "keep-container").click();
      await byId(at, "no-conflicts").waitFor();
    },
  },
  {
    name: "dialog-keep-all",
    scenario: "sessions=8&sync=conflicts&conflicts=6",
    arrange: async (at) => {
      await page("conflicts")(at);
      await byId(at, "keep-all-container").click();
    },
  },
  {
    name: "sync-page-history",
    scenario: "sessions=8&sync=in_step",
    arrange: async (at) => {
      await page("history")(at);
      await byId(at, "unfold-cycle").nth(2).click();
      await byId(at, "place").first().waitFor();
    },
  },
  {
    name: "sync-page-history-undone",
    scenario: "sessions=8&sync=in_step",
    arrange: async (at) => {
      await page("history")(at);
      await byId(at, "undo-cycle").nth(4).click();
      await byId(at, "confirm").click();
      await byId(at, "told").waitFor();
    },
  },
  {
    name: "sync-page-history-refused",
    scenario: "sessions=8&sync=in_step",
    arrange: async (at) => {
      await page("history")(at);
      await byId(at, "find-place").fill("/etc/passwd");
      await at.getByText("names no place").waitFor();
    },
  },
  {
    name: "sync-page-history-none",
    scenario: "sessions=8&sync=in_step&cycles=0",
    arrange: async (at) => {
      await page("history")(at);
      await byId(at, "no-history").waitFor();
    },
  },
  {
    name: "dialog-undo-cycle",
    scenario: "sessions=8&sync=in_step",
    arrange: async (at) => {
      await page("history")(at);
      await byId(at, "undo-cycle").nth(2).click();
    },
  },
  {
    name: "sync-paused-in-conflict",
    scenario: "sessions=8&sync=conflicts",
    arrange: async (at) => {
      await select("api")(at);
      await byId(at, "action-sync-pause").click();
      await byId(at, "sync-paused").waitFor();
    },
  },
];

/** Synced workspaces in every state, their pages and their dialogs. */
export const SYNC_SCENES: readonly Scene[] = [
  ...STATES,
  ...PAGES,
  {
    name: "sync-polling",
    scenario: "sessions=8&sync=in_step",
    arrange: async (page) => {
      await select("api")(page);
      await page.evaluate(async () => {
        const { sessions } = await window.mizzenFake.snapshot();
        const { sync } = sessions.find(({ name }) => name === "api")!;
        const polling =
          "too many programs watch files; `sudo sysctl fs.inotify.max_user_instances=1024` allows more";
        window.mizzenFake.change("api", { sync: { ...sync!, polling } });
      });
      await page.getByText("too many programs").waitFor();
      await byId(page, "action-sync-pause").focus();
    },
  },
  {
    name: "dialog-remove-synced",
    scenario: "sessions=8&sync=in_step",
    arrange: async (page) => {
      await select("api")(page);
      await byId(page, "action-remove").click();
    },
  },
  {
    name: "dialog-remove-synced-volumes",
    scenario: "sessions=8&sync=conflicts",
    arrange: async (page) => {
      await select("api")(page);
      await byId(page, "action-remove").click();
      await byId(page, "remove-volumes").check();
      await byId(page, "not-carried").waitFor();
    },
  },
  {
    name: "dialog-agree",
    scenario: "sessions=8&sync=halted",
    arrange: async (page) => {
      await select("api")(page);
      await byId(page, "action-sync-agree").click();
      await byId(page, "dialog-agree").waitFor();
    },
  },
];
