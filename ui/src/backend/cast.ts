import type { CommandView } from "../generated/CommandView";
import type { AlertView } from "../generated/AlertView";
import type { DoctorReport } from "../generated/DoctorReport";
import type { EngineChoice } from "../generated/EngineChoice";
import type { EngineView } from "../generated/EngineView";
import type { Phase } from "../generated/Phase";
import type { PhaseView } from "../generated/PhaseView";
import type { SessionState } from "../generated/SessionState";
import type { SessionView } from "../generated/SessionView";
import type { Settings } from "../generated/Settings";
import type { ContextsView } from "../generated/ContextsView";
import type { Snapshot } from "../generated/Snapshot";
import type { SyncState } from "../generated/SyncState";
import type { SyncView } from "../generated/SyncView";

/** Who appears in scripts and tests: well-formed views with every field set. */

const GIB = 1024 ** 3;

export const SETTINGS: Settings = {
  max_running: 5,
  memory_budget_bytes: null,
  gateway_port: 8743,
  gateway_names: true,
  image: null,
  memory_bytes: 4 * GIB,
  cpus: 2,
  notifications: true,
  remote_engines: [],
  exposed_engines: {},
  contexts_strict: false,
  contexts_no_sync: [],
  contexts_socket: "unix:///var/run/docker.sock",
};

export const CONTEXTS: ContextsView = {
  state: "off",
  reason: "Docker contexts are not mirrored: it was never set up.",
  hint: "Set it up with `mizzen contexts setup`.",
  host: { path: "/home/ada/.docker", problem: null, current: null },
  container: { path: "/home/ada/.docker-cai", problem: null, current: null },
  contexts: [],
  holds: [],
  polling: null,
  last_change: null,
};

export const ENGINES: EngineChoice[] = [
  {
    name: "default",
    endpoint: "unix:///var/run/docker.sock",
    exposed: null,
    selected_by: "the Docker CLI's default",
    beats: [],
    in_use: true,
    state: "online",
    reason: null,
    hint: null,
    warnings: [],
  },
  {
    name: "lab",
    endpoint: "ssh://ada@lab.example",
    exposed: null,
    selected_by: null,
    beats: [],
    in_use: false,
    state: null,
    reason: null,
    hint: null,
    warnings: [],
  },
  {
    name: "old",
    endpoint: null,
    exposed: null,
    selected_by: null,
    beats: [],
    in_use: false,
    state: null,
    reason: 'the engine "old" at tcp://old:2375 is another machine\'s, without encryption',
    hint: "give the context TLS material",
    warnings: [],
  },
];

export const ENGINE: EngineView = {
  name: "default",
  endpoint: "unix:///var/run/docker.sock",
  selected_by: "the Docker CLI's default",
  beats: [],
  state: "online",
  since: ago(180),
  version: "28.3.1",
  reason: null,
  hint: null,
  cpus: 8,
  memory_bytes: 32 * GIB,
  warnings: [],
};

/** The selected one, in spite of two other choices. */
export const CHOSEN: EngineView = {
  ...ENGINE,
  selected_by: "DOCKER_HOST",
  beats: [
    { by: "DOCKER_CONTEXT", says: "lab" },
    { by: "docker context use", says: "build-box" },
  ],
};

/** Another machine's, beside the selected one. */
export const FAR: EngineView = {
  ...ENGINE,
  name: "build-box",
  endpoint: "tcp://10.0.0.5:2376",
  selected_by: "",
  version: "27.0.3",
  cpus: 1,
  warnings: [
    "Docker 27.0.3 has a hole by which requests pass an authorisation plugin (CVE-2024-41110). Update it.",
  ],
};

/** The same, which cannot be reached. */
export const FAR_AWAY: EngineView = {
  ...FAR,
  state: "offline",
  endpoint: "ssh://ada@build-box",
  version: null,
  reason: "the host key of build-box is not known",
  hint: "connect once by hand, and compare the fingerprint: `ssh ada@build-box`",
  warnings: [],
};

export const START_PHASES: readonly Phase[] = [
  "check",
  "image",
  "container",
  "supervisor",
  "workspace",
  "code_server",
];

const TYPICAL_MS = [14, 41, 312, 186, 22, 874];

export function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

export function phasesDone(): PhaseView[] {
  return START_PHASES.map((phase, at) => ({
    phase,
    state: "done",
    duration_ms: TYPICAL_MS[at] ?? 20,
    message: "",
  }));
}

const ATTENTION: Partial<Record<SessionState, SessionView["attention"]["state"]>> = {
  running: "idle",
  paused: "idle",
  stopped: "offline",
  lost: "stale",
  failed: "error",
};

export function sessionView(name: string, change: Partial<SessionView> = {}): SessionView {
  const state = change.state ?? "running";
  const up = state === "running";
  return {
    name,
    project: `/home/ana/src/${name}`,
    engine: "default",
    state,
    out_of_reach: false,
    reason: null,
    hint: null,
    attention: { state: ATTENTION[state] ?? "working", text: state, since: ago(12) },
    health: up ? "healthy" : "none",
    phase: up ? "idle" : null,
    progress: null,
    phases: phasesDone(),
    services: up ? { "code-server": "running" } : {},
    errors: [],
    warnings: [],
    commands: [],
    freshness: up ? "fresh" : "none",
    clock_ahead: null,
    workspace: "bind",
    sync: null,
    branch: null,
    only_there: null,
    image: "mizzen-session:4f1c09be77d2",
    container_id: state === "creating" ? null : "9b1f0a6c2e7d4b58".repeat(4),
    url: up ? `http://${name}.localhost:8743/` : null,
    limits: { memory_bytes: 4 * GIB, cpus: 2, pids: 4096 },
    cpu_percent: null,
    memory_bytes: null,
    pids: null,
    disk_bytes: null,
    disk_free_bytes: null,
    created_at: ago(60 * 26),
    started_at: up ? ago(47) : null,
    ...change,
  };
}

/** A command that a session was given. */
export function commandView(id: string, change: Partial<CommandView> = {}): CommandView {
  return {
    id,
    command: "npm test",
    state: "running",
    exit_code: null,
    signal: null,
    asked_at: ago(2),
    started_at: ago(2),
    finished_at: null,
    truncated: false,
    left_running: 0,
    error: null,
    ...change,
  };
}

/** A synced workspace in each state. */
export const SYNCED: Record<SyncState, Partial<SyncView>> = {
  starting: { last_cycle: null },
  in_step: {},
  syncing: {
    pending: 2,
    held: "build/out.bin",
    progress: {
      files: 12_340,
      of_files: 20_000,
      bytes: 180_000_000,
      of_bytes: 290_000_000,
      bytes_per_second: 36_000_000,
      seconds_left: 3,
      text: "12 340 of 20 000 files, 172 MiB, 3 s left",
    },
  },
  problems: { problems: 3, withheld: 1 },
  conflicts: { conflicts: 2, problems: 1 },
  halted: {
    reason: "Sync has stopped: 214 of 380 entries would be deleted in the host's folder.",
    hint: "Look at both sides; when that is what you want: mizzen sync flush api --consent",
    needs_consent: true,
  },
  failed: {
    reason: "Sync does not work: `/home/ana/src/api/mizzen.toml`, line 4: `ignore` is no list",
    hint: "Mend the file that is named; sync goes on by itself.",
  },
  paused: {},
  offline: { last_cycle: null },
};

export function syncView(state: SyncState, change: Partial<SyncView> = {}): SyncView {
  return {
    state,
    reason: null,
    hint: null,
    needs_consent: false,
    paused: state === "paused",
    pending: 0,
    held: null,
    conflicts: 0,
    problems: 0,
    withheld: 0,
    tripped: 0,
    tripwire: null,
    polling: null,
    progress: null,
    last_cycle: { at: ago(4), to_host: 3, to_container: 14, deleted: 2, merged: 1 },
    ...SYNCED[state],
    ...change,
  };
}

export function snapshotOf(change: Partial<Snapshot> = {}): Snapshot {
  return {
    revision: 1,
    core: {
      version: "0.1.0",
      pid: 4711,
      started_at: ago(190),
      gateway_port: 8743,
      gateway_problem: null,
    },
    engines: [ENGINE],
    sessions: [],
    alerts: [],
    unmanaged: [],
    contexts: CONTEXTS,
    settings: SETTINGS,
    ...change,
  };
}

export function offline(engine: EngineView): EngineView {
  return {
    ...engine,
    state: "offline",
    since: ago(3),
    version: null,
    reason: "nothing listens at /var/run/docker.sock",
    hint: "start Docker with `sudo systemctl start docker`",
  };
}

export function alertView(id: string, change: Partial<AlertView> = {}): AlertView {
  return {
    id,
    kind: "container_died",
    session: null,
    engine: null,
    message: "The container ended with exit code 137.",
    hint: "Look at the end of its log, then start it again.",
    at: ago(6),
    ...change,
  };
}

export const HEALTHY: DoctorReport = {
  checks: [
    check("engine", "Docker engine", "Docker 28.3.1 answers at unix:///var/run/docker.sock."),
    check("image", "Session image", "mizzen-session:4f1c09be77d2 is there, 1.4 GiB."),
    check("supervisor", "Supervisor", "mizzen-supervisor 0.1.0 for linux/amd64 is in place."),
    check("gateway", "Gateway", "Listens on 127.0.0.1:8743; *.localhost resolves."),
    check("state", "State directory", "/home/ana/.local/state/mizzen can be written."),
    check("tray", "Tray", "A tray host is there."),
  ],
};

export function check(id: string, title: string, message: string): DoctorReport["checks"][number] {
  return { id, title, state: "ok", message, fix: null };
}
