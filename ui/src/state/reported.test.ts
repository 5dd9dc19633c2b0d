import { expect, test } from "vitest";
import { sessionView } from "../backend/cast";
import { doing } from "./reported";

const progress = (current: number, total: number, message = "Compiling") => ({
  current,
  total,
  message,
});

test("a container that only waits does nothing worth a line", () => {
  expect(doing(sessionView("web"))).toBeNull();
  expect(doing(sessionView("web", { state: "starting", progress: progress(1, 2) }))).toBeNull();
});

test("a share is known only with a total, and never leaves its bar", () => {
  const share = (current: number, total: number) =>
    doing(sessionView("web", { phase: "building", progress: progress(current, total) }))?.share;
  expect(share(45, 100)).toBe(0.45);
  expect(share(7, 0)).toBeNull();
  expect(share(300, 100)).toBe(1);
  expect(share(-3, 100)).toBe(0);
});

test("what a container says is shown without marks of its own", () => {
  const said = doing(
    sessionView("web", { phase: "build\u202eing", progress: progress(1, 2, "a\u0007b") }),
  );
  expect(said).toMatchObject({ phase: "building", message: "ab" });
});
