import { expect, test } from "vitest";
import { sessionView, syncView } from "../backend/cast";
import { countByScope, EVERYTHING, filtered, type Filter } from "./filter";

const SESSIONS = [
  sessionView("api"),
  sessionView("docs", { state: "stopped" }),
  sessionView("mobile", { state: "paused" }),
  sessionView("web", { state: "failed", project: "/srv/Shop" }),
];

test.each<[string, Partial<Filter>, string[]]>([
  ["nothing typed", {}, ["api", "docs", "mobile", "web"]],
  ["a piece of a name", { text: "Do" }, ["docs"]],
  ["a folder, without case", { text: "shop" }, ["web"]],
  ["a state", { text: "paused" }, ["mobile"]],
  ["two words, both needed", { text: "srv failed" }, ["web"]],
  ["two words that never meet", { text: "docs failed" }, []],
  ["only blanks", { text: "  " }, ["api", "docs", "mobile", "web"]],
  ["active ones", { scope: "active" }, ["api", "mobile"]],
  ["those that need a person", { scope: "attention" }, ["web"]],
  ["scope and text together", { scope: "active", text: "mob" }, ["mobile"]],
])("%s", (_, filter, names) => {
  const shown = filtered(SESSIONS, { ...EVERYTHING, ...filter });
  expect(shown.map(({ name }) => name)).toEqual(names);
});

test("no filter hands out the list itself, so that nothing is drawn anew", () => {
  expect(filtered(SESSIONS, EVERYTHING)).toBe(SESSIONS);
});

test("counts tell what each scope would show", () => {
  expect(countByScope(SESSIONS)).toEqual({ all: 4, active: 2, attention: 1 });
});

test.each([
  ["in_step", 0],
  ["failed", 0],
  ["conflicts", 1],
  ["halted", 1],
] as const)("sync that is %s needs a person: %i", (state, attention) => {
  const session = sessionView("api", { workspace: "sync", sync: syncView(state) });
  expect(countByScope([session])).toEqual({ all: 1, active: 1, attention });
});
