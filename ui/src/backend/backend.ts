import type { ContextsAnswer } from "../generated/ContextsAnswer";
import type { ContextsQuestion } from "../generated/ContextsQuestion";
import type { DoctorReport } from "../generated/DoctorReport";
import type { EngineChoice } from "../generated/EngineChoice";
import type { Event } from "../generated/Event";
import type { LogLine } from "../generated/LogLine";
import type { Navigate } from "../generated/Navigate";
import type { Outcome } from "../generated/Outcome";
import type { Snapshot } from "../generated/Snapshot";
import type { SyncAnswer } from "../generated/SyncAnswer";
import type { SyncQuestion } from "../generated/SyncQuestion";
import type { Verb } from "../generated/Verb";

/** Ends what it was returned for: a subscription, a log. Calling it twice does no harm. */
export type Stop = () => void;

/** Whether the window still hears the core; `message` says why not. */
export interface Link {
  connected: boolean;
  message: string;
}

/** What the core tells the window unasked. */
export interface Listener {
  event(event: Event): void;
  link(link: Link): void;
  navigate(to: Navigate): void;
}

/**
 * All the window can ask of the outside. Every call may reject with an `ApiError`;
 * `toApiError` turns whatever was thrown into one.
 */
export interface Backend {
  /** Starts listening. Resolves once no later event can be missed. */
  listen(listener: Listener): Promise<Stop>;
  /** Tells the shell that the first view is drawn. */
  uiReady(): Promise<void>;
  snapshot(): Promise<Snapshot>;
  run(verb: Verb): Promise<Outcome>;
  /** Asks a session's synced workspace, or tells it a wish. */
  askSync(session: string, question: SyncQuestion): Promise<SyncAnswer>;
  /** Asks the mirror of Docker contexts, or tells it a wish. */
  /** Every engine that a session could live on. */
  engines(): Promise<EngineChoice[]>;
  askContexts(question: ContextsQuestion): Promise<ContextsAnswer>;
  /** Opens code-server, or a port of the session, in the browser. */
  openSession(session: string, port?: number): Promise<void>;
  doctor(): Promise<DoctorReport>;
  /** The last lines of a session's log and then each new one, in batches. */
  followLogs(session: string, onLines: (lines: LogLine[]) => void): Promise<Stop>;
  /** What a command of a session has said so far and then each new line, in batches. */
  followOutput(session: string, id: string, onLines: (lines: LogLine[]) => void): Promise<Stop>;
  /** Says which session a person looks at, so that its figures are measured; `null` for none. */
  look(session: string | null): Promise<void>;
  /** Asks for a folder; `null` when the person changed their mind. */
  pickFolder(): Promise<string | null>;
  startAtLogin(): Promise<boolean>;
  setStartAtLogin(on: boolean): Promise<void>;
}
