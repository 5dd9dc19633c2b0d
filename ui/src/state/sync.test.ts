import { describe, expect, test } from "vitest";
import { sessionView, syncView } from "../backend/cast";
import type { SyncState } from "../generated/SyncState";
import type { SyncView } from "../generated/SyncView";
import {
  carriedBy,
  decisionOf,
  mayHoldMore,
  newsOf,
  notesOf,
  shareOf,
  syncActionsOf,
  syncVerb,
} from "./sync";

const synced = (sync: SyncView | null) => sessionView("a", { workspace: "sync", sync });

test.each<[SyncState, { offers: string; decision: string | null; more: boolean }]>([
  ["starting", { offers: "pause", decision: null, more: true }],
  ["in_step", { offers: "flush pause history", decision: null, more: false }],
  ["syncing", { offers: "flush pause history", decision: null, more: true }],
  ["problems", { offers: "flush pause history", decision: null, more: true }],
  ["conflicts", { offers: "conflicts flush pause history", decision: "conflicts", more: true }],
  ["halted", { offers: "agree flush pause history", decision: "halted", more: true }],
  ["failed", { offers: "flush pause history", decision: null, more: true }],
  ["paused", { offers: "flush resume history", decision: null, more: true }],
  ["offline", { offers: "", decision: null, more: false }],
])("%s: %o", (state, { offers, decision, more }) => {
  const session = synced(syncView(state));
  expect(syncActionsOf(session).join(" ")).toBe(offers);
  expect(decisionOf(session.sync)).toBe(decision);
  expect(mayHoldMore(session)).toBe(more);
});

test("a workspace that is mounted offers nothing, and holds nothing of its own", () => {
  const session = sessionView("a");
  expect(syncActionsOf(session)).toEqual([]);
  expect(decisionOf(session.sync)).toBe(null);
  expect(mayHoldMore(session)).toBe(false);
});

test.each(["starting", "conflicts", "halted", "failed"] as const)(
  "what is paused and %s can go on",
  (state) => {
    const offered = syncActionsOf(synced(syncView(state, { paused: true })));
    expect(offered).toContain("resume");
    expect(offered).not.toContain("pause");
  },
);

test("nothing is offered while the session does not run", () => {
  const session = { ...synced(syncView("halted")), state: "paused" as const };
  expect(syncActionsOf(session)).toEqual([]);
});

describe("a decision", () => {
  test("is asked for while the workspace is said to be paused, too", () => {
    expect(decisionOf(syncView("paused", { needs_consent: true }))).toBe("halted");
    expect(decisionOf(syncView("paused", { conflicts: 1 }))).toBe("conflicts");
  });

  test("about a halt comes before conflicts", () => {
    expect(decisionOf(syncView("halted", { conflicts: 1 }))).toBe("halted");
  });

  test("cannot be made once the session is down", () => {
    const halted = syncView("offline", { needs_consent: true, conflicts: 1 });
    expect(decisionOf(halted)).toBe(null);
    expect(syncActionsOf(synced(halted))).toEqual([]);
  });
});

test("only an agreement consents", () => {
  expect(syncVerb("flush", "a")).toEqual({ verb: "sync_flush", session: "a", consent: false });
  expect(syncVerb("agree", "a")).toEqual({ verb: "sync_flush", session: "a", consent: true });
  expect(syncVerb("pause", "a")).toEqual({ verb: "sync_pause", session: "a" });
  expect(syncVerb("resume", "a")).toEqual({ verb: "sync_resume", session: "a" });
});

test("a volume that keeps secrets back may hold more than the folder", () => {
  expect(mayHoldMore(synced(syncView("in_step", { withheld: 1 })))).toBe(true);
});

test("a volume whose container did not end in good order may hold more", () => {
  const only_there = "Its last sync failed.";
  expect(mayHoldMore({ ...synced(syncView("offline")), only_there })).toBe(true);
});

test.each([
  [[14, 3, 2, 1], "14 to the container, 3 to the folder; 2 deleted, 1 merged"],
  [[1, 0, 0, 0], "1 to the container"],
  [[0, 5, 5, 0], "5 to the folder; 5 deleted"],
] as const)("a cycle of %o is told as %s", ([to_container, to_host, deleted, merged], told) => {
  expect(carriedBy({ at: "", to_container, to_host, deleted, merged })).toBe(told);
});

describe("news", () => {
  test.each(["starting", "in_step", "syncing", "problems", "paused", "offline"] as const)(
    "there are none: %s",
    (state) => {
      expect(newsOf(synced(syncView(state)))).toBe(null);
    },
  );

  test("of a halt say what to do here, and of a failure what the core says", () => {
    const halted = newsOf(synced(syncView("halted", { conflicts: 1 })));
    expect(halted?.title).toContain("214 of 380 entries");
    expect(halted?.hint).not.toContain("mizzen sync flush");
    expect(newsOf(synced(syncView("failed")))?.hint).toContain("Mend the file");
  });

  test("of conflicts count them, and say what to do", () => {
    const news = newsOf(synced(syncView("conflicts")));
    expect(news?.title).toContain("2 places");
    expect(news?.hint).toContain("decide which one stays");
    const paused = synced(syncView("paused", { conflicts: 1 }));
    expect(newsOf(paused)?.title).toContain("the same place");
  });

  test("are over when the session is down", () => {
    const { reason, hint } = syncView("halted");
    expect(newsOf(synced(syncView("offline", { reason, hint, needs_consent: true })))).toBe(null);
  });
});

describe("notes", () => {
  test("are silent when there is nothing to say", () => {
    expect(notesOf(syncView("in_step"))).toEqual([]);
  });

  test("tell of conflicts where a halt takes their place, and not twice", () => {
    expect(notesOf(syncView("conflicts", { conflicts: 2, problems: 0 }))).toEqual([]);
    expect(notesOf(syncView("halted", { conflicts: 2 }))).toEqual(["2 places are in conflict."]);
  });

  test("count in words, and show what a side says as visible text", () => {
    const polling = "too many programs watch files\u001b[31m\u202e";
    const held = "out\u001b[31m.bin";
    const sync = syncView("problems", { problems: 1, withheld: 2, pending: 1, held, polling });
    expect(notesOf(sync)).toEqual([
      "1 place cannot be carried.",
      "2 entries are kept back, since they hold keys or tokens.",
      "1 place changed meanwhile and is looked at again.",
      "out.bin is being written; it is carried once that is done.",
      "Everything is looked at from time to time: too many programs watch files",
    ]);
  });
});

test.each([
  [0, 0, 0],
  [10, 0, 0.5],
  [10, 327_680, 1],
  [99, 9_999_999, 1],
])("%i of 10 files and %i of 320 KiB are a share of %f", (files, bytes, share) => {
  const progress = { files, of_files: 10, bytes, of_bytes: 327_680 };
  const rest = { bytes_per_second: 1, seconds_left: null, text: "" };
  expect(shareOf({ ...progress, ...rest })).toBe(share);
});

test("nothing to carry is all of it", () => {
  const nothing = { files: 0, of_files: 0, bytes: 0, of_bytes: 0 };
  expect(shareOf({ ...nothing, bytes_per_second: 0, seconds_left: null, text: "" })).toBe(1);
});
