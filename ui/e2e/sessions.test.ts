import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { focused, selected, state, verbs } from "./steps";

useBrowser();

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

  test("lives on the engine that is chosen, where there is a choice", () =>
    withPage({ scenario: "sessions=3&engines=3" }, async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").fill("/home/ana/src/fresh-idea");
      const engine = byId(page, "field-engine");
      expect(await engine.inputValue()).toBe("default");
      expect(await engine.locator("option:disabled").textContent()).toContain("cannot be used");
      await engine.selectOption("lab");
      await byId(page, "submit-new-session").click();
      await state(page, "fresh-idea", "running");
      expect(await verbs(page)).toMatchObject([{ verb: "up", engine: "lab" }]);
    }));

  test("can be started in a window that is too low for all that is said", () =>
    withPage({ scenario: "sessions=3", viewport: { width: 800, height: 420 } }, async (page) => {
      await byId(page, "new-session").click();
      await byId(page, "field-dir").waitFor();
      const button = (await byId(page, "submit-new-session").boundingBox())!;
      expect(button.y + button.height).toBeLessThan(420);
      const { x, y, width, height } = button;
      const hit = await page.evaluate(
        ([x, y]) => document.elementFromPoint(x, y)?.closest("button")?.dataset["testid"],
        [x + width / 2, y + height / 2] as const,
      );
      expect(hit).toBe("submit-new-session");
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

  test("a session whose engine is out of reach is removed with a word on what stays there", () =>
    withPage({ scenario: "sessions=3&engine=elsewhere" }, async (page) => {
      await byId(page, "session-row-docs").click();
      await byId(page, "action-remove").click();
      await byId(page, "dialog-remove").getByText("Its engine pi is out of reach.").waitFor();
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

  test("that ask first take their question back when the session goes elsewhere", () =>
    withPage({ scenario: "sessions=3&sync=halted" }, async (page) => {
      for (const ask of ["action-remove", "action-sync-agree"]) {
        await byId(page, "session-row-api").click();
        await byId(page, ask).click();
        await page.locator("dialog").waitFor();
        const api = await page.evaluate(async () => {
          const { sessions } = await window.mizzenFake.snapshot();
          window.mizzenFake.emit({ kind: "session_removed", name: "api" });
          return sessions.find(({ name }) => name === "api")!;
        });
        await page.locator("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("?");
        await byId(page, "dialog-help").waitFor();
        await page.keyboard.press("Escape");
        await page.evaluate((session) => window.mizzenFake.emit({ kind: "session", session }), api);
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
