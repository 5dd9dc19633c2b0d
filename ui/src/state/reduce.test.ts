import { describe, expect, test } from "vitest";
import type { Change } from "../generated/Change";
import type { Event } from "../generated/Event";
import {
  CONTEXTS,
  alertView,
  ENGINE,
  offline,
  sessionView,
  SETTINGS,
  snapshotOf,
} from "../backend/cast";
import { foldAll, modelOf, NO_SESSION, resynced, type Model } from "./reduce";

const AT = "2026-01-02T03:04:05Z";
const event = (revision: number, change: Change): Event => ({ revision, at: AT, change });
const names = ({ snapshot }: Model) => snapshot.sessions.map(({ name }) => name);

const start = modelOf(snapshotOf({ sessions: [sessionView("api"), sessionView("web")] }));
const after = (...changes: Change[]) => {
  const { model, gap } = foldAll(
    start,
    changes.map((change, at) => event(at + 2, change)),
  );
  expect(gap).toBe(false);
  return model;
};

describe("sessions", () => {
  test("a new one is put in its place by name", () => {
    expect(names(after({ kind: "session", session: sessionView("docs") }))).toEqual([
      "api",
      "docs",
      "web",
    ]);
    expect(names(after({ kind: "session", session: sessionView("zoo") }))).toEqual([
      "api",
      "web",
      "zoo",
    ]);
  });

  test("a known one is replaced, and the others keep their identity", () => {
    const model = after({ kind: "session", session: sessionView("api", { state: "stopped" }) });
    expect(model.snapshot.sessions[0]?.state).toBe("stopped");
    expect(model.snapshot.sessions[1]).toBe(start.snapshot.sessions[1]);
  });

  test("an engine that is shown no more is gone", () => {
    expect(after({ kind: "engine_removed", name: ENGINE.name }).snapshot.engines).toEqual([]);
  });

  test("a removed one is gone, and an unknown one does no harm", () => {
    expect(names(after({ kind: "session_removed", name: "api" }))).toEqual(["web"]);
    expect(names(after({ kind: "session_removed", name: "nobody" }))).toEqual(["api", "web"]);
  });
});

describe("the rest of the snapshot", () => {
  test("an alert replaces its older self and comes first", () => {
    const first = { ...alertView("oom:api"), message: "first" };
    const again = { ...alertView("oom:api"), message: "again" };
    const { alerts } = after(
      { kind: "alert_raised", alert: first },
      { kind: "alert_raised", alert: alertView("stale:web") },
      { kind: "alert_raised", alert: again },
    ).snapshot;
    expect(alerts.map(({ id, message }) => [id, message])).toEqual([
      ["oom:api", "again"],
      ["stale:web", alertView("").message],
    ]);
  });

  test("a cleared alert is gone", () => {
    const raised: Change = { kind: "alert_raised", alert: alertView("a") };
    expect(after(raised, { kind: "alert_cleared", id: "a" }).snapshot.alerts).toEqual([]);
  });

  test("engine, settings, core, contexts and unmanaged containers are replaced whole", () => {
    const unmanaged = [
      { engine: "default", container_id: "c", name: "n", session: "s", reason: "r" },
    ];
    const { snapshot } = after(
      { kind: "engine", engine: offline(ENGINE) },
      { kind: "settings", settings: { ...SETTINGS, max_running: 9 } },
      { kind: "core", core: { ...start.snapshot.core, gateway_port: null } },
      { kind: "unmanaged", unmanaged },
      { kind: "contexts", contexts: { ...CONTEXTS, state: "held" } },
    );
    expect(snapshot.contexts.state).toBe("held");
    expect(snapshot.engines.map(({ state }) => state)).toEqual(["offline"]);
    expect(snapshot.settings.max_running).toBe(9);
    expect(snapshot.core.gateway_port).toBeNull();
    expect(snapshot.unmanaged).toBe(unmanaged);
    expect(snapshot.revision).toBe(6);
  });
});

describe("numbers", () => {
  const removed: Change = { kind: "session_removed", name: "api" };

  test("what the snapshot contains is passed over", () => {
    const { model, gap } = foldAll(start, [event(0, removed), event(1, removed)]);
    expect(gap).toBe(false);
    expect(model).toBe(start);
  });

  test("a missed number stops the fold before it", () => {
    const other: Change = { kind: "session_removed", name: "web" };
    const { model, gap } = foldAll(start, [event(2, removed), event(4, other)]);
    expect(gap).toBe(true);
    expect(names(model)).toEqual(["web"]);
    expect(model.snapshot.revision).toBe(2);
  });

  test("folding at once and one by one come to the same", () => {
    const events = [
      event(2, removed),
      event(3, { kind: "session", session: sessionView("m") }),
      event(4, { kind: "alert_raised", alert: alertView("x") }),
    ];
    const single = events.reduce((model, one) => foldAll(model, [one]).model, start);
    expect(foldAll(start, events).model).toEqual(single);
  });
});

describe("output of verbs", () => {
  const line = (session: string | null, message: string): Change => ({
    kind: "progress",
    progress: { verb_id: 1, session, phase: "image", state: "active", message },
  });

  test("is kept by session, newest last, and capped", () => {
    const { output } = after(line("api", "one"), line(null, "alone"), line("api", "two"));
    expect(output.get("api")).toEqual(["one", "two"]);
    expect(output.get(NO_SESSION)).toEqual(["alone"]);
    const many = after(...Array.from({ length: 250 }, (_, at) => line("api", `${at}`)));
    expect(many.output.get("api")).toHaveLength(200);
    expect(many.output.get("api")?.at(-1)).toBe("249");
  });

  test("is dropped when the session runs or is gone, and survives a failure", () => {
    const told = line("api", "one");
    const becomes = (state: "running" | "failed"): Change => ({
      kind: "session",
      session: sessionView("api", { state }),
    });
    expect(after(told, becomes("running")).output.has("api")).toBe(false);
    expect(after(told, { kind: "session_removed", name: "api" }).output.has("api")).toBe(false);
    expect(after(told, becomes("failed")).output.get("api")).toEqual(["one"]);
  });

  test("survives a fresh snapshot, which has none", () => {
    const model = after(line("api", "one"));
    const fresh = resynced(model, snapshotOf({ revision: 40 }));
    expect(fresh.output).toBe(model.output);
    expect(fresh.snapshot.revision).toBe(40);
  });
});
