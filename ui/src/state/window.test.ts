import { describe, expect, test } from "vitest";
import { scrollToShow, visibleRows, type Viewport } from "./window";

const port = (change: Partial<Viewport>): Viewport => ({
  scrollTop: 0,
  height: 580,
  rowHeight: 58,
  count: 500,
  overscan: 6,
  ...change,
});

describe("rows in the document", () => {
  test.each<[string, Partial<Viewport>, { from: number; to: number }]>([
    ["at the top", {}, { from: 0, to: 16 }],
    ["in the middle", { scrollTop: 5800 }, { from: 94, to: 116 }],
    ["between two rows", { scrollTop: 5829 }, { from: 94, to: 117 }],
    ["at the end", { scrollTop: 500 * 58 - 580 }, { from: 484, to: 500 }],
    ["past the end, after a filter", { scrollTop: 29_000, count: 3 }, { from: 3, to: 3 }],
    ["pulled above the top", { scrollTop: -80 }, { from: 0, to: 16 }],
    ["of an empty list", { count: 0 }, { from: 0, to: 0 }],
    ["of a list without height", { height: 0 }, { from: 0, to: 6 }],
  ])("%s", (_, change, rows) => expect(visibleRows(port(change))).toEqual(rows));

  test("cover the viewport at every scroll position", () => {
    for (let scrollTop = 0; scrollTop <= 500 * 58 - 580; scrollTop += 7) {
      const { from, to } = visibleRows(port({ scrollTop }));
      expect(from * 58).toBeLessThanOrEqual(scrollTop);
      expect(to * 58).toBeGreaterThanOrEqual(scrollTop + 580);
      expect(to - from).toBeLessThanOrEqual(23);
    }
  });
});

test.each([
  ["a row in sight moves nothing", 12, 600, 600],
  ["a row above comes to the top", 3, 600, 174],
  ["a row below comes to the bottom", 30, 600, 1218],
  ["a row cut off at the bottom is shown whole", 20, 600, 638],
])("%s", (_, index, scrollTop, to) => {
  expect(scrollToShow(index, port({ scrollTop }))).toBe(to);
});
