import { getContext, setContext } from "svelte";
import type { ApiError } from "../generated/ApiError";
import type { Navigate } from "../generated/Navigate";
import type { Outcome } from "../generated/Outcome";
import type { SessionView } from "../generated/SessionView";
import type { Verb } from "../generated/Verb";
import { toApiError } from "../backend/apiError";
import type { Backend, Link } from "../backend/backend";
import { texts } from "../texts";
import type { Action } from "./actions";
import { Feed, type Schedule } from "./feed";
import { EVERYTHING, filtered, neighbour, type Filter } from "./filter";
import { NO_SESSION, type Model } from "./reduce";
import { withSample, type Sample } from "./samples";

export type ViewName = "sessions" | "alerts" | "contexts" | "settings" | "doctor";
export type DialogName =
  "new" | "help" | { remove: string } | { agree: string } | { confirm: Confirmation };

/** What a person is asked before it is done. */
export interface Confirmation {
  /** The one it is about; none when it is about something else. */
  readonly session: string | null;
  readonly title: string;
  readonly steps: readonly string[];
  /** Said below the steps. */
  readonly rest?: string;
  readonly submit: string;
  readonly act: () => void;
}

/** Pages about a session's workspace, in the place of its details. */
export type SyncPage = "conflicts" | "history";

/** The session that a dialog asks about. */
function askedAbout(dialog: DialogName | null): string | null {
  if (dialog === null || typeof dialog === "string") return null;
  if ("confirm" in dialog) return dialog.confirm.session;
  return "remove" in dialog ? dialog.remove : dialog.agree;
}

/** Something to tell the person; an error stays until it is put away. */
export interface Notice {
  readonly id: number;
  readonly error: ApiError;
  /** What was attempted, in words. */
  readonly title: string;
}

const CONNECTED: Link = { connected: true, message: "" };

/** All state of the window. Views read it and call its methods; nothing else is shared. */
export class App {
  model = $state.raw<Model | null>(null);
  /** Why there is no model. */
  failure = $state.raw<ApiError | null>(null);
  link = $state.raw<Link>(CONNECTED);
  view = $state<ViewName>("sessions");
  dialog = $state.raw<DialogName | null>(null);
  selected = $state<string | null>(null);
  /** Narrow windows show the list or the detail; wide ones both. */
  detailOpen = $state(false);
  /** The page about the selected session's workspace that is shown; none while its details are. */
  syncPage = $state<SyncPage | null>(null);
  filter = $state.raw<Filter>(EVERYTHING);
  notices = $state.raw<readonly Notice[]>([]);
  /** What a screen reader says next. */
  announcement = $state("");
  /** Measurements of the session looked at. */
  samples = $state.raw<readonly Sample[]>([]);
  /** Verbs sent and not answered, as `session/verb`. */
  #busy = $state.raw<ReadonlySet<string>>(new Set());

  readonly current: SessionView | null = $derived.by(() => {
    const { selected, model } = this;
    return model?.snapshot.sessions.find((session) => session.name === selected) ?? null;
  });
  readonly connected = $derived(this.link.connected && this.model !== null);

  readonly #feed: Feed;
  #notices = 0;

  constructor(
    readonly backend: Backend,
    schedule: Schedule,
  ) {
    const sink = {
      model: (model: Model) => this.#receive(model),
      failed: (error: ApiError) => (this.failure = error),
    };
    this.#feed = new Feed(backend, sink, schedule);
  }

  async start(): Promise<void> {
    try {
      await this.backend.listen({
        event: (event) => this.#feed.receive(event),
        link: (link) => this.#relink(link),
        navigate: (to) => this.navigate(to),
      });
      await this.#feed.resync();
    } catch (thrown) {
      this.failure = toApiError(thrown);
    }
  }

  async reload(): Promise<void> {
    this.failure = null;
    await this.#feed.restart();
  }

  #receive(model: Model): void {
    const before = this.current;
    const listed = filtered(this.model?.snapshot.sessions ?? [], this.filter);
    this.model = model;
    this.failure = null;
    const { sessions } = model.snapshot;
    // Nothing is left to ask about; and an open dialog keeps keys from working.
    if (!this.#knows(askedAbout(this.dialog))) this.dialog = null;
    if (this.selected === null || !sessions.some(({ name }) => name === this.selected)) {
      this.detailOpen = false;
      this.select(neighbour(listed, sessions, this.selected)?.name ?? null);
    } else if (this.current && this.current !== before) {
      this.samples = withSample(this.samples, this.current, Date.now());
    }
  }

  #relink(link: Link): void {
    this.link = link;
    // Also when nothing was lost: the core may have come up after the first question to it.
    if (link.connected) void this.#feed.restart();
  }

  select(name: string | null): void {
    if (name === this.selected) return;
    this.selected = name;
    this.samples = [];
    this.syncPage = null;
    if (name === null) this.detailOpen = false;
  }

  openDetail(name: string): void {
    this.view = "sessions";
    this.select(name);
    this.detailOpen = true;
  }

  navigate({ view, session }: Navigate): void {
    if (session) this.openDetail(session);
    if (view === "new_session") this.dialog = "new";
    else if (view === "remove_session") {
      if (session && this.#knows(session)) this.dialog = { remove: session };
    } else this.view = view;
  }

  /** Whether there may be such a session; of none it is so, too. */
  #knows(session: string | null): boolean {
    const sessions = this.model?.snapshot.sessions;
    return session === null || !sessions || sessions.some(({ name }) => name === session);
  }

  /** Runs a verb; its outcome is announced, its failure becomes a notice and `null`. */
  async run(verb: Verb, title: string): Promise<Outcome | null> {
    const key = `${"session" in verb ? verb.session : NO_SESSION}/${verb.verb}`;
    this.#busy = new Set(this.#busy).add(key);
    try {
      const outcome = await this.backend.run(verb);
      this.announcement = outcome.message;
      return outcome;
    } catch (thrown) {
      this.notify(title, toApiError(thrown));
      return null;
    } finally {
      const rest = new Set(this.#busy);
      rest.delete(key);
      this.#busy = rest;
    }
  }

  isBusy(verb: Verb["verb"], session = NO_SESSION): boolean {
    return this.#busy.has(`${session}/${verb}`);
  }

  /** What a click on an action does. Removal asks first. */
  async act(action: Action, session: string): Promise<void> {
    if (action === "remove") {
      this.dialog = { remove: session };
    } else if (action === "open") {
      await this.open(session);
    } else {
      await this.run({ verb: action, session }, texts.failed[action](session));
    }
  }

  async open(session: string): Promise<void> {
    try {
      await this.backend.openSession(session);
      this.announcement = texts.opened(session);
    } catch (thrown) {
      this.notify(texts.failed.open(session), toApiError(thrown));
    }
  }

  notify(title: string, error: ApiError): void {
    this.#notices += 1;
    const others = this.notices.filter((old) => old.error.message !== error.message);
    this.notices = [...others, { id: this.#notices, error, title }].slice(-4);
  }

  dismissNotice(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }
}

const KEY = Symbol("app");

export function provideApp(app: App): void {
  setContext(KEY, app);
}

export function useApp(): App {
  return getContext<App>(KEY);
}
