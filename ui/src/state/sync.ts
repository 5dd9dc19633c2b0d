import type { SessionView } from "../generated/SessionView";
import type { SyncCycleView } from "../generated/SyncCycleView";
import type { SyncProgressView } from "../generated/SyncProgressView";
import type { SyncView } from "../generated/SyncView";
import type { Verb } from "../generated/Verb";
import { texts } from "../texts";
import type { SyncPage } from "./app.svelte";
import { plain } from "./format";

/** What a person can tell a synced workspace. Agreeing asks first. */
export type SyncOrder = "flush" | "pause" | "resume" | "agree";
/** What a person can do about it: tell it something, or open a page. */
export type SyncAction = SyncOrder | SyncPage;

/** What is offered: what is to be decided comes first. */
export function syncActionsOf({ state, sync }: SessionView): readonly SyncAction[] {
  if (!sync || state !== "running" || sync.state === "offline") return [];
  const pause = sync.paused ? "resume" : "pause";
  // Known here: while both sides are joined, nobody answers yet.
  if (sync.state === "starting") return [pause];
  const conflicts: SyncAction[] = sync.conflicts > 0 ? ["conflicts"] : [];
  const agree: SyncAction[] = sync.needs_consent ? ["agree"] : [];
  return [...agree, ...conflicts, "flush", pause, "history"];
}

/** What an action asks of the core. */
export function syncVerb(action: SyncOrder, session: string): Verb {
  switch (action) {
    case "flush":
      return { verb: "sync_flush", session, consent: false };
    case "agree":
      return { verb: "sync_flush", session, consent: true };
    case "pause":
      return { verb: "sync_pause", session };
    case "resume":
      return { verb: "sync_resume", session };
  }
}

/** What goes on only when a person decides; none while the session does not run. */
export function decisionOf(sync: SyncView | null): "halted" | "conflicts" | null {
  if (!sync || sync.state === "offline") return null;
  if (sync.needs_consent) return "halted";
  return sync.conflicts > 0 ? "conflicts" : null;
}

export interface SyncNews {
  readonly tone: "warn" | "bad";
  readonly title: string;
  readonly hint: string | null;
}

/** What stands out: a halt, a failure, conflicts; none while the session does not run. */
export function newsOf({ sync }: SessionView): SyncNews | null {
  if (!sync || sync.state === "offline") return null;
  if (sync.reason) {
    // The core's hint names a command; here there is a button.
    const hint = sync.needs_consent ? texts.sync.haltedHint : sync.hint;
    return { tone: "bad", title: sync.reason, hint };
  }
  if (sync.conflicts === 0) return null;
  const { conflictsTitle, conflictsHint } = texts.sync;
  return { tone: "warn", title: conflictsTitle(sync.conflicts), hint: conflictsHint };
}

/** Whether the volume may hold what the folder does not. */
export function mayHoldMore({ sync, only_there }: SessionView): boolean {
  if (!sync) return false;
  // Known here: without a container the core has kept what its end said.
  if (sync.state === "offline") return only_there !== null;
  return sync.state !== "in_step" || sync.withheld > 0;
}

/** What a cycle did: `14 to the container, 3 to the folder; 2 deleted`. */
export function carriedBy({ to_host, to_container, deleted, merged }: SyncCycleView): string {
  const { carried } = texts.sync;
  const ways = [
    to_container > 0 ? carried.toContainer(to_container) : "",
    to_host > 0 ? carried.toHost(to_host) : "",
  ];
  const kinds = [
    deleted > 0 ? carried.deleted(deleted) : "",
    merged > 0 ? carried.merged(merged) : "",
  ];
  return [ways, kinds]
    .map((parts) => parts.filter(Boolean).join(", "))
    .filter(Boolean)
    .join("; ");
}

/** What is to be said beside the state. */
export function notesOf(sync: SyncView): string[] {
  const { note } = texts.sync;
  const counts: [number, (n: number) => string][] = [
    // Known here: without a reason, the conflicts are the news.
    [sync.reason ? sync.conflicts : 0, note.conflicts],
    [sync.problems, note.problems],
    [sync.withheld, note.withheld],
    [sync.pending, note.pending],
  ];
  const notes = counts.filter(([count]) => count > 0).map(([count, say]) => say(count));
  if (sync.held) notes.push(note.held(plain(sync.held)));
  return sync.polling ? [...notes, note.polling(plain(sync.polling))] : notes;
}

/** A file takes about as long as so many bytes of a large one. */
const FILE = 32 * 1024;

/** How much of what is carried has been, from 0 to 1. */
export function shareOf({ files, of_files, bytes, of_bytes }: SyncProgressView): number {
  const all = of_bytes + of_files * FILE;
  return all > 0 ? Math.min(1, (bytes + files * FILE) / all) : 1;
}
