import { expect, test } from "vitest";
import type { SyncDone } from "../generated/SyncDone";
import { doneWith } from "./told";

const done = (cycle: string, changed: number, left: SyncDone["left"] = []): SyncDone => ({
  cycle,
  changed,
  beside: null,
  left,
});
const stays = { path: "a", side: "host", why: "it has changed since", failed: false } as const;

test("what was done can be taken back, by all its cycles", () => {
  const told = doneWith([done("1", 1), done("2", 0, [stays]), done("3", 2)], "Done.");
  expect(told).toEqual({ message: "Done.", left: [stays], undo: ["1", "3"] });
});

test("what changed nothing is not said to be done, and there is nothing to take back", () => {
  const told = doneWith([done("1", 0, [stays])], "Done.");
  expect(told).toEqual({ message: "Nothing was changed.", left: [stays], undo: [] });
});
