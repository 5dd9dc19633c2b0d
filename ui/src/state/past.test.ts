import { expect, test } from "vitest";
import type { PastCycleView } from "../generated/PastCycleView";
import { began, firstPlaces, isKept, mayHaveMore, PAGE, sidesOf, withNewest } from "./past";

const side = (places: number) => ({ changes: [], places, files: 0, bytes: 0 });
const cycle = (at: number): PastCycleView => ({
  cycle: `2026010${at}T030405.000000006Z`,
  host: null,
  container: side(1),
});
const days = (cycles: readonly PastCycleView[]) => cycles.map(({ cycle }) => cycle[7]).join("");

test("a cycle's name is when it began", () => {
  expect(began("20260102T030405.678000006Z")).toBe("2026-01-02T03:04:05.678Z");
  expect(began("../root")).toBe("");
});

test("only sides that were changed are told of", () => {
  const both = { cycle: "", host: side(2), container: side(1) };
  expect(sidesOf(both).map(([name]) => name)).toEqual(["container", "host"]);
  expect(sidesOf({ ...both, container: side(0) }).map(([name]) => name)).toEqual(["host"]);
  expect(sidesOf({ ...both, host: null }).map(([name]) => name)).toEqual(["container"]);
});

test("a cycle is known by the first places that it changed, each once", () => {
  const of = (...paths: string[]) => ({
    ...side(paths.length),
    changes: paths.map((path) => ({ path, was: "replace" })),
  });
  const cycle = { cycle: "", host: of("b", "c", "d", "e", "f", "g"), container: of("a", "b") };
  expect(firstPlaces(cycle).join("")).toBe("abcdef");
});

test("what was displaced can come back, what was new cannot", () => {
  const kept = ["create", "replace", "remove"].map((was) => isKept({ path: "a", was }));
  expect(kept).toEqual([false, true, true]);
});

test("newer cycles come before those that are known, each once", () => {
  const known = [5, 4, 3].map(cycle);
  expect(days(withNewest(known, [7, 6, 5].map(cycle)))).toBe("76543");
  expect(days(withNewest(known, [5, 4].map(cycle)))).toBe("543");
  expect(days(withNewest([], [2, 1].map(cycle)))).toBe("21");
  // What is not kept any more is not told of any more.
  expect(days(withNewest(known, []))).toBe("");
});

test("a page that is not full is the last one", () => {
  const page = (length: number) => Array.from({ length }, () => cycle(1));
  expect([0, PAGE - 1, PAGE].map((length) => mayHaveMore(page(length)))).toEqual([
    false,
    false,
    true,
  ]);
});
