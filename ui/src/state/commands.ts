import type { CommandState } from "../generated/CommandState";
import type { CommandView } from "../generated/CommandView";
import { texts } from "../texts";
import { duration } from "./format";

/** So many commands are shown at first. */
export const COMMANDS_FOLD = 5;

/** How a state looks: by colour and by shape. */
export type Mark = "well" | "bad" | "busy" | "quiet";

const MARKS: Record<CommandState, Mark> = {
  waiting: "quiet",
  running: "busy",
  succeeded: "well",
  failed: "bad",
  timed_out: "bad",
  killed: "quiet",
  rejected: "bad",
  expired: "bad",
  interrupted: "bad",
};

export function markOf({ state }: CommandView): Mark {
  return MARKS[state];
}

export function hasEnded({ state }: CommandView): boolean {
  return state !== "waiting" && state !== "running";
}

/** How it went, in few words: `failed, exit code 2, took 3.2 s`. */
export function standing(command: CommandView): string {
  const said = texts.commands;
  const parts = [said.state[command.state]];
  if (command.exit_code !== null && command.state !== "succeeded") {
    parts.push(said.code(command.exit_code));
  }
  if (command.signal !== null) parts.push(said.signal(command.signal));
  const took = Date.parse(command.finished_at ?? "") - Date.parse(command.started_at ?? "");
  if (took >= 0) parts.push(said.took(duration(took)));
  if (command.left_running > 0) parts.push(said.left(command.left_running));
  return parts.join(", ");
}

/** Why it went so, where there is more to say. */
export function reasonOf(command: CommandView): string | null {
  return command.error ?? texts.commands.why[command.state] ?? null;
}
