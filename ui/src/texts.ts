import type { Action } from "./state/actions";
import type { NameProblem } from "./state/name";
import type { DraftField } from "./state/settings";
import type { Scope } from "./state/filter";
import type { SyncAction } from "./state/sync";
import type { AlertKind } from "./generated/AlertKind";
import type { CheckState } from "./generated/CheckState";
import type { Freshness } from "./generated/Freshness";
import type { Phase } from "./generated/Phase";
import type { SessionState } from "./generated/SessionState";
import type { SyncState } from "./generated/SyncState";
import type { WorkspaceKind } from "./generated/WorkspaceKind";

/** Every word the window says by itself. A translation is another object of this shape. */
export const texts = {
  product: "Mizzen",
  loading: "Loading sessions",
  cancel: "Cancel",
  close: "Close",
  copy: "Copy",
  copied: "Copied",
  dismiss: "Dismiss",
  retry: "Try again",
  back: "Back to the list",
  none: "none",

  nav: {
    label: "Views",
    sessions: "Sessions",
    alerts: "Alerts",
    settings: "Settings",
    doctor: "Doctor",
    help: "Keyboard",
    alertCount: (n: number) => (n === 1 ? "1 alert" : `${n} alerts`),
  },

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
  forgets: "Takes it off the list. Its engine is not in use, so its container stays. Asks first.",
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
    lastMinutes: "last 2 minutes",
    measuring: "measuring…",
    services: "Services",
    warnings: "Reported by the container",
    facts: "Facts",
    log: "Log",
  },

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
    conflictsHint: (name: string) =>
      `See them with \`mizzen sync conflicts ${name}\`, and decide with \`mizzen sync resolve\`; or make both sides alike there.`,
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
      polling: (why: string) => `Everything is looked at from time to time: ${why}`,
    },
    action: {
      flush: "Sync now",
      pause: "Pause sync",
      resume: "Resume sync",
      agree: "Agree and go on…",
    } satisfies Record<SyncAction, string>,
    consequence: {
      flush: "Looks at all of both sides now, and carries what is to be carried.",
      pause: "Carries nothing until you resume, also after a restart.",
      resume: "Looks at all of both sides, and carries what changed meanwhile.",
      agree: "Carries what sync had stopped for. Asks first.",
    } satisfies Record<SyncAction, string>,
    failed: {
      flush: (name: string) => `Could not sync ${name}`,
      pause: (name: string) => `Could not pause sync of ${name}`,
      resume: (name: string) => `Could not resume sync of ${name}`,
      agree: (name: string) => `Could not go on with sync of ${name}`,
    } satisfies Record<SyncAction, (name: string) => string>,
  },

  agree: {
    title: (name: string) => `Go on with sync of ${name}?`,
    will: "What will happen",
    steps: (name: string) => [
      "Folder and container are looked at again.",
      "All that one side has changed or deleted is done on the other, also what sync had stopped for.",
      `What is deleted or overwritten goes to the trash of its side first; \`mizzen sync history ${name}\` finds it again.`,
    ],
    otherwise:
      "If this was not meant, cancel and put back what is missing: sync then goes on by itself.",
    submit: "Agree and go on",
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

  create: {
    title: "New session",
    folder: "Project folder",
    folderHint: {
      bind: "The agent works on this folder itself.",
      sync: "The agent works on a copy that is kept in step with this folder.",
    } satisfies Record<WorkspaceKind, string>,
    choose: "Choose…",
    folderProblem: "Give the whole path, from the root.",
    name: "Name",
    nameHint: (host: string) => `Its address will be ${host}`,
    workspace: "Workspace",
    workspaceKind: { bind: "The folder itself", sync: "A copy, kept in step" } satisfies Record<
      WorkspaceKind,
      string
    >,
    workspaceHint: {
      bind: "Mounted into the container: one set of files, and each change is there at once.",
      sync: "Changes go both ways. What git ignores, .git itself, keys and tokens stay on your side.",
    } satisfies Record<WorkspaceKind, string>,
    more: "Image and limits",
    image: "Image",
    imageOwn: "Mizzen's own",
    memory: "Memory",
    memoryUnit: "GiB",
    memoryProblem: "A number from 0.25 to 4096.",
    cpus: "Processors",
    cpusProblem: "A number from 0.1 to 512.",
    submit: "Start session",
    plan: "What will happen",
    planImage: "Mizzen's image is used. The first time it is built, which takes some minutes.",
    planOtherImage: (image: string) => `The image ${image} is used. Mizzen adds its supervisor.`,
    planFolder: {
      bind: (folder: string) =>
        `${folder} is mounted at /workspace. What the agent changes there, changes on your disk.`,
      sync: (folder: string) =>
        `${folder} is copied to a volume at /workspace and kept in step with it. What the agent changes there is carried to your disk.`,
    } satisfies Record<WorkspaceKind, (folder: string) => string>,
    planNoFolder: "Your folder",
    planLimits: (memory: string, cpus: string) =>
      `The container may use ${memory} of memory and ${cpus} processors. It runs as the folder's owner, never as root.`,
    planNet: "Nothing is published on the network. code-server opens through Mizzen's own gateway.",
    full: (max: number) =>
      `${max} sessions are active, which is the limit. Stop one, or raise “sessions at once” in Settings.`,
    working: "Checking…",
  },

  nameProblem: {
    empty: "A session needs a name.",
    too_long: "At most 63 characters.",
    malformed: "Letters, digits, “_”, “.” and “-”; a letter or digit at both ends.",
    reserved: "This name is reserved.",
    taken: "Another session has this name.",
  } satisfies Record<NameProblem, string>,

  remove: {
    title: (name: string) => `Remove ${name}?`,
    goes: "Goes",
    goesWhat: "Its container, its network and its status files.",
    goesHere: "Its status files, and what Mizzen knows of it.",
    stays: "Stays",
    staysWhat: (folder: string) => `${folder}, with all that is in it.`,
    outOfUse: (engine: string) => `Its engine ${engine} is not in use.`,
    outOfUseWhat:
      "Its container stays there, with its network and volumes, and runs on if it runs now. Mizzen does not take it over again.",
    running: "It is active. It is stopped first, and every process in it ends.",
    staysVolume:
      "The volume with its workspace. A new session of this name and folder goes on with it.",
    volumes: "Also delete its volumes",
    volumesHint: {
      bind: "Settings and logins kept in the session's home. They cannot be brought back.",
      sync: "Settings and logins kept in the session's home, and the workspace in the container. They cannot be brought back.",
    } satisfies Record<WorkspaceKind, string>,
    notCarried: "The workspace may hold what is not in your folder.",
    notCarriedHint: "What was not carried there goes with the volume.",
    submit: "Remove session",
  },

  alerts: {
    title: "Alerts",
    none: "All quiet",
    noneHint:
      "When a container dies, runs out of memory or goes silent, it is said here and as a notification.",
    show: (name: string) => `Show ${name}`,
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
    } satisfies Record<AlertKind, string>,
  },

  settings: {
    title: "Settings",
    sessions: "Sessions",
    newSessions: "New sessions",
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

  engine: {
    connecting: (name: string) => `Connecting to engine ${name}…`,
    offline: (name: string) => `Engine ${name} does not answer`,
    offlineSince: (at: string) => `since ${at}`,
    retry: "Try now",
    checks: "Run checks",
    online: (version: string) => `Docker ${version}`,
    state: { connecting: "connecting", online: "online", offline: "offline" },
  },

  link: {
    lost: "No connection to Mizzen's core",
    lostHint: "What you see may be out of date. The window goes on trying.",
    failed: "Mizzen's core does not answer",
  },

  firstRun: {
    title: "Give an agent a room of its own",
    lead: "A session is a container round one project folder: the agent works in there, with its own tools and limits, and you look in through code-server.",
    engine: "A Docker engine answers",
    engineOnline: (version: string, endpoint: string) => `Docker ${version} at ${endpoint}`,
    engineMissing: "Mizzen needs Docker. Install or start it, then try again.",
    image: "The session image",
    imageHint:
      "Built once from a Debian base: git, Node.js, code-server and an agent. It can be built now, or with the first session.",
    imageBuilding: "Building. You may close the window meanwhile.",
    imageReady: "The image is there.",
    build: "Build it now",
    session: "Your first session",
    sessionHint: "Choose a project folder. Everything else has a sensible default.",
    create: "Start a session…",
    stepDone: "done",
    stepNow: "next",
    stepWaits: "waits",
  },

  help: {
    title: "Keyboard",
    keys: [
      [["↑", "↓"], "Move through the sessions"],
      [["Home", "End"], "First and last session"],
      [["Enter"], "Go to the session's details"],
      [["Esc"], "Back to the list, close a dialog, clear the filter"],
      [["/"], "Filter"],
      [["N"], "New session"],
      [["O"], "Open code-server of the selected session"],
      [["1", "…", "4"], "Sessions, Alerts, Settings, Doctor"],
      [["?"], "This page"],
    ] as readonly (readonly [readonly string[], string])[],
  },
};
