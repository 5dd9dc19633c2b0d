import type { ApiError } from "../generated/ApiError";
import type { ConflictView } from "../generated/ConflictView";
import type { PastCycleView } from "../generated/PastCycleView";
import type { SyncAnswer } from "../generated/SyncAnswer";
import type { SyncDone } from "../generated/SyncDone";
import type { SyncKeep } from "../generated/SyncKeep";
import type { SyncQuestion } from "../generated/SyncQuestion";
import type { SyncSide } from "../generated/SyncSide";
import { toApiError } from "../backend/apiError";
import { texts } from "../texts";
import type { App } from "./app.svelte";
import { doneWith, type Told } from "./told";
import { mayHaveMore, PAGE, withNewest } from "./past";
import { visibleText } from "./visible";

/** What the pages of one session's workspace know, and what they ask of it. One question at a time. */
export class WorkspacePage {
  conflicts = $state.raw<readonly ConflictView[] | null>(null);
  cycles = $state.raw<readonly PastCycleView[] | null>(null);
  /** Whether there may be older cycles than are known. */
  hasMore = $state(false);
  /** Only cycles of which the trash keeps this place. */
  place = $state("");
  /** Why there is nothing to show. */
  failure = $state.raw<ApiError | null>(null);
  /** Whether a look is under way. A wish may follow at once: one waits for the other. */
  looking = $state(false);
  /** Whether a wish is under way. */
  busy = $state(false);
  /** How far a decision about all has come. */
  deciding = $state.raw<{ readonly done: number; readonly of: number } | null>(null);
  /** What came of the last wish, until the person goes on to something else. */
  told = $state.raw<Told | null>(null);
  #last: Promise<unknown> = Promise.resolve();
  #looks = 0;

  constructor(
    private readonly app: App,
    readonly session: string,
  ) {}

  async lookAtConflicts(): Promise<void> {
    const answer = await this.#look({ ask: "conflicts" });
    if (answer && "conflicts" in answer) this.conflicts = answer.conflicts;
  }

  /** The newest cycles; what is known of older ones stays. */
  async lookAtHistory(): Promise<void> {
    const place = this.place;
    const page = await this.#page(null);
    if (!page || place !== this.place) return;
    const before = this.cycles ?? [];
    if (before.length === 0 || page.length < PAGE) this.hasMore = mayHaveMore(page);
    this.cycles = withNewest(before, page);
  }

  async lookFurther(): Promise<void> {
    const last = this.cycles?.at(-1);
    if (!last || !this.hasMore || this.looking) return;
    const page = await this.#page(last.cycle);
    if (!page || this.cycles?.at(-1) !== last) return;
    this.cycles = [...this.cycles, ...page];
    this.hasMore = mayHaveMore(page);
  }

  async find(place: string): Promise<void> {
    this.place = place.trim();
    this.cycles = null;
    await this.lookAtHistory();
  }

  async resolve(path: string, keep: SyncKeep): Promise<void> {
    const { done, failed } = texts.workspacePage;
    const came = await this.#wish(
      { ask: "resolve", path, keep },
      failed.resolve(visibleText(path)),
    );
    if (came) {
      const beside = visibleText(came.beside ?? "");
      this.#tell([came], done.resolve[keep](visibleText(path), beside));
      this.#isDecided(path, came);
    }
    await this.lookAtConflicts();
  }

  /** Decides one conflict after the other, and stops where one cannot be decided. */
  async resolveAll(paths: readonly string[], keep: SyncKeep): Promise<void> {
    const { done, failed } = texts.workspacePage;
    const came: SyncDone[] = [];
    for (const path of paths) {
      this.deciding = { done: came.length, of: paths.length };
      const one = await this.#wish(
        { ask: "resolve", path, keep },
        failed.resolve(visibleText(path)),
      );
      if (!one) break;
      came.push(one);
      this.#isDecided(path, one);
    }
    this.deciding = null;
    if (came.length > 0) this.#tell(came, done.resolveMany[keep](came.length));
    await this.lookAtConflicts();
  }

  /** Takes cycles back, the last one first. */
  async undo(cycles: readonly string[]): Promise<void> {
    const { done, failed } = texts.workspacePage;
    const came: SyncDone[] = [];
    for (const cycle of [...cycles].reverse()) {
      const one = await this.#wish({ ask: "undo", cycle }, failed.undo);
      if (!one) break;
      came.push(one);
    }
    const changed = came.reduce((sum, { changed }) => sum + changed, 0);
    if (came.length > 0) this.#tell(came, done.undo(changed));
    await this.#lookAgain();
  }

  /** Brings back what stood at a place of a side before a cycle. */
  async restore(path: string, before: string, side: SyncSide): Promise<void> {
    const { done, failed } = texts.workspacePage;
    const name = visibleText(path);
    const came = await this.#wish({ ask: "restore", path, before, side }, failed.restore(name));
    if (came) this.#tell([came], done.restore(name));
    await this.#lookAgain();
  }

  dismiss(): void {
    this.told = null;
  }

  /** It does not wait for the next look. */
  #isDecided(path: string, { left }: SyncDone): void {
    if (left.length > 0) return;
    this.conflicts = this.conflicts?.filter((conflict) => conflict.path !== path) ?? null;
  }

  async #lookAgain(): Promise<void> {
    if (this.cycles) await this.lookAtHistory();
    if (this.conflicts) await this.lookAtConflicts();
  }

  #tell(came: readonly SyncDone[], message: string): void {
    this.told = doneWith(came, message);
    this.app.announcement = this.told.message;
  }

  async #page(before: string | null): Promise<readonly PastCycleView[] | null> {
    const answer = await this.#look({
      ask: "history",
      of: this.place || null,
      before,
      limit: PAGE,
    });
    return answer && "history" in answer ? answer.history : null;
  }

  async #look(question: SyncQuestion): Promise<SyncAnswer | null> {
    this.#looks += 1;
    this.looking = true;
    try {
      const answer = await this.#ask(question);
      this.failure = null;
      return answer;
    } catch (thrown) {
      this.failure = toApiError(thrown);
      return null;
    } finally {
      this.#looks -= 1;
      this.looking = this.#looks > 0;
    }
  }

  /** Asks for a change; a refusal becomes a notice. */
  async #wish(question: SyncQuestion, title: string): Promise<SyncDone | null> {
    this.told = null;
    this.busy = true;
    try {
      const answer = await this.#ask(question);
      return "done" in answer ? answer.done : null;
    } catch (thrown) {
      this.app.notify(title, toApiError(thrown));
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** One after the other: an answer is about what the one before it left. */
  #ask(question: SyncQuestion): Promise<SyncAnswer> {
    const asked = this.#last.then(() => this.app.backend.askSync(this.session, question));
    this.#last = asked.catch(() => {});
    return asked;
  }
}
