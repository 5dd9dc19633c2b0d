import type { SessionState } from "../generated/SessionState";
import type { SessionView } from "../generated/SessionView";

/** What a person can do to a session. `open` is no verb: it opens code-server in the browser. */
export type Action = "open" | "start" | "stop" | "pause" | "resume" | "restart" | "remove";

/** Actions to offer in each state; the core decides, and refuses with a reason, when it differs. */
const OFFERED: Record<SessionState, readonly Action[]> = {
  creating: ["remove"],
  starting: ["stop", "remove"],
  running: ["open", "pause", "restart", "stop", "remove"],
  pausing: ["remove"],
  paused: ["resume", "stop", "remove"],
  resuming: ["stop", "remove"],
  stopping: ["remove"],
  stopped: ["start", "remove"],
  removing: [],
  failed: ["start", "remove"],
  lost: [],
};

export function actionsOf(session: SessionView): readonly Action[] {
  return session.out_of_reach ? ["remove"] : OFFERED[session.state];
}

/** Whether an action, though offered, has to wait: code-server does not answer yet. */
export function waits(action: Action, session: SessionView): boolean {
  return action === "open" && session.url === null;
}

/** States that end by themselves. */
export function isUnderWay(state: SessionState): boolean {
  return (
    state === "creating" ||
    state === "starting" ||
    state === "pausing" ||
    state === "resuming" ||
    state === "stopping" ||
    state === "removing"
  );
}

/** States that count against `max_running`. */
export function takesASlot(state: SessionState): boolean {
  return isUnderWay(state) || state === "running" || state === "paused";
}
