import { expect, test } from "vitest";
import { check } from "../backend/cast";
import { reportText, troubleCount } from "./doctor";

const REPORT = {
  checks: [
    check("tray", "Tray", "there"),
    {
      ...check("engine", "Engine", "does not answer"),
      state: "problem" as const,
      fix: "start docker",
    },
  ],
};

test("a report as text names each check and each fix", () => {
  expect(reportText(REPORT, "1.2.3")).toBe(
    [
      "Mizzen 1.2.3",
      "ok    Tray: there",
      "FAIL  Engine: does not answer",
      "      To fix it: start docker",
    ].join("\n"),
  );
  expect(troubleCount(REPORT)).toBe(1);
});
