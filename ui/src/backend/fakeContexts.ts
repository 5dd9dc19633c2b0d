import type { ApiError } from "../generated/ApiError";
import type { ContextChangeView } from "../generated/ContextChangeView";
import type { ContextsAnswer } from "../generated/ContextsAnswer";
import type { ContextsQuestion } from "../generated/ContextsQuestion";
import type { ContextsView } from "../generated/ContextsView";
import type { ContextTrashView } from "../generated/ContextTrashView";
import { changesOf, IN_STEP, trashOf } from "./castContexts";

/** What the mirror of the scripted backend answers, as a person changes it. */
export class FakeContexts {
  changes: readonly ContextChangeView[] = changesOf();
  trash: readonly ContextTrashView[] = trashOf();
  /** Every wish, in order. For tests. */
  readonly wishes: ContextsQuestion[] = [];

  /** Answers about a mirror that stands so. */
  answer(question: ContextsQuestion, now: ContextsView): ContextsAnswer {
    switch (question.ask) {
      case "status":
        return { status: now };
      case "history":
        return { history: this.changes.slice(0, question.limit) };
      case "trash":
        return { trash: [...this.trash] };
      default:
        this.wishes.push(question);
        return { done: this.#done(question, now) };
    }
  }

  #done(wish: ContextsQuestion, now: ContextsView): { message: string; contexts: ContextsView } {
    switch (wish.ask) {
      case "setup":
        return { message: "Docker contexts are mirrored now.", contexts: IN_STEP };
      case "approve":
      case "drop":
        return { message: "Both sides hold the same.", contexts: { ...IN_STEP } };
      case "undo": {
        const undone = this.changes.find(({ id, undoable }) => id === wish.id && undoable);
        if (!undone) throw refusal("that change cannot be undone any more");
        const change: ContextChangeView = {
          ...undone,
          id: (this.changes[0]?.id ?? 0) + 1,
          action: "undone",
          message: `The change of \`${undone.context}\` was undone`,
          undoable: false,
        };
        this.changes = [change, ...this.changes];
        return { message: change.message, contexts: { ...now, last_change: change } };
      }
      case "restore":
        this.trash = this.trash.filter(({ id }) => id !== wish.id);
        return { message: "It is back on both sides.", contexts: now };
      default:
        return { message: "Both sides hold the same.", contexts: now };
    }
  }
}

function refusal(message: string): ApiError {
  return { code: "state", message, hint: "`mizzen contexts history` says what can be." };
}
