import { expect, test } from "vitest";
import { visible, visibleText } from "./visible";

test.each([
  ["src/main.rs", "src/main.rs"],
  ["naïve 文 👍", "naïve 文 👍"],
  ["invoice\u202excod.exe", "invoice<U+202E>xcod.exe"],
  ["a\u200bb", "a<U+200B>b"],
  ["red\u001b[31m", "red<U+001B>[31m"],
  ["two\nlines\r", "two<U+000A>lines<U+000D>"],
  ["a\u{e0041}", "a<U+E0041>"],
  ["\ufeffa\u00ad", "<U+FEFF>a<U+00AD>"],
  ["a\tb", "a\\tb"],
])("%j is shown as %s", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test("what is shown by its name is told from what reads like it", () => {
  expect(visible("U+202E\u202e")).toEqual([
    { text: "U+202E", hidden: false },
    { text: "U+202E", hidden: true },
  ]);
  expect(visible("a\tb")).toEqual([{ text: "a\tb", hidden: false }]);
});
