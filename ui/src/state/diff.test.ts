import { describe, expect, test } from "vitest";
import { readDiff, type DiffLine } from "./diff";

const DIFF = `@@ -8,4 +8,5 @@
 fn main() {
-    serve(8080);
+    serve(9090);
+    log();
 }
\\ No newline at end of file
`;

/** A line as one text: numbers, kind, and what differs between brackets. */
function told({ host, container, kind, pieces }: DiffLine): string {
  const text = pieces.map(({ text, differs }) => (differs ? `[${text}]` : text)).join("");
  return `${host ?? "-"} ${container ?? "-"} ${kind}|${text}`;
}

test("lines are numbered in the versions that have them", () => {
  const { lines, hostOnly, containerOnly, cut } = readDiff(DIFF);
  expect(lines.map(told)).toEqual([
    "- - place|@@ -8,4 +8,5 @@",
    "8 8 both|fn main() {",
    "9 - host|    serve(8080);",
    "- 9 container|    serve(9090);",
    "- 10 container|    log();",
    "10 11 both|}",
    "- - note| No newline at end of file",
  ]);
  expect([hostOnly, containerOnly, cut]).toEqual([1, 2, 0]);
});

describe("lines against each other show what differs in them", () => {
  test.each([
    ["serve(8080);", "serve(9090);", "serve([808]0);", "serve([909]0);"],
    ["let a = 1;", "let a = 1; // so", "let a = 1;", "let a = 1;[ // so]"],
    ["abc", "xyz", "abc", "xyz"],
    ["x👍y", "x👎y", "x[👍]y", "x[👎]y"],
  ])("%s %s", (host, container, ...expected) => {
    const { lines } = readDiff(`@@ -1 +1 @@\n-${host}\n+${container}\n`);
    expect(lines.slice(1).map((line) => told(line).split("|")[1])).toEqual(expected);
  });

  test("pair by pair, and only where there are as many", () => {
    const two = readDiff("@@ -1,2 +1,2 @@\n-aaa1\n-bbb1\n+aaa2\n+bbb2\n").lines.slice(1);
    expect(two.map((line) => told(line).split("|")[1])).toEqual([
      "aaa[1]",
      "bbb[1]",
      "aaa[2]",
      "bbb[2]",
    ]);
    const uneven = readDiff(DIFF).lines;
    expect(uneven.every(({ pieces }) => pieces.every(({ differs }) => !differs))).toBe(true);
  });
});

test("a diff without end is cut, and what is cut is counted", () => {
  const long = `@@ -1 +1,9999 @@\n${"+x\n".repeat(9999)}`;
  const { lines, containerOnly, cut } = readDiff(long);
  expect([lines.length, containerOnly, cut]).toEqual([3000, 9999, 7000]);
  const wide = readDiff(`@@ -1 +1 @@\n+${"x".repeat(1e6)}\n`).lines[1]!;
  expect(wide.pieces[0]!.text.length).toBe(2001);
});
