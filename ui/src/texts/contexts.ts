import type { ContextState } from "../generated/ContextState";
import type { ContextsSide } from "../generated/ContextsSide";
import type { ContextsState } from "../generated/ContextsState";
import type { ContextsTab } from "../state/contexts";

/** The page of engines and Docker contexts. */
export const contextsTexts = {
  engines: {
    title: "Engines in use",
    selectedBy: (what: string) => `selected by ${what}`,
    before: (by: string, says: string) => `before ${by} (${says})`,
    size: (cpus: number, memory: string) =>
      cpus === 1 ? `1 processor, ${memory}` : `${cpus} processors, ${memory}`,
  },

  contexts: {
    title: "Contexts and engines",
    mirror: "Docker contexts for devcontainers",
    look: "Look again",
    looking: "Looking…",
    setUp: "Set up",
    setUpWill:
      "This makes a second folder of Docker settings, which a devcontainer can mount: your contexts stay in step with it, both ways. Nothing of yours is overwritten.",
    use: (path: string) =>
      `A devcontainer mounts \`${path}\`, and has \`DOCKER_CONFIG\` lead there.`,
    state: {
      off: "Not set up.",
      in_step: "In step.",
      working: "Working.",
      held: "Something waits for you.",
      damaged: "Something cannot be used.",
      halted: "Stopped.",
    } satisfies Record<ContextsState, string>,
    inStep: (host: string, container: string) =>
      `Changes in \`${host}\` and \`${container}\` go both ways as they are made.`,
    polling: (why: string) => `${why}: it is looked at every two seconds.`,
    side: { host: "Host", container: "Container" } satisfies Record<ContextsSide, string>,
    tabs: "Contexts, history and trash",
    tab: { list: "Contexts", history: "History", trash: "Trash" } satisfies Record<
      ContextsTab,
      string
    >,
    changedBy: {
      host: "Changed on the host",
      container: "Changed in a container",
    } satisfies Record<ContextsSide, string>,
    none: "No contexts yet",
    noneHint:
      "What `docker context create` makes on either side appears here and on the other side.",
    standing: {
      in_step: "in step",
      pending: "being carried over",
      held: "waits for you",
      quarantined: "cannot be used",
      ghost: "in another name's folder",
      not_synced: "not mirrored",
      special: "each side has its own",
    } satisfies Record<ContextState, string>,
    missing: "not there",
    noEndpoint: "no address",
    hostOnly: "works on the host only",
    unverified: "believes whoever answers",
    keys: (files: string) => `Containers can read ${files}.`,
    approve: "Carry over…",
    approveOf: (names: string) => `Carry over the change of ${names}`,
    drop: "Take back…",
    dropOf: (names: string) => `Take back the change of ${names}`,
    undo: "Undo…",
    undoOf: (what: string) => `Undo: ${what}`,
    takesBack: (change: string) => `This change is taken back: ${change}.`,
    restore: "Restore…",
    restoreOf: (name: string) => `Restore ${name}`,
    bringsBack: (endpoint: string) => `A context that leads to ${endpoint} comes back.`,
    tls: (files: string) => `with ${files}`,
    loading: "Looking…",
    noHistory: "Nothing has been carried over yet",
    noTrash: "The trash is empty",
    noTrashHint: "What is overwritten or deleted is kept here for 30 days.",
    ask: {
      approve: {
        title: (names: string) => `Carry over the change of ${names}?`,
        steps: ["The other side gets what this side has now.", "What it had goes to the trash."],
        submit: "Carry over",
      },
      drop: {
        title: (names: string) => `Take back the change of ${names}?`,
        steps: [
          "The side that changed gets what the other side has.",
          "The change goes to the trash.",
        ],
        submit: "Take back",
      },
      undo: {
        title: (name: string) => `Undo the change of ${name}?`,
        steps: ["Both sides get what was before.", "What they have now goes to the trash."],
        submit: "Undo",
      },
      restore: {
        title: (name: string) => `Restore ${name}?`,
        steps: ["Both sides get it.", "What they have under that name goes to the trash."],
        submit: "Restore",
      },
    },
    failed: {
      setup: "Could not set up the contexts",
      sync: "Could not look at the contexts",
      approve: "Could not carry over the change",
      drop: "Could not take back the change",
      undo: "Could not undo the change",
      restore: "Could not restore the context",
      history: "Could not look at the history",
      trash: "Could not look at the trash",
    },
  },
};
