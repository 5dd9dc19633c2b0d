import type { Page } from "playwright-core";
import { byId } from "./browser";

/** A view as it is looked at. */
export interface Scene {
  name: string;
  scenario: string;
  arrange: (page: Page) => Promise<void>;
}

const there = async () => {};
const open = (view: string) => (page: Page) => byId(page, `nav-${view}`).click();
export const select = (name: string) => async (page: Page) => {
  await byId(page, `session-row-${name}`).click();
};

/** The clock in the container of `api` is five minutes behind. */
export const clockBehind = (page: Page) =>
  page.evaluate(() => {
    const text = "ready; clock 5 min behind";
    const attention = { state: "idle" as const, text, since: new Date().toISOString() };
    window.mizzenFake.change("api", { clock_ahead: -301, attention });
  });

export const SCENES: readonly Scene[] = [
  { name: "list", scenario: "sessions=50", arrange: there },
  { name: "list-three", scenario: "sessions=3", arrange: there },
  { name: "list-five-hundred", scenario: "sessions=500", arrange: there },
  {
    name: "list-no-match",
    scenario: "sessions=8",
    arrange: (page) => byId(page, "filter").fill("nothing like it"),
  },
  {
    name: "detail-running",
    scenario: "sessions=8",
    arrange: async (page) => {
      // The charts of a person who has looked for a minute and a half.
      await page.clock.install();
      await select("web-shop")(page);
      await page.clock.runFor(90_000);
      await byId(page, "action-stop").focus();
    },
  },
  {
    name: "detail-log-search",
    scenario: "sessions=8",
    arrange: async (page) => {
      await select("web-shop")(page);
      await byId(page, "log-search").fill("code-server");
    },
  },
  {
    name: "detail-commands",
    scenario: "sessions=8&pace=1",
    arrange: async (page) => {
      await select("web-shop")(page);
      await byId(page, "more-commands").click();
      await byId(page, "unfold-command").nth(1).click();
      await page.getByText("src/cart.test.ts").waitFor();
      await byId(page, "command-output").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "detail-commands-past",
    scenario: "sessions=8&pace=1",
    arrange: async (page) => {
      await select("web-shop")(page);
      await byId(page, "more-commands").click();
      await byId(page, "unfold-command").nth(4).click();
      await byId(page, "command").nth(6).scrollIntoViewIfNeeded();
    },
  },
  {
    name: "detail-building",
    scenario: "sessions=8",
    arrange: async (page) => {
      await select("search")(page);
      await page.evaluate(() => {
        const report = { verb_id: 1, session: "search", phase: "image", state: "active" } as const;
        for (let step = 1; step <= 7; step += 1) {
          const message = `Step ${step}/14 : RUN install-tool-${step}`;
          window.mizzenFake.emit({ kind: "progress", progress: { ...report, message } });
        }
      });
      await page.getByText("Build output").click();
    },
  },
  {
    name: "detail-clock",
    scenario: "sessions=8",
    arrange: async (page) => {
      await select("api")(page);
      await clockBehind(page);
      await page.getByText("5 min 1 s behind this machine's").scrollIntoViewIfNeeded();
    },
  },
  { name: "detail-failed", scenario: "sessions=8", arrange: select("billing") },
  { name: "detail-silent", scenario: "sessions=8", arrange: select("infra") },
  { name: "detail-paused", scenario: "sessions=8", arrange: select("mobile") },
  { name: "detail-stopped", scenario: "sessions=8", arrange: select("docs") },
  { name: "engine-offline", scenario: "sessions=8&engine=offline", arrange: there },
  {
    name: "core-lost",
    scenario: "sessions=8",
    arrange: (page) =>
      page.evaluate(() => window.mizzenFake.listener?.link({ connected: false, message: "" })),
  },
  { name: "first-run", scenario: "sessions=0&doctor=ill", arrange: there },
  {
    name: "first-run-no-engine",
    scenario: "sessions=0&engine=offline",
    arrange: there,
  },
  { name: "loading", scenario: "snapshot=late", arrange: there },
  { name: "load-failed", scenario: "snapshot=broken", arrange: there },
  { name: "alerts", scenario: "sessions=8", arrange: open("alerts") },
  { name: "alerts-none", scenario: "sessions=3", arrange: open("alerts") },
  { name: "settings", scenario: "sessions=8", arrange: open("settings") },
  {
    name: "settings-wrong",
    scenario: "sessions=8",
    arrange: async (page) => {
      await open("settings")(page);
      await byId(page, "setting-max-running").fill("0");
    },
  },
  {
    name: "settings-image",
    // A build that stays at its first step.
    scenario: "sessions=8&pace=600000",
    arrange: async (page) => {
      await open("settings")(page);
      await byId(page, "rebuild-image").click();
      await byId(page, "image-progress").scrollIntoViewIfNeeded();
    },
  },
  { name: "doctor", scenario: "sessions=8", arrange: open("doctor") },
  { name: "doctor-ill", scenario: "sessions=8&doctor=ill", arrange: open("doctor") },
  {
    name: "dialog-new",
    scenario: "sessions=3",
    arrange: async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/home/ana/src/fresh-idea");
    },
  },
  {
    name: "dialog-new-engines",
    scenario: "sessions=3&engines=3",
    arrange: async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/home/ana/src/fresh-idea");
      await byId(page, "field-engine").selectOption("lab");
    },
  },
  {
    name: "dialog-new-wrong",
    scenario: "sessions=8",
    arrange: async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("src/api");
      await page.getByText("Image and limits").click();
      await byId(page, "field-memory").fill("lots");
    },
  },
  {
    name: "dialog-new-refused",
    scenario: "sessions=3",
    arrange: async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/root/app");
      await byId(page, "submit-new-session").click();
      await byId(page, "new-failed").waitFor();
    },
  },
  {
    name: "dialog-remove",
    scenario: "sessions=8",
    arrange: async (page) => {
      await select("api")(page);
      await byId(page, "action-remove").click();
    },
  },
  {
    name: "dialog-remove-out-of-use",
    scenario: "sessions=3&engine=elsewhere",
    arrange: async (page) => {
      await select("api")(page);
      await byId(page, "action-remove").click();
    },
  },
  {
    name: "dialog-new-mirrored",
    scenario: "sessions=3",
    arrange: async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/home/ana/src/fresh-idea");
      await byId(page, "workspace-mirror").check();
    },
  },
  { name: "dialog-help", scenario: "sessions=8", arrange: (page) => page.keyboard.press("?") },
  {
    name: "notice",
    scenario: "sessions=8&engine=offline",
    arrange: async (page) => {
      await byId(page, "retry-engine").click();
      await byId(page, "notice").waitFor();
    },
  },
  { name: "contexts-off", scenario: "sessions=3", arrange: open("contexts") },
  { name: "contexts-held", scenario: "sessions=3&contexts=held", arrange: open("contexts") },
  {
    name: "contexts-in-step",
    scenario: "sessions=3&contexts=in_step&engine=two",
    arrange: open("contexts"),
  },
  {
    name: "contexts-far-offline",
    scenario: "sessions=3&contexts=in_step&engine=far-offline",
    arrange: open("contexts"),
  },
  {
    name: "contexts-halted",
    scenario: "sessions=3&contexts=halted&engine=offline",
    arrange: open("contexts"),
  },
  {
    name: "contexts-history",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await open("contexts")(page);
      await byId(page, "contexts-history").click();
      await byId(page, "context-past").first().waitFor();
    },
  },
  { name: "contexts-damaged", scenario: "sessions=3&contexts=damaged", arrange: open("contexts") },
  {
    name: "contexts-history-none",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await page.evaluate(() => (window.mizzenFake.contexts.changes = []));
      await open("contexts")(page);
      await byId(page, "contexts-history").click();
      await page.getByText("Nothing has been carried over yet").waitFor();
    },
  },
  {
    name: "contexts-history-many",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await page.evaluate(() => {
        const { contexts } = window.mizzenFake;
        const again = Array.from({ length: 10 }, (_, round) =>
          contexts.changes.map((change) => ({ ...change, id: change.id + 3 * (9 - round) })),
        );
        contexts.changes = again.flat();
      });
      await open("contexts")(page);
      await byId(page, "contexts-history").click();
      await byId(page, "context-past").nth(29).waitFor();
    },
  },
  {
    name: "contexts-undo",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await open("contexts")(page);
      await byId(page, "contexts-history").click();
      await byId(page, "take-back").first().click();
      await byId(page, "dialog-confirm").waitFor();
    },
  },
  {
    name: "contexts-trash-none",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await page.evaluate(() => (window.mizzenFake.contexts.trash = []));
      await open("contexts")(page);
      await byId(page, "contexts-trash").click();
      await page.getByText("The trash is empty").waitFor();
    },
  },
  {
    name: "contexts-trash",
    scenario: "sessions=3&contexts=in_step",
    arrange: async (page) => {
      await open("contexts")(page);
      await byId(page, "contexts-trash").click();
      await byId(page, "context-past").first().waitFor();
    },
  },
];
