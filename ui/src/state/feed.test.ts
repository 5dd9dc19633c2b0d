import { expect, test } from "vitest";
import type { ApiError } from "../generated/ApiError";
import type { Event } from "../generated/Event";
import type { Snapshot } from "../generated/Snapshot";
import { sessionView, snapshotOf } from "../backend/cast";
import { Feed } from "./feed";
import type { Model } from "./reduce";

/** A feed whose frames and snapshots come when the test says so. */
function rig() {
  const models: Model[] = [];
  const failures: ApiError[] = [];
  const frames: (() => void)[] = [];
  const asked: { resolve: (s: Snapshot) => void; reject: (why: unknown) => void }[] = [];
  const feed = new Feed(
    { snapshot: () => new Promise((resolve, reject) => asked.push({ resolve, reject })) },
    { model: (model) => models.push(model), failed: (error) => failures.push(error) },
    (task) => frames.push(task),
  );
  return {
    feed,
    models,
    failures,
    asked,
    frame: () => frames.splice(0).forEach((task) => task()),
    /** Answers the n-th request and lets the feed take it in. */
    async answer(n: number, revision: number) {
      asked[n]!.resolve(snapshotOf({ revision }));
      await new Promise((nextTurn) => setTimeout(nextTurn, 0));
    },
    revision: () => models.at(-1)?.snapshot.revision,
    names: () => models.at(-1)?.snapshot.sessions.map(({ name }) => name),
  };
}

const appears = (revision: number, name: string): Event => ({
  revision,
  at: "2026-01-02T03:04:05Z",
  change: { kind: "session", session: sessionView(name) },
});

test("events that arrive before the snapshot are folded into it", async () => {
  const { feed, frame, answer, revision, names } = rig();
  void feed.resync();
  feed.receive(appears(7, "old"));
  feed.receive(appears(8, "new"));
  frame();
  await answer(0, 7);
  expect(revision()).toBe(8);
  expect(names()).toEqual(["new"]);
});

test("all events of a frame are one drawing", async () => {
  const { feed, frame, answer, models, names } = rig();
  void feed.resync();
  await answer(0, 1);
  for (let n = 2; n <= 100; n += 1) feed.receive(appears(n, `s${n}`));
  expect(models).toHaveLength(1);
  frame();
  expect(models).toHaveLength(2);
  expect(names()).toHaveLength(99);
});

test("a missed number asks for the snapshot again", async () => {
  const { feed, frame, answer, asked, revision } = rig();
  void feed.resync();
  await answer(0, 1);
  feed.receive(appears(3, "after-gap"));
  frame();
  expect(asked).toHaveLength(2);
  await answer(1, 3);
  expect(revision()).toBe(3);
  feed.receive(appears(4, "next"));
  frame();
  expect(revision()).toBe(4);
});

test("a snapshot older than the gap is asked for once more, but not for ever", async () => {
  const { feed, frame, answer, asked, revision } = rig();
  void feed.resync();
  await answer(0, 1);
  feed.receive(appears(9, "far"));
  frame();
  for (const n of [1, 2, 3]) await answer(n, 2);
  expect(asked).toHaveLength(4);
  expect(revision()).toBe(2);
});

test("after a restart the old core's events and answers count for nothing", async () => {
  const { feed, frame, answer, revision, names } = rig();
  void feed.resync();
  await answer(0, 500);
  feed.receive(appears(502, "gap"));
  frame();
  void feed.restart();
  await answer(1, 502);
  expect(revision()).toBe(500);
  await answer(2, 3);
  expect(revision()).toBe(3);
  expect(names()).toEqual([]);
});

test("a failure is told, and a later attempt can succeed", async () => {
  const { feed, asked, answer, failures, revision } = rig();
  const first = feed.resync();
  asked[0]!.reject({ code: "core_unreachable", message: "refused", hint: "" });
  await first;
  expect(failures.map(({ code }) => code)).toEqual(["core_unreachable"]);
  void feed.restart();
  await answer(1, 1);
  expect(revision()).toBe(1);
});
