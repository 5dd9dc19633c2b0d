import type { Change } from "../generated/Change";
import type { Event } from "../generated/Event";
import type { Snapshot } from "../generated/Snapshot";
import type { VerbProgress } from "../generated/VerbProgress";
import { byName } from "./order";

/** Lines of build output kept per session. */
const OUTPUT_CAP = 200;

/** Key of output that belongs to no session: an image built by itself. */
export const NO_SESSION = "";

/** All the window draws: the core's snapshot, and the output of verbs under way. */
export interface Model {
  readonly snapshot: Snapshot;
  readonly output: ReadonlyMap<string, readonly string[]>;
}

/** `gap`: a number was missed, `model` is what was known before it, ask for the snapshot again. */
export interface Folded {
  readonly model: Model;
  readonly gap: boolean;
}

export function modelOf(snapshot: Snapshot): Model {
  return { snapshot, output: new Map() };
}

/** Folds events in order. Events that the snapshot already contains are passed over. */
export function foldAll(model: Model, events: readonly Event[]): Folded {
  for (const event of events) {
    const known = model.snapshot.revision;
    if (event.revision <= known) continue;
    if (event.revision !== known + 1) return { model, gap: true };
    model = fold(model, event);
  }
  return { model, gap: false };
}

/** A fresh snapshot after a gap; output survives, for the snapshot has none. */
export function resynced(model: Model | undefined, snapshot: Snapshot): Model {
  return { snapshot, output: model?.output ?? new Map() };
}

function fold(model: Model, { revision, change }: Event): Model {
  const snapshot = { ...model.snapshot, revision };
  if (change.kind === "progress") {
    return { snapshot, output: withLine(model.output, change.progress) };
  }
  return { snapshot: apply(snapshot, change), output: prune(model.output, change) };
}

function apply(snapshot: Snapshot, change: Exclude<Change, { kind: "progress" }>): Snapshot {
  switch (change.kind) {
    case "session":
      return { ...snapshot, sessions: upsert(snapshot.sessions, change.session) };
    case "session_removed":
      return { ...snapshot, sessions: snapshot.sessions.filter((s) => s.name !== change.name) };
    case "engine":
      return { ...snapshot, engines: upsert(snapshot.engines, change.engine) };
    case "engine_removed":
      return { ...snapshot, engines: snapshot.engines.filter((e) => e.name !== change.name) };
    case "alert_raised": {
      const others = snapshot.alerts.filter((alert) => alert.id !== change.alert.id);
      return { ...snapshot, alerts: [change.alert, ...others] };
    }
    case "alert_cleared":
      return { ...snapshot, alerts: snapshot.alerts.filter((alert) => alert.id !== change.id) };
    case "unmanaged":
      return { ...snapshot, unmanaged: change.unmanaged };
    case "contexts":
      return { ...snapshot, contexts: change.contexts };
    case "settings":
      return { ...snapshot, settings: change.settings };
    case "core":
      return { ...snapshot, core: change.core };
  }
}

/** Replaces the view of the same name or inserts it in order; the others keep their identity. */
function upsert<V extends { name: string }>(views: readonly V[], view: V): V[] {
  const known = views.findIndex(({ name }) => name === view.name);
  if (known >= 0) return views.with(known, view);
  const next = views.findIndex(({ name }) => byName(name, view.name) > 0);
  return views.toSpliced(next < 0 ? views.length : next, 0, view);
}

type Output = Model["output"];

function withLine(output: Output, { session, message }: VerbProgress): Output {
  if (message === "") return output;
  const key = session ?? NO_SESSION;
  const lines = [...(output.get(key) ?? []), message].slice(-OUTPUT_CAP);
  return new Map(output).set(key, lines);
}

/** Output is of use while a session comes up, and after it failed. */
function prune(output: Output, change: Change): Output {
  const over =
    change.kind === "session_removed"
      ? change.name
      : change.kind === "session" && change.session.state === "running"
        ? change.session.name
        : undefined;
  if (over === undefined || !output.has(over)) return output;
  const rest = new Map(output);
  rest.delete(over);
  return rest;
}
