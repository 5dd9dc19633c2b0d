import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { verbs } from "./steps";

useBrowser();

describe("commands of a session", () => {
  test("are listed with how each went, the newest first", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-web-shop").click();
      const rows = byId(page, "command");
      await expect.poll(() => rows.count()).toBe(5);
      await byId(page, "more-commands").click();
      const texts = await rows.allInnerTexts();
      expect(texts).toHaveLength(7);
      for (const [at, words] of [
        [0, ["npm run lint", "waiting"]],
        [1, ["npm test", "running"]],
        [2, ["npm run build", "failed, exit code 2, took 1 min"]],
        [3, ["not run", "is not installed in this container"]],
        [5, ["interrupted", "not run again"]],
        [6, ["killed, signal 15"]],
      ] as const) {
        for (const word of words) expect(texts[at]).toContain(word);
      }
    }));

  test("show what they say when they are unfolded", () =>
    withPage({ scenario: "sessions=8&pace=1" }, async (page) => {
      await byId(page, "session-row-web-shop").click();
      await byId(page, "unfold-command").nth(1).click();
      await byId(page, "command-output").getByText("src/cart.test.ts").waitFor();
      await byId(page, "unfold-command").nth(1).click();
      await byId(page, "command-output").waitFor({ state: "detached" });
      await byId(page, "unfold-command").nth(0).click();
      await byId(page, "command-output").getByText("It has said nothing yet.").waitFor();
    }));

  test("are cancelled while they wait or run, and not after", () =>
    withPage({ scenario: "sessions=8&pace=1" }, async (page) => {
      await byId(page, "session-row-web-shop").click();
      const cancel = byId(page, "cancel-command");
      await expect.poll(() => cancel.count()).toBe(2);
      await cancel.nth(1).click();
      await expect.poll(() => cancel.count()).toBe(1);
      expect(await byId(page, "command").nth(1).innerText()).toContain("killed, signal 15");
      expect(await verbs(page)).toEqual([
        { verb: "cancel_command", session: "web-shop", id: "x5" },
      ]);
    }));

  test("take no room where there are none", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "log").waitFor();
      expect(await byId(page, "command").count()).toBe(0);
    }));
});
