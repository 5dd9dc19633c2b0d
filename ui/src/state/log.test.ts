import { expect, test } from "vitest";
import { append, LOG_CAP, matching, pieces } from "./log";

const line = (text: string) => ({ at: null, is_error: false, text });

test("lines are numbered on, cleaned and capped", () => {
  const some = append([], [line("a"), line("\u001b[31mred\u001b[0m")]);
  expect(some.map(({ id, text }) => [id, text])).toEqual([
    [1, "a"],
    [2, "red"],
  ]);
  const many = append(
    some,
    Array.from({ length: LOG_CAP }, (_, at) => line(String(at))),
  );
  expect(many).toHaveLength(LOG_CAP);
  expect(many[0]?.id).toBe(3);
  expect(many.at(-1)?.id).toBe(LOG_CAP + 2);
});

test("a search keeps the lines that match, and their numbers", () => {
  const log = append([], [line("Start"), line("wait"), line("restart")]);
  expect(matching(log, "START").map(({ id }) => id)).toEqual([1, 3]);
  expect(matching(log, "")).toBe(log);
});

test.each([
  ["nothing wanted", "abc", "", "abc"],
  ["in the middle", "xabcx", "ABC", "x[abc]x"],
  ["twice, side by side", "aaab", "a", "[a][a][a]b"],
  ["not there", "abc", "z", "abc"],
  ["a pattern is only text", "a.c (x)", "(x)", "a.c [(x)]"],
  ["a letter that grows with its case", "İa", "a", "İa"],
])("cut at what is found: %s", (_, text, wanted, shown) => {
  const cut = pieces(text, wanted).map(({ text, found }) => (found ? `[${text}]` : text));
  expect(cut.join("")).toBe(shown);
});
