import { expect, test } from "vitest";
import type { SessionState } from "../generated/SessionState";
import { sessionView } from "../backend/cast";
import { actionsOf, isUnderWay, takesASlot, waits } from "./actions";

test.each<[SessionState, string, { underWay: boolean; slot: boolean }]>([
  ["creating", "remove", { underWay: true, slot: true }],
  ["starting", "stop remove", { underWay: true, slot: true }],
  ["running", "open pause restart stop remove", { underWay: false, slot: true }],
  ["pausing", "remove", { underWay: true, slot: true }],
  ["paused", "resume stop remove", { underWay: false, slot: true }],
  ["resuming", "stop remove", { underWay: true, slot: true }],
  ["stopping", "remove", { underWay: true, slot: true }],
  ["stopped", "start remove", { underWay: false, slot: false }],
  ["removing", "", { underWay: true, slot: true }],
  ["failed", "start remove", { underWay: false, slot: false }],
  ["lost", "", { underWay: false, slot: false }],
])("%s offers: %s", (state, actions, { underWay, slot }) => {
  expect(actionsOf(sessionView("a", { state })).join(" ")).toBe(actions);
  expect(isUnderWay(state)).toBe(underWay);
  expect(takesASlot(state)).toBe(slot);
});

test("a session whose engine is out of reach can be removed, and nothing else", () => {
  expect(actionsOf(sessionView("a", { state: "lost", out_of_reach: true }))).toEqual(["remove"]);
});

test("code-server can be opened once it answers", () => {
  expect(waits("open", sessionView("a"))).toBe(false);
  expect(waits("open", sessionView("a", { url: null }))).toBe(true);
  expect(waits("stop", sessionView("a", { url: null }))).toBe(false);
});
