import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { focused } from "./steps";

useBrowser();

describe("Docker contexts", () => {
  test("stand below the engines in use, with what speaks against one", async () => {
    await withPage({ scenario: "sessions=3&engine=two" }, async (page) => {
      await byId(page, "nav-contexts").click();
      const far = await byId(page, "engine-build-box").innerText();
      expect(far).toContain("CVE-2024-41110");
      expect(far).not.toContain("selected by");
      const own = await byId(page, "engine-default").innerText();
      expect(own).toMatch(/selected by DOCKER_HOST\s+before DOCKER_CONTEXT \(lab\)/);
      expect(own).toContain("before docker context use (build-box)");
    });
  });

  test("say what to do about an engine that is away, and a key that others can read", async () => {
    const scenario = "sessions=3&contexts=in_step&engine=far-offline";
    await withPage({ scenario }, async (page) => {
      await byId(page, "nav-contexts").click();
      const far = await byId(page, "banner-engine").innerText();
      expect(far).toMatch(/host key of build-box is not known[^]*ssh ada@build-box/i);
      const warnings = byId(page, "context-warning");
      expect(await warnings.count()).toBe(1);
      expect(await warnings.innerText()).toContain("chmod -R go=");
    });
  });

  test("are set up on a wish, and say what that does", async () => {
    await withPage({ scenario: "sessions=3" }, async (page) => {
      await byId(page, "nav-contexts").click();
      await page.getByText("Nothing of yours is overwritten").waitFor();
      await byId(page, "contexts-setup").click();
      await byId(page, "contexts-state").getByText("In step").waitFor();
      await focused(page).toBe("contexts-list");
      expect(await page.evaluate(() => window.mizzenFake.contexts.wishes)).toEqual([
        { ask: "setup" },
      ]);
    });
  });

  test("say what a container sees of them", async () => {
    await withPage({ scenario: "sessions=3&contexts=in_step" }, async (page) => {
      await byId(page, "nav-contexts").click();
      const of = (name: string) => page.locator(`[data-context="${name}"]`);
      await of("build-box").getByText("Containers can read cert.pem and key.pem.").waitFor();
      await of("lab").getByText("works on the host only").waitFor();
      const special = await of("containai-docker").innerText();
      expect(special).toContain("each side has its own");
      expect(special).toMatch(/Host\s+ssh:[^]*Container\s+unix:/);
    });
  });

  test("that were changed by a container wait for a person, who decides", async () => {
    await withPage({ scenario: "sessions=3&contexts=held" }, async (page) => {
      await byId(page, "nav-contexts").click();
      await byId(page, "hold").getByText("without TLS").waitFor();
      await page.locator('[data-context="prod"]').getByText("believes whoever answers").waitFor();
      await byId(page, "drop").click();
      await focused(page).toBe("cancel");
      await byId(page, "confirm").click();
      await byId(page, "hold").waitFor({ state: "detached" });
      expect(await page.evaluate(() => window.mizzenFake.contexts.wishes)).toEqual([
        { ask: "drop", id: "prod-71c2" },
      ]);
      await focused(page).toBe("contexts-list");
    });
  });

  test("that wait are carried over with consent, and left alone without it", async () => {
    await withPage({ scenario: "sessions=3&contexts=held" }, async (page) => {
      await byId(page, "nav-contexts").click();
      await byId(page, "approve").click();
      const dialog = byId(page, "dialog-confirm");
      await dialog.getByText("without TLS").waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await focused(page).toBe("approve");
      expect(await page.evaluate(() => window.mizzenFake.contexts.wishes)).toEqual([]);
      await page.keyboard.press("Enter");
      await byId(page, "confirm").click();
      await byId(page, "hold").waitFor({ state: "detached" });
      expect(await page.evaluate(() => window.mizzenFake.contexts.wishes)).toEqual([
        { ask: "approve", id: "prod-71c2" },
      ]);
    });
  });

  test("have a history that is undone, and a trash that is restored from", async () => {
    await withPage({ scenario: "sessions=3&contexts=in_step" }, async (page) => {
      await byId(page, "nav-contexts").click();
      await byId(page, "contexts-history").click();
      const rows = byId(page, "context-past");
      await expect.poll(() => rows.count()).toBe(3);
      expect(await byId(page, "take-back").count()).toBe(2);
      await byId(page, "take-back").first().click();
      const dialog = byId(page, "dialog-confirm");
      await dialog.getByText("lab is new: ssh://ana@lab.example").waitFor();
      await byId(page, "confirm").click();
      await rows.first().getByText("The change of lab was undone").waitFor();

      await byId(page, "contexts-trash").click();
      await rows.first().getByText("the host's change replaced it").waitFor();
      await byId(page, "take-back").click();
      await dialog.getByText("A context that leads to tcp://").waitFor();
      await byId(page, "confirm").click();
      await page.getByText("The trash is empty").waitFor();
      await focused(page).toBe("contexts-trash");
    });
  });

  test("say what is wrong with a side, and that changes are looked for", async () => {
    await withPage({ scenario: "sessions=3&contexts=damaged" }, async (page) => {
      await byId(page, "nav-contexts").click();
      await page.getByText("nothing is written there without your consent").waitFor();
      await page.getByText("it is looked at every two seconds").waitFor();
      const states = page.locator('[data-testid="context"] .standing');
      expect(await states.allInnerTexts()).toEqual([
        "cannot be used",
        "not mirrored",
        "in another name's folder",
        "in step",
        "being carried over",
      ]);
    });
  });

  test("are reached by keyboard", async () => {
    await withPage({ scenario: "sessions=3" }, async (page) => {
      await page.locator("nav").waitFor();
      await page.keyboard.press("3");
      await byId(page, "contexts-setup").waitFor();
    });
  });
});
