import { expect, test } from "vitest";
import { conflictsOf } from "../backend/castSync";
import { choicesOf, decidable } from "./conflicts";

const [one, other] = conflictsOf(2);
const deleted = { ...other!, host: null };

test("both versions can stay only where there are two", () => {
  expect(choicesOf(one!)).toEqual(["host", "container", "both"]);
  expect(choicesOf(deleted)).toEqual(["host", "container"]);
});

test("a decision about all leaves out where it cannot be made", () => {
  expect(decidable([one!, deleted], "host")).toEqual([one!.path, deleted.path]);
  expect(decidable([one!, deleted], "both")).toEqual([one!.path]);
});
