import type { SyncSide } from "../generated/SyncSide";

const places = (n: number) => (n === 1 ? "1 place" : `${n} places`);

/** Cycles of the past of a synced workspace. */
export const pastTexts = {
  past: {
    label: "Cycles, the last one first",
    none: "Nothing was changed yet",
    noneHint: "What sync changes on either side is listed here, and can be taken back.",
    noneOf: "The trash keeps nothing of this place.",
    noneOfHint: "It was never displaced, or so long ago that it is not kept any more.",
    find: "Only cycles of which a place is kept",
    findHint: "A place, like src/main.rs",
    changed: {
      host: (n: number) => `${places(n)} on the host`,
      container: (n: number) => `${places(n)} in the container`,
    } satisfies Record<SyncSide, (n: number) => string>,
    /** Who had changed it, when a side was changed. */
    cause: {
      host: "carried from the container",
      container: "carried from the host",
    } satisfies Record<SyncSide, string>,
    was: { create: "new", replace: "changed", remove: "deleted" } as Record<string, string>,
    keeps: (files: number, size: string) =>
      files === 1 ? `1 file in the trash, ${size}` : `${files} files in the trash, ${size}`,
    undo: "Undo…",
    undoOf: (time: string) => `Undo what was changed at ${time}`,
    restore: "Restore…",
    restoreOf: (path: string) => `Restore ${path} as it was before`,
    unfold: (n: number) => `Show all ${n} places`,
    notTold: (n: number) => `${places(n)} more are not listed.`,
    older: "Show older cycles",
    loading: "Reading the history…",
    end: "That is all that is kept.",
  },

  takeBack: {
    title: (time: string) => `Undo what was changed at ${time}?`,
    steps: {
      host: (n: number) => `${places(n)} on the host go back to what was before.`,
      container: (n: number) => `${places(n)} in the container go back to what was before.`,
    } satisfies Record<SyncSide, (n: number) => string>,
    rest: [
      "What has changed since stays as it is, and is named.",
      "The other side follows with the next cycle. This can be undone as well.",
    ],
    submit: "Undo it",
  },

  bringBack: {
    title: (path: string) => `Restore ${path}?`,
    steps: (time: string) => ({
      host: `It comes back on the host as it was before ${time}.`,
      container: `It comes back in the container as it was before ${time}.`,
    }),
    rest: [
      "What has changed there since stays as it is: then nothing comes back, and that is said.",
      "The other side follows with the next cycle. This can be undone as well.",
    ],
    submit: "Restore it",
  },
};
