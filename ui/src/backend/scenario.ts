import type { CommandView } from "../generated/CommandView";
import type { ContextsView } from "../generated/ContextsView";
import type { DoctorReport } from "../generated/DoctorReport";
import type { EngineChoice } from "../generated/EngineChoice";
import type { EngineView } from "../generated/EngineView";
import type { SessionState } from "../generated/SessionState";
import type { SessionView } from "../generated/SessionView";
import type { Snapshot } from "../generated/Snapshot";
import type { SyncState } from "../generated/SyncState";
import {
  ago,
  alertView,
  CHOSEN,
  commandView,
  CONTEXTS,
  ENGINE,
  FAR,
  FAR_AWAY,
  ENGINES,
  HEALTHY,
  offline,
  phasesDone,
  sessionView,
  snapshotOf,
  SYNCED,
  syncView,
} from "./cast";
import { DAMAGED, HALTED, HELD, IN_STEP } from "./castContexts";
import { byName } from "../state/order";

/** What the scripted backend starts from, as told by the address: `?sessions=50&engine=offline`. */
export interface Scenario {
  readonly snapshot: Snapshot;
  readonly doctor: DoctorReport;
  /** Engines to choose from: `?engines=3`. */
  readonly engines: EngineChoice[];
  /** Time between two steps of a script. */
  readonly paceMs: number;
  /** Sessions that change per second by themselves. */
  readonly churn: number;
  /** Cycles that the workspace of the first session has behind it. */
  readonly cycles: number;
  /** The snapshot never comes, or fails. */
  readonly snapshotIs: "there" | "late" | "broken";
}

export function scenarioOf(search: string): Scenario {
  const asked = new URLSearchParams(search);
  const count = Number(asked.get("sessions") ?? 8);
  const isOffline = asked.get("engine") === "offline";
  const isElsewhere = asked.get("engine") === "elsewhere";
  const lost = isOffline ? offlineWith : isElsewhere ? outOfReach : null;
  const some = synced(cast(count), asked.get("sync"), Number(asked.get("conflicts") ?? 2));
  const sessions = lost ? some.map(lost) : some;
  const engine = isOffline ? offline(ENGINE) : asked.get("engine") === "two" ? CHOSEN : ENGINE;
  const quiet = count < 5 && !isOffline;
  const state = asked.get("snapshot");
  return {
    snapshot: snapshotOf({
      sessions,
      engines: [...farOf(asked.get("engine")), engine],
      contexts: contextsOf(asked.get("contexts")),
      alerts: quiet ? [] : alertsOf(sessions, isOffline),
      unmanaged: quiet ? [] : [UNMANAGED],
    }),
    doctor: doctorOf(asked, isOffline),
    engines: ENGINES.slice(0, Number(asked.get("engines") ?? 1)),
    paceMs: Number(asked.get("pace") ?? 700),
    cycles: Number(asked.get("cycles") ?? 24),
    churn: Number(asked.get("churn") ?? 0),
    snapshotIs: state === "late" || state === "broken" ? state : "there",
  };
}

function farOf(asked: string | null): EngineView[] {
  if (asked === "far-offline") return [FAR_AWAY];
  return asked === "two" ? [FAR] : [];
}

function doctorOf(asked: URLSearchParams, isOffline: boolean): DoctorReport {
  if (isOffline || asked.get("doctor") === "ill") return ILL;
  return asked.get("image") === "missing" ? WITHOUT_IMAGE : HEALTHY;
}

function contextsOf(state: string | null): ContextsView {
  const known = { in_step: IN_STEP, held: HELD, halted: HALTED, damaged: DAMAGED };
  return Object.entries(known).find(([name]) => name === state)?.[1] ?? CONTEXTS;
}

const SYNC_STATES = Object.keys(SYNCED) as SyncState[];

/** The first session's workspace is synced, and stands so. */
function synced(sessions: SessionView[], state: string | null, conflicts: number): SessionView[] {
  const found = SYNC_STATES.find((known) => known === state);
  if (!found) return sessions;
  const change = SYNCED[found].conflicts ? { conflicts } : {};
  return sessions.map((session, at) =>
    at === 0 ? { ...session, workspace: "sync", sync: syncView(found, change) } : session,
  );
}

const NAMES = ["api", "billing", "docs", "infra", "mobile", "notes-app", "search", "web-shop"];

function cast(count: number): SessionView[] {
  const views = Array.from({ length: count }, (_, at) => {
    const round = Math.floor(at / NAMES.length);
    const name = `${NAMES[at % NAMES.length]}${round === 0 ? "" : `-${round + 1}`}`;
    return role(name, at);
  });
  return views.sort((a, b) => byName(a.name, b.name));
}

const ROLES: readonly SessionState[] = [
  "running",
  "failed",
  "stopped",
  "running",
  "paused",
  "stopped",
  "starting",
  "running",
];

function role(name: string, at: number): SessionView {
  if (at === 1) return KILLED(name);
  if (at === 3) return silent(name);
  if (at === 7) return busy(name);
  const part = ROLES[at % ROLES.length] ?? "stopped";
  if (part === "starting") return at < 8 ? building(name) : sessionView(name, { state: "stopped" });
  if (part === "failed") return sessionView(name, { state: "stopped" });
  return sessionView(name, { state: part });
}

const KILLED = (name: string) =>
  sessionView(name, {
    state: "failed",
    reason: "The kernel killed it: its memory limit of 4 GiB was reached.",
    hint: "Give it more memory in a new session, or run fewer processes in it, then start it again.",
    attention: { state: "error", text: "Out of memory", since: ago(6) },
  });

const silent = (name: string) =>
  sessionView(name, {
    freshness: "stale",
    attention: { state: "stale", text: "No report for 40 s", since: ago(1) },
    services: { "code-server": "running" },
    warnings: ["git: the repository has no upstream for branch main"],
  });

const COMMANDS = [
  commandView("x6", { command: "npm run lint", state: "waiting", started_at: null }),
  commandView("x5", { command: "npm test -- --coverage --reporter=verbose", state: "running" }),
  ended("x4", "npm run build", { state: "failed", exit_code: 2 }),
  ended("x3", "make check; make docs", {
    state: "rejected",
    started_at: null,
    error: "`make check; make docs` is not installed in this container",
  }),
  ended("x2", "git status --short", { state: "succeeded", exit_code: 0, truncated: true }),
  ended("x1", "npm install", { state: "interrupted", finished_at: null }),
  ended("x0", "bin/serve --daemon", { state: "killed", signal: 15, left_running: 2 }),
];

function ended(id: string, command: string, change: Partial<CommandView>): CommandView {
  return commandView(id, { command, started_at: ago(9), finished_at: ago(8), ...change });
}

const busy = (name: string) =>
  sessionView(name, {
    phase: "testing",
    progress: { current: 142, total: 310, message: "Running the test suite" },
    attention: { state: "working", text: "testing: Running the test suite, 45 %", since: ago(2) },
    services: { "code-server": "running", database: "running", redis: "starting" },
    warnings: ["Low disk space: 90 % used"],
    commands: COMMANDS,
  });

const building = (name: string) =>
  sessionView(name, {
    state: "starting",
    attention: { state: "working", text: "Building the image", since: ago(2) },
    progress: { current: 7, total: 14, message: "Step 7/14 : RUN install-code-server 4.96.2" },
    phases: [
      { phase: "check", state: "done", duration_ms: 14, message: "" },
      {
        phase: "image",
        state: "active",
        duration_ms: null,
        message: "Step 7/14 : RUN install-code-server 4.96.2",
      },
    ],
    container_id: null,
    url: null,
    started_at: null,
  });

function offlineWith(session: SessionView): SessionView {
  return sessionView(session.name, {
    state: "lost",
    reason: "Its engine does not answer.",
    hint: "start Docker with `sudo systemctl start docker`",
    attention: { state: "stale", text: "Engine offline", since: ago(3) },
    phases: phasesDone(),
  });
}

function outOfReach(session: SessionView): SessionView {
  const reason =
    "The name `pi` leads to another engine now. What this session has is on the one that it was made on.";
  return sessionView(session.name, {
    engine: "pi",
    state: "lost",
    out_of_reach: true,
    reason,
    hint: `Lead it back there (docker context inspect), or forget the session: mizzen rm --force ${session.name}`,
    attention: { state: "error", text: reason, since: ago(3) },
    phases: [],
  });
}

function alertsOf(sessions: readonly SessionView[], isOffline: boolean) {
  if (isOffline) {
    return [
      alertView("engine:default", {
        kind: "engine_offline",
        engine: "default",
        message: "Engine default does not answer: nothing listens at /var/run/docker.sock.",
        hint: "start Docker with `sudo systemctl start docker`",
        at: ago(3),
      }),
    ];
  }
  const failed = sessions.find(({ state }) => state === "failed");
  const stale = sessions.find(({ freshness }) => freshness === "stale");
  return [
    ...(stale
      ? [
          alertView(`stale:${stale.name}`, {
            kind: "status_stale",
            session: stale.name,
            message: `${stale.name} has reported nothing for 40 seconds.`,
            hint: "Open it and see whether it is busy; restart it when it stays silent.",
            at: ago(1),
          }),
        ]
      : []),
    ...(failed
      ? [
          alertView(`oom:${failed.name}`, {
            kind: "out_of_memory",
            session: failed.name,
            message: `${failed.name} was killed by the kernel: its memory limit of 4 GiB was reached.`,
            hint: "Give it more memory, or run fewer processes in it, then start it again.",
          }),
        ]
      : []),
  ];
}

const UNMANAGED = {
  engine: "default",
  container_id: "c0ffee5eed".repeat(6),
  name: "mizzen-old-spike",
  session: "old-spike",
  reason: "its nonce is not in the registry",
};

const ILL: DoctorReport = {
  checks: HEALTHY.checks.map((check) => {
    if (check.id === "engine") {
      return {
        ...check,
        state: "problem",
        message: "Nothing listens at /var/run/docker.sock.",
        fix: "start Docker with `sudo systemctl start docker`",
      };
    }
    if (check.id !== "tray") return check;
    return {
      ...check,
      state: "warning",
      message: "No tray host answers, so Mizzen lives in its window.",
      fix: "install the AppIndicator extension of your desktop",
    };
  }),
};

const WITHOUT_IMAGE: DoctorReport = {
  checks: HEALTHY.checks.map((check) =>
    check.id === "image" ? { ...check, state: "warning", message: "it is not built yet" } : check,
  ),
};
