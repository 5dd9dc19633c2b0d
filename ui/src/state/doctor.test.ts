import { expect, test } from "vitest";
import { check } from "../backend/cast";
import { reportText, summary } from "./doctor";

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
});

test.each([
  ["ok ok", "Everything Mizzen needs is there."],
  ["ok warning", "All works. One thing could be better."],
  ["warning warning", "All works. 2 things could be better."],
  ["warning problem", "One thing needs you."],
  ["problem problem ok", "2 things need you."],
])("%s: %s", (states, sentence) => {
  const checks = states.split(" ").map((state, at) => ({
    ...check(String(at), "", ""),
    state: state as "ok" | "warning" | "problem",
  }));
  expect(summary({ checks })).toBe(sentence);
});
