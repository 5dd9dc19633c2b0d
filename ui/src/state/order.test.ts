import { expect, test } from "vitest";
import { byName } from "./order";

// The same rows as in core/src/order.rs.
test.each([
  [["s1", "s2", "s10"]],
  [["S1", "s2", "S3"]],
  [["a", "a-b", "a1"]],
  [["v1.2", "v1.10", "v2.1"]],
  [["x", "x0", "x00"]],
  [["7", "08", "b"]],
  [["web", "web-2", "web-12"]],
])("%j is sorted as people count", (sorted) => {
  expect(sorted.toReversed().sort(byName)).toEqual(sorted);
});
