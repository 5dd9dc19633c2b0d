import { describe, expect, test } from "vitest";
import { sessionView, SETTINGS, snapshotOf } from "../backend/cast";
import {
  isFull,
  nameOf,
  paramsOf,
  planOf,
  wishProblems,
  workspaceOf,
  type Wish,
} from "./newSession";
import { GIB } from "./settings";

const SNAPSHOT = snapshotOf({ sessions: [sessionView("api")] });
const wish = (change: Partial<Wish> = {}): Wish => ({
  folder: "/src/shop",
  typedName: null,
  engine: null,
  workspace: null,
  image: "",
  memoryGib: "4",
  cpus: "2",
  ...change,
});

test("the name follows the folder until someone types one", () => {
  expect(nameOf(wish())).toBe("shop");
  expect(nameOf(wish({ typedName: "mine" }))).toBe("mine");
});

test("a good wish has no problems", () => {
  expect(wishProblems(wish(), SNAPSHOT)).toEqual({
    folder: false,
    name: null,
    memory: false,
    cpus: false,
  });
});

test("every field is checked", () => {
  const bad = wish({ folder: "src/API", memoryGib: "lots", cpus: "0" });
  expect(wishProblems(bad, SNAPSHOT)).toEqual({
    folder: true,
    name: "taken",
    memory: true,
    cpus: true,
  });
});

describe("parameters", () => {
  test("leave to the core what is as in the settings", () => {
    expect(paramsOf(wish({ folder: " /src/shop " }), SNAPSHOT)).toEqual({
      dir: "/src/shop",
      name: "shop",
      engine: null,
      workspace: null,
      image: null,
      memory_bytes: null,
      cpus: null,
    });
  });

  test("say what differs", () => {
    const params = paramsOf(wish({ image: "own:1", memoryGib: "8", cpus: "1.5" }), SNAPSHOT);
    expect(params).toMatchObject({ image: "own:1", memory_bytes: 8 * GIB, cpus: 1.5 });
  });

  test.each(["bind", "sync"] as const)("say that someone chose %s", (workspace) => {
    expect(paramsOf(wish({ workspace }), SNAPSHOT)).toMatchObject({ workspace });
  });
});

test("the plan names folder, image and limits", () => {
  const plan = planOf(wish({ image: "own:1" })).join("\n");
  for (const part of ["/src/shop", "own:1", "4 GiB", "2 processors"]) expect(plan).toContain(part);
});

test.each([
  [null, "sync", "/src/shop is copied to a volume at /workspace"],
  ["bind", "bind", "/src/shop is mounted at /workspace"],
  ["sync", "sync", "/src/shop is copied to a volume at /workspace"],
] as const)("a workspace wished as %s is %s, and the plan says so", (wished, kind, said) => {
  expect(workspaceOf(wish({ workspace: wished }))).toBe(kind);
  expect(planOf(wish({ workspace: wished })).join("\n")).toContain(said);
});

test("the limit counts what is active, not what is stopped", () => {
  const settings = { ...SETTINGS, max_running: 1 };
  const stopped = [sessionView("a", { state: "stopped" }), sessionView("b", { state: "failed" })];
  expect(isFull(wish(), snapshotOf({ settings, sessions: stopped }))).toBe(false);
  expect(isFull(wish(), snapshotOf({ settings, sessions: [...stopped, sessionView("c")] }))).toBe(
    true,
  );
  const elsewhere = sessionView("c", { engine: "far" });
  const full = snapshotOf({ settings, sessions: [...stopped, elsewhere] });
  expect(isFull(wish(), full)).toBe(false);
  expect(isFull(wish({ engine: "far" }), full)).toBe(true);
  expect(paramsOf(wish({ engine: "far" }), full).engine).toBe("far");
});
