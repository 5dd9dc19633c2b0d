import { expect, test } from "vitest";
import { commandView } from "../backend/cast";
import { hasEnded, markOf, reasonOf, standing } from "./commands";

const times = { started_at: "2026-01-01T10:00:00Z", finished_at: "2026-01-01T10:00:03.2Z" };

test.each([
  [{ state: "waiting", started_at: null }, "waiting"],
  [{ state: "running" }, "running"],
  [{ state: "succeeded", exit_code: 0, ...times }, "succeeded, took 3.2 s"],
  [{ state: "failed", exit_code: 2, ...times }, "failed, exit code 2, took 3.2 s"],
  [{ state: "killed", signal: 15, ...times }, "killed, signal 15, took 3.2 s"],
  [{ state: "killed", started_at: null }, "killed"],
  [{ state: "succeeded", left_running: 1, finished_at: null }, "succeeded, left 1 process running"],
  [{ state: "killed", left_running: 3, finished_at: null }, "killed, left 3 processes running"],
  [{ state: "failed", exit_code: 1, finished_at: "soon" }, "failed, exit code 1"],
] as const)("a command that is %j is told as %s", (change, told) => {
  expect(standing(commandView("a", change))).toBe(told);
});

test("what has not ended can be ended", () => {
  const states = ["waiting", "running", "succeeded", "killed", "interrupted"] as const;
  const ended = states.map((state) => hasEnded(commandView("a", { state })));
  expect(ended).toEqual([false, false, true, true, true]);
});

test("a reason is the container's own, else the window's where a word alone does not tell", () => {
  const error = "`x` is not installed in this container";
  expect(reasonOf(commandView("a", { state: "rejected", error }))).toBe(error);
  expect(reasonOf(commandView("a", { state: "interrupted" }))).toContain("not run again");
  expect(reasonOf(commandView("a", { state: "failed" }))).toBeNull();
});

test("a state is told by its shape as well", () => {
  expect(markOf(commandView("a", { state: "succeeded" }))).toBe("well");
  expect(markOf(commandView("a", { state: "timed_out" }))).toBe("bad");
});
