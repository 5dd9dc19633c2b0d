import type { SyncAction, SyncOrder } from "../state/sync";
import type { SyncState } from "../generated/SyncState";

/** Workspaces that are kept in step. */
export const syncTexts = {
  sync: {
    title: "Workspace",
    mounted: "The project folder itself, mounted at /workspace.",
    state: {
      starting: "Starting",
      in_step: "In step",
      syncing: "Syncing",
      problems: "Problems",
      conflicts: "Conflicts",
      halted: "Halted",
      failed: "Failed",
      paused: "Paused",
      offline: "Offline",
    } satisfies Record<SyncState, string>,
    means: {
      starting: "Folder and container are looked at.",
      in_step: "Changes go both ways as they are made.",
      syncing: "Changes are being carried.",
      problems: "Not everything can be carried; the rest is in step.",
      conflicts: "What both sides changed stays as it is on each; the rest is in step.",
      halted: "Nothing is carried until you agree.",
      failed: "Nothing is carried now. It is tried again by itself.",
      paused: "Nothing is carried until you resume.",
      offline: "Goes on when the session runs.",
    } satisfies Record<SyncState, string>,
    /** Beside another state. */
    pausedToo: "and paused",
    /** In the list, and as the title of what is to be decided. */
    decision: {
      halted: () => "Sync has stopped",
      conflicts: (n: number) => (n === 1 ? "1 sync conflict" : `${n} sync conflicts`),
    },
    haltedHint:
      "Look at both sides. Agree when it was meant; when not, put back what is missing, and sync goes on by itself.",
    conflictsTitle: (n: number) =>
      n === 1
        ? "Folder and container changed the same place in ways that do not go together."
        : `Folder and container changed ${n} places in ways that do not go together.`,
    conflictsHint:
      "Look at both versions and decide which one stays, or make both sides alike there.",
    progress: (text: string, rate: string) => `${text} (${rate} a second)`,
    last: (age: string, what: string) => `Last change ${age} ago: ${what}.`,
    carried: {
      toContainer: (n: number) => `${n} to the container`,
      toHost: (n: number) => `${n} to the folder`,
      deleted: (n: number) => `${n} deleted`,
      merged: (n: number) => `${n} merged`,
    },
    note: {
      conflicts: (n: number) =>
        n === 1 ? "1 place is in conflict." : `${n} places are in conflict.`,
      problems: (n: number) =>
        n === 1 ? "1 place cannot be carried." : `${n} places cannot be carried.`,
      withheld: (n: number) =>
        n === 1
          ? "1 entry is kept back, since it holds a key or a token."
          : `${n} entries are kept back, since they hold keys or tokens.`,
      pending: (n: number) =>
        n === 1
          ? "1 place changed meanwhile and is looked at again."
          : `${n} places changed meanwhile and are looked at again.`,
      held: (path: string) => `${path} is being written; it is carried once that is done.`,
      polling: (why: string) => `Everything is looked at from time to time: ${why}`,
    },
    action: {
      flush: "Sync now",
      pause: "Pause sync",
      resume: "Resume sync",
      agree: "Agree and go on…",
      conflicts: "Decide conflicts",
      history: "History",
    } satisfies Record<SyncAction, string>,
    consequence: {
      flush: "Looks at all of both sides now, and carries what is to be carried.",
      pause: "Carries nothing until you resume, also after a restart.",
      resume: "Looks at all of both sides, and carries what changed meanwhile.",
      agree: "Carries what sync had stopped for. Asks first.",
      conflicts: "Shows both versions of each, and what differs.",
      history: "Shows what sync changed on either side, and takes it back.",
    } satisfies Record<SyncAction, string>,
    failed: {
      flush: (name: string) => `Could not sync ${name}`,
      pause: (name: string) => `Could not pause sync of ${name}`,
      resume: (name: string) => `Could not resume sync of ${name}`,
      agree: (name: string) => `Could not go on with sync of ${name}`,
    } satisfies Record<SyncOrder, (name: string) => string>,
  },

  agree: {
    title: (name: string) => `Go on with sync of ${name}?`,
    steps: (name: string) => [
      "Folder and container are looked at again.",
      "All that one side has changed or deleted is done on the other, also what sync had stopped for.",
      `What is deleted or overwritten goes to the trash of its side first; \`mizzen sync history ${name}\` finds it again.`,
    ],
    otherwise:
      "If this was not meant, cancel and put back what is missing: sync then goes on by itself.",
    submit: "Agree and go on",
  },
};
