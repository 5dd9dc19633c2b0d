import { describe, expect, test } from "vitest";
import sizes from "../../../src-tauri/crates/sync-core/src/sizes.txt?raw";
import { age, bytes, duration, percent, plain, sentence, spans, tail } from "./format";

const NOW = Date.parse("2026-01-02T12:00:00Z");

test.each(sizes.trim().split("\n"))("a size is told as the core tells it: %s", (line) => {
  const [size, text] = line.split(": ");
  expect(bytes(Number(size))).toBe(text);
});

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1000, "1.0 s"],
  [9949, "9.9 s"],
  [9950, "10 s"],
  [59_600, "1 min"],
  [61_000, "1 min 1 s"],
  [3_600_000, "1 h"],
  [7_380_000, "2 h 3 min"],
])("%d ms last %s", (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  ["2026-01-02T11:59:30Z", "less than a minute"],
  ["2026-01-02T12:00:30Z", "less than a minute"],
  ["2026-01-02T11:18:00Z", "42 min"],
  ["2026-01-01T00:00:00Z", "36 h"],
  ["2025-12-01T00:00:00Z", "32 days"],
  ["no date", ""],
])("since %s it is %s", (at, text) => expect(age(at, NOW)).toBe(text));

test("little time is told shorter where there is little room", () => {
  expect(age("2026-01-02T11:59:30Z", NOW, "< 1 min")).toBe("< 1 min");
});

test.each([
  [0.04, "0.0 %"],
  [9.94, "9.9 %"],
  [9.96, "10 %"],
  [173.6, "174 %"],
])("%d is %s", (value, text) => expect(percent(value)).toBe(text));

test("a path is cut at its start, where folders are alike", () => {
  expect(tail("/home/ana/src/web", 40)).toBe("/home/ana/src/web");
  expect(tail("/home/ana/src/web", 8)).toBe("…src/web");
});

describe("a line from a container", () => {
  test.each([
    ["colours", "\u001b[1;33mwarn\u001b[0m: x", "warn: x"],
    ["a window title", "\u001b]0;owned\u0007text", "text"],
    ["an unfinished title", "a\u001b]0;owned", "a"],
    ["cursor movement", "50%\u001b[2K\r100%", "50%100%"],
    ["text that runs backwards", "safe\u202egnp.exe", "safegnp.exe"],
    ["nothing special, with a tab", "a\tb – ü", "a\tb – ü"],
    ["markup", "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ])("loses %s", (_, line, shown) => expect(plain(line)).toBe(shown));
});

test.each([
  ["nothing listens at /run/x", "Nothing listens at /run/x."],
  ["Already one.", "Already one."],
  ["mizzen-session:1 is there", "mizzen-session:1 is there."],
  ["/srv/app belongs to root", "/srv/app belongs to root."],
  ["`x y` is not a session name", "`x y` is not a session name."],
  ["engine, broken", "Engine, broken."],
  ["", ""],
])("the message %j is said as %j", (message, said) => expect(sentence(message)).toBe(said));

test("what stands between backticks is code, a single backtick is not", () => {
  const marked = (text: string) => spans(text).map((s) => (s.code ? `<${s.text}>` : s.text));
  expect(marked("run `a b` or `c`.")).toEqual(["run ", "<a b>", " or ", "<c>", "."]);
  expect(marked("a ` b")).toEqual(["a ` b"]);
});
