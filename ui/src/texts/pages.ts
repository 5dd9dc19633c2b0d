import type { DraftField } from "../state/settings";
import type { AlertKind } from "../generated/AlertKind";
import type { CheckState } from "../generated/CheckState";

/** The other pages. */
export const pagesTexts = {
  alerts: {
    title: "Alerts",
    none: "All quiet",
    noneHint:
      "When a container dies, runs out of memory or goes silent, it is said here and as a notification.",
    show: (name: string) => `Show ${name}`,
    contexts: "Show contexts",
    start: "Start again",
    retryEngine: "Try now",
    checks: "Run checks",
    unmanaged: "Containers Mizzen leaves alone",
    unmanagedHint:
      "They wear Mizzen's labels, but are not in its records. Nothing is done to them.",
    kind: {
      container_died: "Container ended",
      out_of_memory: "Out of memory",
      unhealthy: "Unhealthy",
      engine_offline: "Engine offline",
      status_stale: "Silent",
      container_gone: "Container gone",
      gateway_down: "Gateway down",
      sync_halted: "Sync stopped",
      sync_conflicts: "Sync conflicts",
      sync_tripwire: "Changed what tools run",
      history_stays: "Git history waits",
      reported_errors: "Reports an error",
      reported_warnings: "Reports a warning",
      context_changed: "Docker context changed",
      contexts_held: "Docker contexts wait",
      contexts_damaged: "Docker contexts damaged",
    } satisfies Record<AlertKind, string>,
  },

  settings: {
    title: "Settings",
    sessions: "Sessions",
    newSessions: "New sessions",
    contexts: "Docker contexts",
    contextsStrict: "Ask before a container leads them elsewhere",
    contextsStrictHint:
      "Deletions in a container, and changes of an address or of keys, wait for you (contexts_strict).",
    contextsNoSync: "Not mirrored",
    contextsNoSyncHint: "Names of contexts that stay on their side, with commas between them.",
    contextsSocket: "Socket in containers",
    contextsSocketHint: "Where containai-docker leads in a container.",
    desktop: "Desktop",
    maxRunning: "Sessions at once",
    maxRunningHint: "How many may be active together (max_running).",
    memoryBudget: "Memory for all sessions",
    memoryBudgetHint: "The most that active sessions are promised together. Empty: no limit.",
    gateway: "Gateway",
    gatewayPort: "Port",
    gatewayPortHint: (port: number | null) =>
      port === null
        ? "The next free one is taken when it is in use. A change counts when Mizzen starts again."
        : `In use now: ${port}. A change counts when Mizzen starts again.`,
    gatewayNames: "Addresses by name",
    gatewayNamesHint:
      "Sessions open at NAME.localhost. Switch off when your browser does not find that: then each opens at 127.0.0.1 on a port of its own.",
    image: "Image",
    imageHint: "Leave empty for Mizzen's own.",
    memory: "Memory",
    cpus: "Processors",
    notifications: "Notifications",
    notificationsHint: "Say when a container dies, runs out of memory or goes silent.",
    startAtLogin: "Start at login",
    startAtLoginHint: "Mizzen waits in the tray. Sessions are not started by it.",
    save: "Save",
    revert: "Undo changes",
    unsaved: "Not saved yet",
    saved: "Saved",
    problem: {
      maxRunning: "A whole number from 1 to 1000.",
      memoryBudgetGib: "A number from 0.25 to 4096, or nothing.",
      gatewayPort: "A port from 1024 to 65535.",
      memoryGib: "A number from 0.25 to 4096.",
      cpus: "A number from 0.1 to 512.",
      contextsSocket: "An address like unix:///var/run/docker.sock.",
    } satisfies Record<DraftField, string>,
  },

  image: {
    title: "Session image",
    rebuild: "Build it again",
    rebuildHint: "Takes some minutes. Sessions get it when their container is made anew.",
    rebuildNow: "Build",
    building: "Building…",
    prune: "Remove old images",
    pruneHint: "Those that are out of date and that no container uses.",
    pruneNow: "Remove",
    offline: "No engine answers.",
  },

  doctor: {
    title: "Doctor",
    rerun: "Check again",
    running: "Checking…",
    failed: "The checks could not be run",
    fix: "To fix it",
    copyReport: "Copy report",
    allWell: "Everything Mizzen needs is there.",
    warnings: (n: number) =>
      n === 1 ? "All works. One thing could be better." : `All works. ${n} things could be better.`,
    problems: (n: number) => (n === 1 ? "One thing needs you." : `${n} things need you.`),
    state: { ok: "fine", warning: "could be better", problem: "needs you" } satisfies Record<
      CheckState,
      string
    >,
  },
};
