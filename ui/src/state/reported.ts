import type { SessionView } from "../generated/SessionView";
import { plain } from "./format";

/** What a running container says it is doing. */
export interface Doing {
  readonly phase: string;
  readonly message: string;
  /** How much is done, from 0 to 1; null when nobody knows. */
  readonly share: number | null;
}

/** Nothing when it is not running, or says no more than that it waits. */
export function doing({ state, phase, progress }: SessionView): Doing | null {
  if (state !== "running" || (phase === null && progress === null)) return null;
  const known = progress !== null && progress.total > 0;
  const said = {
    phase: plain(phase ?? ""),
    message: plain(progress?.message ?? ""),
    share: known ? Math.min(1, Math.max(0, progress.current / progress.total)) : null,
  };
  const waits = said.phase === "idle" && said.message === "" && said.share === null;
  return waits ? null : said;
}
