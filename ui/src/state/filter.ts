import type { SessionView } from "../generated/SessionView";
import { takesASlot } from "./actions";
import { decisionOf } from "./sync";

export type Scope = "all" | "active" | "attention";

export interface Filter {
  readonly scope: Scope;
  readonly text: string;
}

export const EVERYTHING: Filter = { scope: "all", text: "" };

export function needsPerson({ attention }: SessionView): boolean {
  return attention.state === "error" || attention.state === "stale";
}

function inScope(session: SessionView, scope: Scope): boolean {
  switch (scope) {
    case "all":
      return true;
    case "active":
      return takesASlot(session.state);
    case "attention":
      return needsPerson(session) || decisionOf(session.sync) !== null;
  }
}

/** Sessions in scope that have every typed word in their name, folder, engine or state. */
export function filtered(sessions: readonly SessionView[], filter: Filter): readonly SessionView[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && filter.scope === "all") return sessions;
  return sessions.filter((session) => {
    if (!inScope(session, filter.scope)) return false;
    const text = [session.name, session.project, session.engine, session.state].join("\n");
    const haystack = text.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

/** Who is looked at when one goes: the next in the list that was shown, else the one before it. */
export function neighbour(
  listed: readonly SessionView[],
  left: readonly SessionView[],
  gone: string | null,
): SessionView | undefined {
  const at = listed.findIndex(({ name }) => name === gone);
  const nearest = [...listed.slice(at + 1), ...listed.slice(0, Math.max(at, 0)).reverse()];
  for (const { name } of nearest) {
    const found = left.find((session) => session.name === name);
    if (found) return found;
  }
  return left[0];
}

export function countByScope(sessions: readonly SessionView[]): Record<Scope, number> {
  const counts = { all: sessions.length, active: 0, attention: 0 };
  for (const session of sessions) {
    if (inScope(session, "active")) counts.active += 1;
    if (inScope(session, "attention")) counts.attention += 1;
  }
  return counts;
}
