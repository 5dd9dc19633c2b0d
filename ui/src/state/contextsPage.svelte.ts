import type { ApiError } from "../generated/ApiError";
import type { ContextChangeView } from "../generated/ContextChangeView";
import type { ContextsAnswer } from "../generated/ContextsAnswer";
import type { ContextsQuestion } from "../generated/ContextsQuestion";
import type { ContextTrashView } from "../generated/ContextTrashView";
import { toApiError } from "../backend/apiError";
import { texts } from "../texts";
import type { App } from "./app.svelte";
import type { ContextsTab } from "./contexts";

/** Changes that are shown. */
const HISTORY = 200;

type Wish = Exclude<ContextsQuestion["ask"], "status" | "history" | "trash">;

/** What the page of contexts knows beside the snapshot, and what it asks. */
export class ContextsPage {
  tab = $state<ContextsTab>("list");
  history = $state.raw<readonly ContextChangeView[] | null>(null);
  trash = $state.raw<readonly ContextTrashView[] | null>(null);
  /** Why there is nothing to show. */
  failure = $state.raw<ApiError | null>(null);
  /** Whether a wish is under way. */
  busy = $state(false);

  constructor(private readonly app: App) {}

  /** Looks at what the open page shows beside the snapshot. */
  async look(): Promise<void> {
    const { tab } = this;
    if (tab === "list") return;
    try {
      const question = tab === "history" ? { ask: tab, limit: HISTORY } : { ask: tab };
      this.#take(await this.app.backend.askContexts(question));
      this.failure = null;
    } catch (thrown) {
      this.failure = toApiError(thrown);
    }
  }

  /** Asks for a change; what was done is announced, a refusal becomes a notice. */
  async wish(question: Extract<ContextsQuestion, { ask: Wish }>): Promise<void> {
    this.busy = true;
    try {
      this.#take(await this.app.backend.askContexts(question));
    } catch (thrown) {
      this.app.notify(texts.contexts.failed[question.ask], toApiError(thrown));
    } finally {
      this.busy = false;
    }
    await this.look();
  }

  #take(answer: ContextsAnswer): void {
    if ("history" in answer) this.history = answer.history;
    else if ("trash" in answer) this.trash = answer.trash;
    else if ("done" in answer) this.app.announcement = answer.done.message;
  }
}
