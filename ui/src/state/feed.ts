import type { ApiError } from "../generated/ApiError";
import type { Event } from "../generated/Event";
import type { Backend } from "../backend/backend";
import { toApiError } from "../backend/apiError";
import { foldAll, resynced, type Model } from "./reduce";

/** Where the feed delivers to. */
export interface Sink {
  model(model: Model): void;
  failed(error: ApiError): void;
}

/** Runs a task with the next frame, once. */
export type Schedule = (task: () => void) => void;

/** Snapshots that may miss a number in a row, before the core is said to be broken. */
const ATTEMPTS = 3;

/**
 * Keeps a model in step with the core: folds all events of a frame in one go, and asks for the
 * snapshot again when a number was missed.
 */
export class Feed {
  #pending: Event[] = [];
  #scheduled = false;
  #model: Model | undefined;
  /** Number of the newest request for a snapshot; an answer to an older one is void. */
  #request = 0;
  #waiting = false;

  constructor(
    private readonly backend: Pick<Backend, "snapshot">,
    private readonly sink: Sink,
    private readonly schedule: Schedule,
  ) {}

  receive(event: Event): void {
    this.#pending.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.schedule(() => {
      this.#scheduled = false;
      if (!this.#waiting && this.#model && !this.#drain()) void this.resync();
    });
  }

  /** Another core answers, with numbers of its own: events of the old one mean nothing. */
  restart(): Promise<void> {
    this.#pending = [];
    return this.resync();
  }

  /** Fetches the snapshot, and folds in what arrived meanwhile. */
  async resync(): Promise<void> {
    const request = (this.#request += 1);
    this.#waiting = true;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const snapshot = await this.backend.snapshot();
        if (request !== this.#request) return;
        this.#model = resynced(this.#model, snapshot);
        if (this.#drain()) return;
      }
      this.#pending = [];
    } catch (thrown) {
      if (request === this.#request) this.sink.failed(toApiError(thrown));
    } finally {
      if (request === this.#request) this.#waiting = false;
    }
  }

  /** Publishes what can be folded; `false` when a number is missing. */
  #drain(): boolean {
    const { model, gap } = foldAll(this.#model!, this.#pending);
    this.#pending = gap ? this.#pending.filter((e) => e.revision > model.snapshot.revision) : [];
    this.#model = model;
    this.sink.model(model);
    return !gap;
  }
}
