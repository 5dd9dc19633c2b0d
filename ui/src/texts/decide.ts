import type { SyncKeep } from "../generated/SyncKeep";
import type { SyncSide } from "../generated/SyncSide";

const places = (n: number) => (n === 1 ? "1 place" : `${n} places`);

/** What both sides changed, and what was: the pages of a synced workspace. */
export const decideTexts = {
  workspacePage: {
    title: (name: string) => `Workspace of ${name}`,
    back: (name: string) => `Back to ${name}`,
    pages: "Pages of the workspace",
    page: { conflicts: "Conflicts", history: "History" },
    look: "Look again",
    looking: "Looking…",
    down: (name: string) => `Session \`${name}\` does not run: its workspace cannot be reached.`,
    downHint: "Start it to decide conflicts and to see what was.",
    undo: "Undo",
    dismiss: "Dismiss what was done",
    side: { host: "Host", container: "Container" } satisfies Record<SyncSide, string>,
    /** Who changes what is there. */
    whose: { host: "your folder", container: "the agent's copy" } satisfies Record<
      SyncSide,
      string
    >,
    failed: {
      conflicts: (name: string) => `Conflicts of ${name} cannot be read`,
      history: (name: string) => `The history of ${name} cannot be read`,
      resolve: (path: string) => `${path} is not decided`,
      undo: "Nothing was taken back",
      restore: (path: string) => `${path} did not come back`,
    },
    done: {
      resolve: {
        host: (path: string) => `Both sides hold the host's version of ${path} now.`,
        container: (path: string) => `Both sides hold the container's version of ${path} now.`,
        both: (path: string, beside: string) =>
          `Both versions of ${path} stay: the container's is ${beside} now.`,
      },
      resolveMany: {
        host: (n: number) => `Both sides hold the host's version of ${places(n)} now.`,
        container: (n: number) => `Both sides hold the container's version of ${places(n)} now.`,
        both: (n: number) =>
          `Both versions of ${places(n)} stay; the container's have names of their own now.`,
      },
      undo: (n: number) => `Taken back: ${places(n)} changed. The other side follows.`,
      restore: (path: string) => `${path} is back. The other side follows.`,
      nothing: "Nothing was changed.",
      left: (n: number) => (n === 1 ? "1 place stays as it is:" : `${n} places stay as they are:`),
      more: (n: number) => `and ${n} more`,
    },
    leftOn: { host: "on the host", container: "in the container" } satisfies Record<
      SyncSide,
      string
    >,
  },

  conflicts: {
    none: "No conflicts",
    noneHint:
      "Where both sides change the same place in ways that do not go together, you decide here.",
    count: (n: number) =>
      n === 1
        ? "Both sides changed 1 place in ways that do not go together. The rest is in step."
        : `Both sides changed ${n} places in ways that do not go together. The rest is in step.`,
    trash: "The version that goes is kept in the trash of its side.",
    all: "For all:",
    keep: {
      host: "Keep host's",
      container: "Keep container's",
      both: "Keep both",
    } satisfies Record<SyncKeep, string>,
    keepAll: {
      host: "Keep host's…",
      container: "Keep container's…",
      both: "Keep both…",
    } satisfies Record<SyncKeep, string>,
    keepOf: {
      host: (path: string) => `Keep host's version of ${path}`,
      container: (path: string) => `Keep container's version of ${path}`,
      both: (path: string) => `Keep both versions of ${path}`,
    },
    deciding: (done: number, of: number) => `Deciding ${done} of ${of}…`,
    deleted: "Deleted here",
    kind: { file: "File", folder: "Folder", link: "Link", entry: "Special file" } as Record<
      string,
      string
    >,
    entries: (n: number) => (n === 1 ? "1 entry" : `${n} entries`),
    changed: (age: string) => `changed ${age} ago`,
    noDiff: "No lines to compare: one version is no text, or it is large.",
    diffOf: (path: string) => `What differs in ${path}`,
    onlyIn: { host: "only on the host:", container: "only in the container:" } satisfies Record<
      SyncSide,
      string
    >,
    lines: { host: (n: number) => `−${n} host`, container: (n: number) => `+${n} container` },
    linesRead: (host: number, container: number) =>
      `${host} lines only on the host, ${container} only in the container`,
    showDiff: "What differs",
    unfold: (n: number) => `Show all ${n} lines`,
    fold: "Show fewer lines",
    cut: (n: number, name: string) =>
      `${n} more lines are not shown here. \`mizzen sync conflicts ${name}\` has them.`,
    more: (n: number) => (n === 1 ? "Show 1 more conflict" : `Show ${n} more conflicts`),
  },

  decideAll: {
    title: {
      host: (n: number) => `Keep the host's version of ${places(n)}?`,
      container: (n: number) => `Keep the container's version of ${places(n)}?`,
      both: (n: number) => `Keep both versions of ${places(n)}?`,
    } satisfies Record<SyncKeep, (n: number) => string>,
    steps: {
      host: [
        "The container gets the host's version of each place. Where the host deleted it, it goes.",
        "The container's versions go to its trash.",
      ],
      container: [
        "The host gets the container's version of each place. Where the container deleted it, it goes from your folder.",
        "The host's versions go to the trash of your folder.",
      ],
      both: [
        "The host's version keeps its name, on both sides.",
        "The container's version lies beside it, with `conflict-container` and the time in its name.",
        "A place that one side deleted stays in conflict: there are no two versions.",
      ],
    } satisfies Record<SyncKeep, readonly string[]>,
    undo: "It can be undone afterwards, wherever nothing has changed since.",
    submit: {
      host: "Keep the host's",
      container: "Keep the container's",
      both: "Keep both",
    } satisfies Record<SyncKeep, string>,
  },
};
