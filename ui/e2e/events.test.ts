import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { clockBehind } from "./scenes";
import { focused, selected, state } from "./steps";

useBrowser();

test("a core that comes up after the window is shown as soon as it answers", () =>
  withPage({ scenario: "sessions=3&snapshot=broken" }, async (page) => {
    await byId(page, "load-failed").waitFor();
    await page.evaluate(() => {
      window.mizzenFake.snapshotIs = "there";
      window.mizzenFake.listener?.link({ connected: true, message: "" });
    });
    await byId(page, "session-row-api").waitFor();
  }));

describe("events", () => {
  test("of a start show the phase under way, its progress and how long the others took", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-search").click();
      await byId(page, "phase-image").getByText("Step 7/14").waitFor();
      await page.evaluate(() =>
        window.mizzenFake.change("search", {
          progress: null,
          phases: [
            { phase: "image", state: "done", duration_ms: 61_000, message: "" },
            { phase: "container", state: "failed", duration_ms: 300, message: "no space left" },
          ],
        }),
      );
      await byId(page, "phase-image").getByText("1 min 1 s").waitFor();
      await byId(page, "phase-container").getByText("no space left").waitFor();
    }));

  test("of a container show what it says it does, how far it is and what is wrong", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").click();
      await page.evaluate(() =>
        window.mizzenFake.change("api", {
          phase: "building",
          progress: { current: 45, total: 100, message: "Compiling <b>all</b>" },
          errors: ["the database is gone"],
          warnings: ["Low disk space: 90 % used"],
        }),
      );
      await byId(page, "doing").getByText("Compiling <b>all</b>").waitFor();
      await byId(page, "doing").getByText("45 %").waitFor();
      expect(await byId(page, "doing").locator("progress").getAttribute("value")).toBe("0.45");
      await byId(page, "reported-error").getByText("the database is gone").waitFor();
      await byId(page, "reported-warning").getByText("90 % used").waitFor();
      await page.evaluate(() =>
        window.mizzenFake.change("api", { phase: "idle", progress: null, errors: [] }),
      );
      await byId(page, "doing").waitFor({ state: "detached" });
      await byId(page, "reported-error").waitFor({ state: "detached" });
    }));

  test("of a wrong clock stand in the row and among the facts, until it is right", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").click();
      await clockBehind(page);
      await byId(page, "session-row-api").getByText("clock 5 min behind").waitFor();
      await page.getByText("5 min 1 s behind this machine's").waitFor();
      await page.evaluate(() => window.mizzenFake.change("api", { clock_ahead: null }));
      await byId(page, "session-row-api").getByText("src/api").waitFor();
      await page.getByText("behind this machine's").waitFor({ state: "detached" });
    }));

  test("change a row in place and leave focus and scroll alone", () =>
    withPage({ scenario: "sessions=50" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-stop").focus();
      await page.evaluate(() => {
        document.getElementById("session-list")!.scrollTop = 116;
        const row = document.querySelector('[data-testid="session-row-api-2"]');
        Object.assign(window, { row });
        window.mizzenFake.change("api-2", { state: "paused" });
        window.mizzenFake.change("api", { cpu_percent: 12, memory_bytes: 4096 });
      });
      await state(page, "api-2", "paused");
      await focused(page).toBe("action-stop");
      const kept = await page.evaluate(() => ({
        scroll: document.getElementById("session-list")!.scrollTop,
        same:
          document.querySelector('[data-testid="session-row-api-2"]') ===
          Reflect.get(window, "row"),
      }));
      expect(kept).toEqual({ scroll: 116, same: true });
    }));

  test("a missed one asks for the snapshot again, and nothing is lost", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").waitFor();
      await page.evaluate(() => {
        window.mizzenFake.change("api", { state: "paused" }, "lost");
        window.mizzenFake.change("docs", { state: "running" });
      });
      await state(page, "api", "paused");
      await state(page, "docs", "running");
      expect(await page.evaluate(() => window.mizzenFake.trace.snapshots)).toBe(2);
    }));

  test("text from a container is text", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").click();
      const evil = '<img src=x onerror="window.owned=1">\u001b[31m';
      await page.evaluate((text) => {
        window.mizzenFake.change("api", {
          warnings: [text],
          services: { [text]: text },
          attention: { state: "error", text, since: new Date().toISOString() },
        });
      }, evil);
      await page.getByText("<img src=x").first().waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.evaluate(() => "owned" in window)).toBe(false);
    }));

  test("what runs in a container is named with how it is", () =>
    withPage({ scenario: "sessions=8" }, async (page) => {
      await byId(page, "session-row-api").click();
      await page.evaluate(() => {
        window.mizzenFake.change("api", { services: { db: "running", cache: "failed" } });
      });
      const services = page.locator(".services li");
      await services.nth(1).waitFor();
      const said = (await services.allInnerTexts()).map((text) =>
        text.split(/\s+/).join(" ").trim(),
      );
      expect(said.sort()).toEqual(["cache failed", "db running"]);
      expect(await page.locator(".services li.well").count()).toBe(1);
    }));

  test("the tray can lead to a session and to its removal", () =>
    withPage({ scenario: "sessions=50" }, async (page) => {
      await byId(page, "nav-settings").click();
      await page.evaluate(() =>
        window.mizzenFake.listener?.navigate({ view: "sessions", session: "web-shop-6" }),
      );
      await byId(page, "session-row-web-shop-6").waitFor({ state: "visible" });
      await selected(page).toBe("session-row-web-shop-6");
      await page.evaluate(() =>
        window.mizzenFake.listener?.navigate({ view: "remove_session", session: "docs" }),
      );
      await page.getByText("Remove docs?").waitFor();
    }));
});

test("alerts are put away, and lead to their session", () =>
  withPage({ scenario: "sessions=8" }, async (page) => {
    await byId(page, "nav-alerts").click();
    await page.getByRole("button", { name: "Show billing" }).click();
    await selected(page).toBe("session-row-billing");
    await byId(page, "nav-alerts").click();
    await byId(page, "dismiss-alert").first().click();
    await byId(page, "dismiss-alert").nth(1).waitFor({ state: "detached" });
    await byId(page, "dismiss-alert").click();
    await byId(page, "no-alerts").waitFor();
  }));

test("the tray leads to the alerts, with their session selected", () =>
  withPage({ scenario: "sessions=8" }, async (page) => {
    await byId(page, "session-row-api").waitFor();
    await page.evaluate(() =>
      window.mizzenFake.listener?.navigate({ view: "alerts", session: "billing" }),
    );
    await byId(page, "dismiss-alert").first().waitFor();
    await byId(page, "nav-sessions").click();
    await selected(page).toBe("session-row-billing");
  }));
