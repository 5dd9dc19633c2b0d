import { describe, expect, test } from "vitest";
import { byId, useBrowser, withPage } from "./browser";
import { verbs } from "./steps";

useBrowser();

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

test("contexts are asked about and kept back as a person says", () =>
  withPage({ scenario: "sessions=3" }, async (page) => {
    await byId(page, "nav-settings").click();
    await byId(page, "setting-contexts-strict").click();
    await byId(page, "setting-contexts-no-sync").fill("prod, lab");
    await byId(page, "setting-contexts-socket").fill("docker.sock");
    await page.getByText("An address like unix:///var/run/docker.sock.").waitFor();
    await byId(page, "setting-contexts-socket").fill("unix:///run/docker.sock");
    await byId(page, "save-settings").click();
    await page.getByText("Saved", { exact: true }).waitFor();
    const settings = {
      contexts_strict: true,
      contexts_no_sync: ["prod", "lab"],
      contexts_socket: "unix:///run/docker.sock",
    };
    expect(await verbs(page)).toMatchObject([{ verb: "save_settings", settings }]);
  }));

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
