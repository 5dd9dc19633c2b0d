import type { ConflictView } from "../generated/ConflictView";
import type { SyncKeep } from "../generated/SyncKeep";

/** Conflicts that are drawn before a person asks for more, and as many more each time. */
export const STEP = 40;
/** With so many, what differs is shown at once. */
export const OPEN_MAX = 3;

/** Whose version may stay; both only where there are two. */
export function choicesOf({ host, container }: ConflictView): readonly SyncKeep[] {
  return host && container ? ["host", "container", "both"] : ["host", "container"];
}

/** Places that are decided when a person decides about all. */
export function decidable(conflicts: readonly ConflictView[], keep: SyncKeep): string[] {
  return conflicts.filter((one) => choicesOf(one).includes(keep)).map(({ path }) => path);
}
