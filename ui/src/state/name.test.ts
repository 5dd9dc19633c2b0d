import { expect, test } from "vitest";
import { isAbsolute, nameForFolder, nameProblem, type NameProblem } from "./name";

test.each<[string, NameProblem | null]>([
  ["a", null],
  ["9", null],
  ["web-shop", null],
  ["Feature.2", null],
  ["a_b", null],
  ["a".repeat(63), null],
  ["", "empty"],
  [" ", "empty"],
  ["n".repeat(300), "too_long"],
  ["é".repeat(32), "too_long"],
  [".", "malformed"],
  ["../x", "malformed"],
  ["a/b", "malformed"],
  ["-rf", "malformed"],
  ["x.", "malformed"],
  ["é", "malformed"],
  ["a b", "malformed"],
  ["a\n", "malformed"],
  ["Shared", "reserved"],
  ["con.txt", "reserved"],
  ["LPT1", "reserved"],
  ["console", null],
  ["API", "taken"],
])("the name %j: %s", (name, problem) => {
  expect(nameProblem(name, ["api"])).toBe(problem);
});

// The same rows as in the core's test: what is proposed here is what the core would propose.
test.each([
  ["/home/ann/web-shop", "web-shop"],
  ["/home/ann/web-shop/", "web-shop"],
  ["/home/ann/My Project (2)", "My-Project--2"],
  ["/srv/.hidden", "hidden"],
  ["/srv/naïve", "na-ve"],
  ["C:\\work\\shop", "shop"],
  ["/", ""],
  ["", ""],
  [`/srv/${"d".repeat(62)}-tail`, "d".repeat(62)],
])("the folder %s proposes %s", (folder, name) => {
  expect(nameForFolder(folder)).toBe(name);
});

test.each([
  ["/a", true],
  ["C:\\a", true],
  ["\\\\host\\share", true],
  ["a/b", false],
  ["~/a", false],
  ["", false],
])("%j is absolute: %s", (folder, absolute) => {
  expect(isAbsolute(folder)).toBe(absolute);
});
