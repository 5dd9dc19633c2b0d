import type { Action } from "../state/actions";
import type { Scope } from "../state/filter";
import type { Freshness } from "../generated/Freshness";
import type { Phase } from "../generated/Phase";
import type { SessionState } from "../generated/SessionState";

/** Sessions: the list and one in detail. */
export const sessionTexts = {
  state: {
    creating: "creating",
    starting: "starting",
    running: "running",
    pausing: "pausing",
    paused: "paused",
    resuming: "resuming",
    stopping: "stopping",
    stopped: "stopped",
    removing: "removing",
    failed: "failed",
    lost: "out of reach",
  } satisfies Record<SessionState, string>,

  phase: {
    check: "Check name, folder and limits",
    image: "Find or build the image",
    container: "Make the container",
    supervisor: "Reach the supervisor",
    workspace: "Check the workspace",
    sync: "Sync the workspace",
    git: "Bring the history",
    code_server: "Wait for code-server",
    stop: "Shut down",
    remove: "Take away",
  } satisfies Record<Phase, string>,

  action: {
    open: "Open code-server",
    start: "Start",
    stop: "Stop",
    pause: "Pause",
    resume: "Resume",
    restart: "Restart",
    remove: "Remove…",
  } satisfies Record<Action, string>,

  /** What an action brings about, said before it is taken. */
  consequence: {
    open: "Opens the editor in your browser, signed in for this session only.",
    start: "Starts the container again, with the files and settings it had.",
    stop: "Ends every process in the container. Files, settings and the container stay.",
    pause: "Freezes every process where it is. Memory stays in use; nothing is lost.",
    resume: "Lets the frozen processes go on where they were.",
    restart: "Stops the container and starts it again. Running processes end.",
    remove: "Takes away the container. Asks first; your project folder is never touched.",
  } satisfies Record<Action, string>,

  forgets: "Takes it off the list. Its engine is out of reach, so its container stays. Asks first.",
  waitsForCodeServer: "code-server does not answer yet.",

  /** Title of a notice: what was tried. */
  failed: {
    open: (name: string) => `Could not open code-server in ${name}`,
    start: (name: string) => `Could not start ${name}`,
    stop: (name: string) => `Could not stop ${name}`,
    pause: (name: string) => `Could not pause ${name}`,
    resume: (name: string) => `Could not resume ${name}`,
    restart: (name: string) => `Could not restart ${name}`,
    remove: (name: string) => `Could not remove ${name}`,
    create: (name: string) => `Could not start ${name}`,
    build: "Could not build the image",
    prune: "Could not remove old images",
    retryEngine: (name: string) => `Engine ${name} still does not answer`,
    dismiss: "Could not put the alert away",
    save: "Could not save the settings",
    startAtLogin: "Could not change the login entry",
    pickFolder: "Could not show the folder chooser",
    logs: "The log cannot be read",
    copy: "Could not copy",
  },

  opened: (name: string) => `code-server of ${name} opens in the browser`,

  list: {
    label: "Sessions",
    newSession: "New session",
    filter: "Filter sessions",
    filterHint: "Filter",
    scopes: "Show",
    scope: { all: "All", active: "Active", attention: "Needs you" } satisfies Record<Scope, string>,
    nothing: "No session matches.",
    clear: "Show all",
    shown: (n: number) => (n === 1 ? "1 session shown" : `${n} sessions shown`),
  },

  detail: {
    label: (name: string) => `Session ${name}`,
    nothing: "Select a session to see how it does.",
    since: (age: string) => `for ${age}`,
    last: (age: string) => `Last report ${age} ago`,
    phases: "Start",
    phasesDone: (time: string) => `Started in ${time}`,
    output: "Build output",
    usage: "Use",
    cpu: "Processor",
    memory: "Memory",
    ofCpus: (cpus: number) => (cpus === 1 ? "of 1 processor" : `of ${cpus} processors`),
    ofMemory: (size: string) => `of ${size}`,
    processes: (n: number, most: number) =>
      `${n === 1 ? "1 process" : `${n} processes`} of ${most} at most`,
    disk: (used: string, free: string) => `Disk: ${used} in use, ${free} free`,
    lastMinutes: "last 2 minutes",
    measuring: "measuring…",
    services: "Services",
    reported: "Reported by the container",
    notice: { error: "Error", warning: "Warning" },
    percent: (share: number) => `${Math.floor(share * 100)} %`,
    facts: "Facts",
    log: "Log",
  },

  fact: {
    folder: "Folder",
    engine: "Engine",
    image: "Image",
    container: "Container",
    limits: "Limits",
    limitsAre: (memory: string, cpus: number, pids: number) =>
      `${memory}, ${cpus} ${cpus === 1 ? "processor" : "processors"}, ${pids} processes`,
    address: "Address",
    health: "Health",
    report: "Report",
    clock: "Clock",
    clockIs: (far: string, isAhead: boolean) =>
      `${far} ${isAhead ? "ahead of" : "behind"} this machine's`,
    created: "Created",
    started: "Last started",
  },

  freshness: {
    none: "nothing heard yet",
    fresh: "up to date",
    stale: "late",
    lost: "silent",
  } satisfies Record<Freshness, string>,

  log: {
    search: "Search the log",
    follow: "Follow",
    matches: (n: number) => (n === 1 ? "1 line" : `${n} lines`),
    empty: "Nothing logged yet.",
    noMatch: "No line matches.",
    ended: "The container does not run. This is the end of its log.",
  },
};
