import { expect, test } from "vitest";
import { ENGINE, FAR, offline } from "../backend/cast";
import { foremost, selected } from "./engines";

test("the selected engine stands for all, unless one is away", () => {
  expect(selected([FAR, ENGINE])).toBe(ENGINE);
  expect(foremost([FAR, ENGINE])).toBe(ENGINE);
  const away = offline(FAR);
  expect(foremost([ENGINE, away])).toBe(away);
  expect(selected([ENGINE, away])).toBe(ENGINE);
});

test("without a selected one it is the first, if there is any", () => {
  expect(selected([FAR])).toBe(FAR);
  expect(foremost([])).toBeUndefined();
});
