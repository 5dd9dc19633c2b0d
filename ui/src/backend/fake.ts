import type { ApiError } from "../generated/ApiError";
import type { Change } from "../generated/Change";
import type { CommandView } from "../generated/CommandView";
import type { ContextsAnswer } from "../generated/ContextsAnswer";
import type { ContextsQuestion } from "../generated/ContextsQuestion";
import type { EngineChoice } from "../generated/EngineChoice";
import type { ErrorCode } from "../generated/ErrorCode";
import type { ExecParams } from "../generated/ExecParams";
import type { LogLine } from "../generated/LogLine";
import type { Outcome } from "../generated/Outcome";
import type { SessionState } from "../generated/SessionState";
import type { SessionView } from "../generated/SessionView";
import type { Snapshot } from "../generated/Snapshot";
import type { SyncAnswer } from "../generated/SyncAnswer";
import type { SyncFlushParams } from "../generated/SyncFlushParams";
import type { SyncQuestion } from "../generated/SyncQuestion";
import type { UpParams } from "../generated/UpParams";
import type { Verb } from "../generated/Verb";
import { foldAll, modelOf, type Model } from "../state/reduce";
import { commandView, phasesDone, sessionView, START_PHASES, syncView } from "./cast";
import { FakeContexts } from "./fakeContexts";
import { FakeWorkspace } from "./fakeSync";
import type { Backend, Listener, Stop } from "./backend";
import { scenarioOf, type Scenario } from "./scenario";

/** Everything the window asked for that leaves no trace in the snapshot. For tests. */
export interface Trace {
  readonly opened: string[];
  readonly verbs: Verb[];
  snapshots: number;
  looking: string | null;
  ready: boolean;
}

/**
 * A core without engine and containers: verbs play short scripts. Its state changes only by the
 * events it sends, so the window sees what a client of the real core would see.
 */
export class FakeBackend implements Backend {
  readonly trace: Trace = { opened: [], verbs: [], snapshots: 0, looking: null, ready: false };
  folder: string | null = "/home/ana/src/fresh-idea";
  snapshotIs: Scenario["snapshotIs"];
  /** Answers about the first session's workspace. */
  readonly workspace: FakeWorkspace;
  /** Answers about Docker contexts. */
  readonly contexts = new FakeContexts();
  #atLogin = false;
  #model: Model;
  #listener: Listener | undefined;
  #verbs = 0;

  constructor(private readonly scenario: Scenario) {
    this.snapshotIs = scenario.snapshotIs;
    this.#model = modelOf(scenario.snapshot);
    const conflicts = scenario.snapshot.sessions[0]?.sync?.conflicts ?? 0;
    this.workspace = new FakeWorkspace(conflicts, scenario.cycles);
    if (scenario.churn > 0) setInterval(() => this.#churn(), 1000 / scenario.churn);
  }

  // --- What the window calls ---

  async listen(listener: Listener): Promise<Stop> {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }

  async uiReady(): Promise<void> {
    this.trace.ready = true;
  }

  async snapshot(): Promise<Snapshot> {
    this.trace.snapshots += 1;
    if (this.snapshotIs === "late") await new Promise(() => {});
    if (this.snapshotIs === "broken") {
      throw fault(
        "core_unreachable",
        "The core's socket refuses connections.",
        "Start Mizzen again.",
      );
    }
    return this.#model.snapshot;
  }

  async run(verb: Verb): Promise<Outcome> {
    this.trace.verbs.push(verb);
    this.#verbs += 1;
    switch (verb.verb) {
      case "up":
        return this.#up(verb);
      case "start":
        return this.#comeUp(this.#find(verb.session));
      case "restart":
        await this.#pass(this.#find(verb.session), "stopping", "stopped");
        return this.#comeUp(this.#find(verb.session));
      case "stop":
        return this.#pass(this.#find(verb.session), "stopping", "stopped");
      case "pause":
        return this.#pass(this.#find(verb.session), "pausing", "paused");
      case "resume":
        return this.#pass(this.#find(verb.session), "resuming", "running");
      case "remove": {
        await this.#pass(this.#find(verb.session), "removing", "removing");
        this.emit({ kind: "session_removed", name: verb.session });
        return { message: `${verb.session} is removed`, session: null };
      }
      case "sync_flush":
        return this.#flush(verb);
      case "sync_pause":
      case "sync_resume": {
        const paused = verb.verb === "sync_pause";
        this.#pauseSync(verb.session, paused);
        const message = `Sync of session \`${verb.session}\` is ${paused ? "" : "not "}paused.`;
        return { message, session: this.#find(verb.session) };
      }
      case "git_fetch":
        await this.#step();
        return {
          message: "There is nothing new to fetch.",
          session: this.#find(verb.session),
        };
      case "exec":
        return this.#exec(verb);
      case "cancel_command":
        await this.#step();
        this.#ends(verb.session, verb.id, { state: "killed", signal: 15 });
        return {
          message: `The command \`${verb.id}\` is being cancelled.`,
          session: this.#find(verb.session),
        };
      case "build_image":
        await this.#build(null);
        return { message: "Built mizzen-session:3f1b0c5d7e2a.", session: null };
      case "prune_images":
        await this.#step();
        return { message: "Removed 2 images.", session: null };
      case "retry_engine":
        await this.#step();
        throw fault(
          "engine_unreachable",
          "nothing listens at /var/run/docker.sock",
          "Start Docker.",
        );
      case "dismiss_alert":
        this.emit({ kind: "alert_cleared", id: verb.id });
        return { message: "the alert is put away", session: null };
      case "save_settings":
        this.emit({ kind: "settings", settings: verb.settings });
        return { message: "settings are saved", session: null };
    }
  }

  async engines(): Promise<EngineChoice[]> {
    return this.scenario.engines;
  }

  async askContexts(question: ContextsQuestion): Promise<ContextsAnswer> {
    await this.#step();
    const answer = this.contexts.answer(question, this.#model.snapshot.contexts);
    if ("done" in answer) this.emit({ kind: "contexts", contexts: answer.done.contexts });
    return answer;
  }

  async askSync(name: string, question: SyncQuestion): Promise<SyncAnswer> {
    await this.#step();
    const session = this.#find(name);
    if (session.sync?.state === "offline" || session.state !== "running") {
      throw fault("state", `session \`${name}\` does not run`, `start it: mizzen start ${name}`);
    }
    const answer = this.workspace.answer(question);
    const conflicts = this.workspace.conflicts.length;
    if (session.sync && session.sync.conflicts !== conflicts) {
      const state = conflicts > 0 ? "conflicts" : session.sync.paused ? "paused" : "in_step";
      this.change(name, { sync: { ...session.sync, state, conflicts } });
    }
    return answer;
  }

  async openSession(session: string): Promise<void> {
    this.trace.opened.push(session);
  }

  async doctor() {
    await this.#step();
    return this.scenario.doctor;
  }

  async followLogs(_session: string, onLines: (lines: LogLine[]) => void): Promise<Stop> {
    onLines(Array.from({ length: 60 }, (_, at) => logLine(at)));
    let at = 60;
    const timer = setInterval(() => onLines([logLine(at++)]), this.scenario.paceMs * 3);
    return () => clearInterval(timer);
  }

  async followOutput(
    session: string,
    id: string,
    onLines: (lines: LogLine[]) => void,
  ): Promise<Stop> {
    await this.#step();
    const command = this.#find(session).commands.find((command) => command.id === id);
    const text = command?.started_at ? OUTPUT : [];
    onLines(text.map((text) => ({ at: null, is_error: false, text })));
    return () => {};
  }

  #gauge: ReturnType<typeof setInterval> | undefined;

  async look(session: string | null): Promise<void> {
    this.trace.looking = session;
    clearInterval(this.#gauge);
    if (session === null) return;
    this.#measure(session);
    this.#gauge = setInterval(() => this.#measure(session), 1000);
  }

  async pickFolder(): Promise<string | null> {
    return this.folder;
  }

  async startAtLogin(): Promise<boolean> {
    return this.#atLogin;
  }

  async setStartAtLogin(on: boolean): Promise<void> {
    this.#atLogin = on;
  }

  // --- What a script or a test calls ---

  /** Changes the state and tells the window, unless `lost`: then the number is missed. */
  emit(change: Change, delivery: "told" | "lost" = "told"): void {
    const revision = this.#model.snapshot.revision + 1;
    const event = { revision, at: new Date().toISOString(), change };
    this.#model = foldAll(this.#model, [event]).model;
    if (delivery === "told") this.#listener?.event(event);
  }

  change(name: string, change: Partial<SessionView>, delivery: "told" | "lost" = "told"): void {
    this.emit({ kind: "session", session: { ...this.#find(name), ...change } }, delivery);
  }

  get listener(): Listener | undefined {
    return this.#listener;
  }

  // --- Scripts ---

  #find(name: string): SessionView {
    const found = this.#model.snapshot.sessions.find((session) => session.name === name);
    if (!found) throw fault("not_found", `There is no session ${name}.`, "Look at the list.");
    return found;
  }

  #step(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.scenario.paceMs));
  }

  async #pass(session: SessionView, by: SessionView["state"], to: SessionView["state"]) {
    this.change(session.name, { state: by });
    await this.#step();
    const { phases } = session;
    this.emit({
      kind: "session",
      session: sessionView(session.name, { ...own(session, to), phases }),
    });
    return { message: `${session.name} is ${to}`, session: this.#find(session.name) };
  }

  async #flush({ session, consent }: SyncFlushParams): Promise<Outcome> {
    const { sync } = this.#find(session);
    await this.#step();
    if (sync?.needs_consent && !consent) {
      throw fault("needs_person", sync.reason ?? "", sync.hint ?? "");
    }
    if (sync?.conflicts) {
      return {
        message: `Not all is in step: ${sync.conflicts} in conflict.`,
        session: this.#find(session),
      };
    }
    this.change(session, { sync: syncView("in_step") });
    return { message: "In step: 14 changed in the container.", session: this.#find(session) };
  }

  /** A pause shows as the state where nothing else stands out. */
  #pauseSync(name: string, paused: boolean): void {
    const sync = this.#find(name).sync ?? syncView("in_step");
    const stands = sync.state === "conflicts" || sync.state === "halted" || sync.state === "failed";
    const state = stands ? sync.state : paused ? "paused" : "in_step";
    this.change(name, { sync: { ...sync, state, paused } });
  }

  async #exec({ session, id, argv }: ExecParams): Promise<Outcome> {
    await this.#step();
    const command = commandView(id, { command: argv.join(" "), state: "waiting" });
    this.change(session, { commands: [command, ...this.#find(session).commands] });
    return {
      message: `Session \`${session}\` has the command \`${id}\`.`,
      session: this.#find(session),
    };
  }

  #ends(session: string, id: string, end: Partial<CommandView>): void {
    const commands = this.#find(session).commands.map((command) =>
      command.id === id ? { ...command, ...end, finished_at: new Date().toISOString() } : command,
    );
    this.change(session, { commands });
  }

  async #up(params: UpParams): Promise<Outcome> {
    await this.#step();
    if (params.dir.startsWith("/root")) {
      throw fault(
        "policy",
        `${params.dir} belongs to root, and sessions never run as root.`,
        `make it yours with \`chown -R 1000:1000 ${params.dir}\``,
      );
    }
    const name = params.name ?? "session";
    const workspace = params.workspace ?? "sync";
    const made = { project: params.dir, state: "creating", workspace } as const;
    return this.#comeUp(sessionView(name, made));
  }

  async #comeUp(session: SessionView): Promise<Outcome> {
    const base = own(session, "starting");
    for (const [at, phase] of START_PHASES.entries()) {
      const phases = [
        ...phasesDone().slice(0, at),
        { phase, state: "active" as const, duration_ms: null, message: "" },
      ];
      this.emit({ kind: "session", session: sessionView(session.name, { ...base, phases }) });
      await (phase === "image" ? this.#build(session.name) : this.#step());
    }
    this.emit({
      kind: "session",
      session: sessionView(session.name, {
        ...own(session, "running"),
        started_at: new Date().toISOString(),
      }),
    });
    return { message: `${session.name} is running`, session: this.#find(session.name) };
  }

  async #build(session: string | null): Promise<void> {
    const verb_id = this.#verbs;
    for (const [at, line] of BUILD.entries()) {
      const message = `Step ${at + 1}/${BUILD.length} : ${line}`;
      this.emit({
        kind: "progress",
        progress: { verb_id, session, phase: "image", state: "active", message },
      });
      await this.#step();
    }
  }

  #measure(name: string): void {
    const session = this.#model.snapshot.sessions.find((view) => view.name === name);
    if (session?.state !== "running") return;
    const wave = Math.sin(Date.now() / 4000) * 30 + Math.random() * 24;
    const memory_bytes = Math.round((1.3 + Math.sin(Date.now() / 20_000) * 0.3) * 1024 ** 3);
    const disk = { disk_bytes: 41 * 2 ** 30, disk_free_bytes: 187 * 2 ** 30 };
    this.change(name, { cpu_percent: Math.max(1, 38 + wave), memory_bytes, pids: 23, ...disk });
  }

  #churn(): void {
    const { sessions } = this.#model.snapshot;
    const session = sessions[Math.floor(Math.random() * sessions.length)];
    if (!session) return;
    const state = session.state === "running" ? "stopped" : "running";
    this.emit({ kind: "session", session: sessionView(session.name, { state }) });
  }
}

/** What a session keeps when its state changes. */
function own(session: SessionView, state: SessionState): Partial<SessionView> {
  const { project, limits, image, created_at, workspace } = session;
  const up = state === "running" ? "in_step" : "offline";
  const sync = workspace !== "bind" ? syncView(up) : null;
  return { project, limits, image, created_at, workspace, sync, state };
}

function fault(code: ErrorCode, message: string, hint: string): ApiError {
  return { code, message, hint };
}

const BUILD = [
  "FROM mizzen-base:bookworm",
  "RUN apt-get install git ripgrep",
  "RUN install-node 22",
  "RUN install-code-server 4.96.2",
  "COPY settings.json /etc/mizzen/",
  "COPY mizzen-supervisor /usr/local/bin/",
];

const OUTPUT = [
  "> web-shop@2.4.0 test",
  "> vitest run",
  "",
  " ✓ src/cart.test.ts (14 tests) 231ms",
  " ✓ src/price.test.ts (9 tests) 88ms",
];

const LOG = [
  "supervisor 0.1.0 is process 1, uid 1000",
  "workspace /workspace is writable",
  "code-server: starting on /run/mizzen/code-server.sock",
  "code-server: HTTP server listening",
  "code-server: [12:04:51] Extension host agent started",
  "status: heartbeat written",
];

function logLine(at: number): LogLine {
  const is_error = at % 17 === 16;
  const text = is_error
    ? "\u001b[33mwarn\u001b[0m watcher: limit of inotify watches is near"
    : LOG[at % LOG.length]!;
  return { is_error, text, at: new Date().toISOString() };
}

/** The scripted backend for a page opened in a browser; tests find it as `mizzenFake`. */
export function fromAddress(search: string): FakeBackend {
  const fake = new FakeBackend(scenarioOf(search));
  Object.assign(globalThis, { mizzenFake: fake });
  return fake;
}
