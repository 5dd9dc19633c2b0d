import { expect, test } from "vitest";
import { sessionView } from "../backend/cast";
import { curve, SPAN_MS, withSample } from "./samples";

const measured = (cpu_percent: number) => sessionView("api", { cpu_percent, memory_bytes: 1024 });

test("measurements are kept as long as the charts reach back", () => {
  const first = withSample([], measured(10), 1000);
  const second = withSample(first, measured(20), 1000 + SPAN_MS);
  expect(second.map(({ cpu }) => cpu)).toEqual([10, 20]);
  expect(withSample(second, measured(30), 1001 + SPAN_MS).map(({ cpu }) => cpu)).toEqual([20, 30]);
});

test("a view without figures adds none", () => {
  expect(withSample([], sessionView("api"), 0)).toEqual([]);
});

test("the newest sample is at the right edge, the limit at the top", () => {
  const samples = [
    { at: 0, cpu: 0, memory: 0 },
    { at: SPAN_MS / 2, cpu: 100, memory: 0 },
    { at: SPAN_MS, cpu: 400, memory: 0 },
  ];
  const box = { width: 100, height: 50, top: 200, now: SPAN_MS };
  expect(curve(samples, ({ cpu }) => cpu, box)).toEqual({
    line: "M0.0 50.0L50.0 25.0L100.0 0.0",
    area: "M0.0 50.0L50.0 25.0L100.0 0.0V50H0.0Z",
  });
  expect(curve([], ({ cpu }) => cpu, box)).toEqual({ line: "", area: "" });
});
