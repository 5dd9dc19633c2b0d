import type { PastChangeView } from "../generated/PastChangeView";
import type { PastCycleView } from "../generated/PastCycleView";
import type { PastSideView } from "../generated/PastSideView";
import type { SyncSide } from "../generated/SyncSide";

/** Cycles that are asked for at once. */
export const PAGE = 60;

/** Places of one side of a cycle that are shown before a person asks for all. */
export const PLACES_FOLD = 12;

/** The sides of a cycle that it changed: the container first, as most of what a person does goes there. */
export function sidesOf({ host, container }: PastCycleView): [SyncSide, PastSideView][] {
  const sides: [SyncSide, PastSideView | null][] = [
    ["container", container],
    ["host", host],
  ];
  return sides.filter((side): side is [SyncSide, PastSideView] => (side[1]?.places ?? 0) > 0);
}

/** Some places that a cycle changed, to know it by: each once, however many sides it changed it on. */
export function firstPlaces(cycle: PastCycleView): string[] {
  const paths = sidesOf(cycle).flatMap(([, { changes }]) => changes.slice(0, 6));
  return [...new Set(paths.map(({ path }) => path))].slice(0, 6);
}

/** When a cycle began: `20260102T030405.000000006Z` as a time that is understood everywhere. */
export function began(cycle: string): string {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})\d*Z$/.exec(cycle);
  if (!parts) return "";
  const [, year, month, day, hour, minute, second, milli] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`;
}

/** Whether what stood at a place before is kept, and can come back. */
export function isKept({ was }: PastChangeView): boolean {
  return was !== "create";
}

/** What is known already, with the newest page: the last cycle comes first, and each once. */
export function withNewest(
  known: readonly PastCycleView[],
  newest: readonly PastCycleView[],
): PastCycleView[] {
  const oldest = newest.at(-1)?.cycle ?? "";
  return [...newest, ...known.filter(({ cycle }) => cycle < oldest)];
}

/** Whether there may be older ones than a page tells of. */
export function mayHaveMore(page: readonly PastCycleView[]): boolean {
  return page.length >= PAGE;
}
