import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { byId, NARROW, useBrowser, withPage } from "./browser";

useBrowser();

const focused = (page: Page) =>
  expect.poll(() =>
    page.evaluate(
      () => document.activeElement?.getAttribute("data-testid") ?? document.activeElement?.id,
    ),
  );
const selected = (page: Page) =>
  expect.poll(() =>
    page.locator('[role="option"][aria-selected="true"]').getAttribute("data-testid"),
  );
const state = async (page: Page, name: string, wanted: string) =>
  page.locator(`[data-testid="state-${name}"][data-state="${wanted}"]`).waitFor();
const verbs = (page: Page) => page.evaluate(() => window.mizzenFake.trace.verbs);

describe("a new session", () => {
  test("is created from a chosen folder, selected and running", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "new-session").click();
      await focused(page).toBe("field-dir");
      await byId(page, "pick-folder").click();
      await expect.poll(() => byId(page, "field-name").inputValue()).toBe("fresh-idea");
      await byId(page, "submit-new-session").click();
      await byId(page, "dialog-new").waitFor({ state: "detached" });
      await state(page, "fresh-idea", "running");
      await selected(page).toBe("session-row-fresh-idea");
      expect(await verbs(page)).toMatchObject([
        { verb: "up", dir: "/home/ana/src/fresh-idea", name: "fresh-idea", memory_bytes: null },
      ]);
    }));

  test("is not asked for while a field is wrong", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "submit-new-session").click();
      await page.getByText("Give the whole path, from the root.").waitFor();
      await byId(page, "field-dir").fill("/home/ana/src/api");
      await page.getByText("Another session has this name.").waitFor();
      await byId(page, "field-name").fill("shared");
      await page.getByText("This name is reserved.").waitFor();
      await page.keyboard.press("Enter");
      expect(await verbs(page)).toEqual([]);
      await byId(page, "field-name").fill("api-two");
      await page.keyboard.press("Enter");
      await state(page, "api-two", "running");
    }));

  test("that the core refuses keeps the dialog, and says why and what to do", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/root/app");
      await byId(page, "submit-new-session").click();
      const refusal = await byId(page, "new-failed").textContent();
      expect(refusal).toContain("belongs to root");
      expect(refusal).toContain("chown -R 1000:1000 /root/app");
      expect(await byId(page, "field-dir").inputValue()).toBe("/root/app");
    }));
});

describe("actions", () => {
  test("stop and start change the row and what is offered", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-stop").click();
      await state(page, "api", "stopped");
      await byId(page, "action-start").click();
      await state(page, "api", "running");
      await byId(page, "action-open").click();
      await expect.poll(() => page.evaluate(() => window.mizzenFake.trace.opened)).toEqual(["api"]);
    }));

  test("removal asks first, begins at Cancel, and Esc changes nothing", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-remove").click();
      await focused(page).toBe("cancel-remove");
      await page.keyboard.press("Escape");
      await byId(page, "dialog-remove").waitFor({ state: "detached" });
      await focused(page).toBe("action-remove");
      expect(await verbs(page)).toEqual([]);
    }));

  test("removal that is confirmed stops first, and takes volumes only when told", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "session-row-api").click();
      await byId(page, "action-remove").click();
      await byId(page, "remove-volumes").check();
      await byId(page, "confirm-remove").click();
      await byId(page, "session-row-api").waitFor({ state: "detached" });
      expect(await verbs(page)).toEqual([
        { verb: "remove", session: "api", force: true, volumes: true },
      ]);
      await selected(page).toBe("session-row-billing");
      await focused(page).toBe("session-list");
    }));

  test("a session whose engine is not in use is removed with a word on what stays there", () =>
    withPage({ scenario: "sessions=3&engine=elsewhere" }, async (page) => {
      await byId(page, "session-row-docs").click();
      await byId(page, "action-remove").click();
      await byId(page, "dialog-remove").getByText("Its engine pi is not in use.").waitFor();
      expect(await byId(page, "dialog-remove").innerText()).toContain("Its container stays there");
      expect(await byId(page, "remove-volumes").count()).toBe(0);
      await byId(page, "confirm-remove").click();
      await byId(page, "session-row-docs").waitFor({ state: "detached" });
      expect(await verbs(page)).toEqual([
        { verb: "remove", session: "docs", force: true, volumes: false },
      ]);
    }));

  test("after a removal the next session is looked at, or the one before the last", () =>
    withPage({ scenario: "sessions=3&pace=1" }, async (page) => {
      for (const [name, next] of [
        ["billing", "docs"],
        ["docs", "api"],
      ] as const) {
        await byId(page, `session-row-${name}`).click();
        await byId(page, "action-remove").click();
        await byId(page, "confirm-remove").click();
        await selected(page).toBe(`session-row-${next}`);
        await focused(page).toBe("session-list");
      }
    }));

  test("are out of reach while the core is", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "session-row-api").click();
      await page.evaluate(() =>
        window.mizzenFake.listener?.link({ connected: false, message: "the core ended" }),
      );
      await byId(page, "banner-link").getByText("the core ended").waitFor();
      expect(await byId(page, "action-stop").getAttribute("aria-disabled")).toBe("true");
      await byId(page, "action-stop").click({ force: true });
      expect(await verbs(page)).toEqual([]);
      const before = await page.evaluate(() => window.mizzenFake.trace.snapshots);
      await page.evaluate(() => window.mizzenFake.listener?.link({ connected: true, message: "" }));
      await byId(page, "banner-link").waitFor({ state: "detached" });
      await expect
        .poll(() => page.evaluate(() => window.mizzenFake.trace.snapshots))
        .toBe(before + 1);
    }));
});

describe("a synced workspace", () => {
  const sync = (page: Page, wanted: string) =>
    page.locator(`[data-testid="sync-state"][data-state="${wanted}"]`).waitFor();

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
      await focused(page).toBe("cancel-agree");
      const asked = await byId(page, "dialog-agree").innerText();
      expect(asked).toContain("214 of 380 entries would be deleted on the host.");
      await page.keyboard.press("Escape");
      await focused(page).toBe("action-sync-agree");
      await sync(page, "halted");
      await page.keyboard.press("Enter");
      await byId(page, "confirm-agree").click();
      await sync(page, "in_step");
      await byId(page, "sync-api").waitFor({ state: "detached" });
      await focused(page).toBe("action-sync-pause");
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
      await page.evaluate(() => window.mizzenFake.run({ verb: "sync_resume", session: "api" }));
      await byId(page, "dialog-agree").waitFor({ state: "detached" });
      await page.keyboard.press("?");
      await byId(page, "dialog-help").waitFor();
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
      await page.getByText("fresh-idea is mounted at /workspace").waitFor();
      await byId(page, "workspace-bind").focus();
      await page.keyboard.press("ArrowDown");
      await page.getByText("fresh-idea is copied to a volume").waitFor();
      await byId(page, "submit-new-session").click();
      await state(page, "fresh-idea", "running");
      await sync(page, "in_step");
      expect(await verbs(page)).toMatchObject([{ verb: "up", workspace: "sync" }]);
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

test("a core that comes up after the window is shown as soon as it answers", () =>
  withPage({ scenario: "sessions=3&snapshot=broken" }, async (page) => {
    await byId(page, "load-failed").waitFor();
    await page.evaluate(() => {
      window.mizzenFake.snapshotIs = "there";
      window.mizzenFake.listener?.link({ connected: true, message: "" });
    });
    await byId(page, "session-row-api").waitFor();
  }));

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
      await page.keyboard.press("3");
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

describe("settings", () => {
  test("are checked, saved whole, and follow what others save", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "nav-settings").click();
      await byId(page, "setting-max-running").fill("0");
      await page.getByText("A whole number from 1 to 1000.").waitFor();
      await byId(page, "save-settings").click({ force: true });
      expect(await verbs(page)).toEqual([]);
      await byId(page, "setting-max-running").fill("9");
      await byId(page, "save-settings").click();
      await page.getByText("Saved", { exact: true }).waitFor();
      expect(await verbs(page)).toMatchObject([
        { verb: "save_settings", settings: { max_running: 9, gateway_port: 8743 } },
      ]);
      await page.evaluate(async () => {
        const { settings } = await window.mizzenFake.snapshot();
        window.mizzenFake.emit({ kind: "settings", settings: { ...settings, gateway_port: 9000 } });
      });
      await expect.poll(() => byId(page, "setting-gateway-port").inputValue()).toBe("9000");
    }));

  test("say that a port counts after a start, and switch names off for browsers without them", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "nav-settings").click();
      await page.getByText("A change counts when Mizzen starts again.").waitFor();
      await byId(page, "setting-gateway-names").click();
      await byId(page, "save-settings").click();
      await page.getByText("Saved", { exact: true }).waitFor();
      expect(await verbs(page)).toMatchObject([
        { verb: "save_settings", settings: { gateway_names: false } },
      ]);
      await byId(page, "nav-sessions").click();
      await byId(page, "new-session").click();
      await page.getByText("Its address will be 127.0.0.1").waitFor();
    }));
});

describe("the session image", () => {
  test("is built again, with its progress and what came of it", () =>
    withPage({ scenario: "sessions=3&pace=500" }, async (page) => {
      await byId(page, "nav-settings").click();
      await byId(page, "rebuild-image").click();
      await byId(page, "image-progress").getByText("install-node").waitFor();
      await byId(page, "image-outcome").getByText("Built mizzen-session:").waitFor();
      await byId(page, "image-progress").waitFor({ state: "detached" });
      expect(await verbs(page)).toEqual([{ verb: "build_image", engine: null, rebuild: true }]);
    }));

  test("that is out of date is removed", () =>
    withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "nav-settings").click();
      await byId(page, "prune-images").click();
      await byId(page, "image-outcome").getByText("Removed 2 images.").waitFor();
      expect(await verbs(page)).toEqual([{ verb: "prune_images", engine: null }]);
    }));

  test("is left alone while no engine answers", () =>
    withPage({ scenario: "sessions=3&engine=offline" }, async (page) => {
      await byId(page, "nav-settings").click();
      await byId(page, "rebuild-image").click({ force: true });
      await byId(page, "image-outcome").getByText("No engine answers.").waitFor();
      expect(await verbs(page)).toEqual([]);
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

test("the first run leads from engine over image to the first session", () =>
  withPage({ scenario: "sessions=0&image=missing" }, async (page) => {
    await byId(page, "build-image").click();
    await page.getByText("The image is there.").waitFor();
    await byId(page, "new-session").click();
    await byId(page, "field-dir").fill("/home/ana/src/first");
    await byId(page, "submit-new-session").click();
    await state(page, "first", "running");
    expect((await verbs(page)).map(({ verb }) => verb)).toEqual(["build_image", "up"]);
  }));

test("the core is told who is looked at, and when nobody is", () =>
  withPage({ scenario: "sessions=8" }, async (page) => {
    const looking = () => page.evaluate(() => window.mizzenFake.trace.looking);
    await byId(page, "session-row-docs").click();
    await expect.poll(looking).toBe("docs");
    await byId(page, "nav-doctor").click();
    await expect.poll(looking).toBe(null);
    expect(await page.evaluate(() => window.mizzenFake.trace.ready)).toBe(true);
  }));
