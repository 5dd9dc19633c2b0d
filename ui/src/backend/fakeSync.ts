import type { ApiError } from "../generated/ApiError";
import type { ConflictView } from "../generated/ConflictView";
import type { PastCycleView } from "../generated/PastCycleView";
import type { SyncAnswer } from "../generated/SyncAnswer";
import type { SyncDone } from "../generated/SyncDone";
import type { SyncQuestion } from "../generated/SyncQuestion";
import { conflictsOf, pastOf } from "./castSync";

/** What a synced workspace of the scripted backend answers: its conflicts and its past, as a person changes them. */
export class FakeWorkspace {
  conflicts: readonly ConflictView[];
  past: readonly PastCycleView[];
  /** Every question, in order. For tests. */
  readonly asked: SyncQuestion[] = [];
  readonly #decided = new Map<string, ConflictView>();
  #cycles = 0;

  constructor(conflicts: number, cycles: number) {
    this.conflicts = conflictsOf(conflicts);
    this.past = pastOf(cycles);
  }

  answer(question: SyncQuestion): SyncAnswer {
    this.asked.push(question);
    switch (question.ask) {
      case "conflicts":
        return { conflicts: [...this.conflicts] };
      case "resolve":
        return { done: this.#resolve(question) };
      case "history":
        return { history: this.#history(question) };
      case "undo":
        return { done: this.#undo(question.cycle) };
      case "restore":
        return { done: this.#restore(question) };
      case "plan":
        return { plan: { steps: [], more: 0, halt: null } };
      case "why":
        return {
          standing: { path: question.path, standing: "in step", at: null, side: null, why: null },
        };
    }
  }

  #resolve({ path, keep }: Extract<SyncQuestion, { ask: "resolve" }>): SyncDone {
    const conflict = this.conflicts.find((found) => found.path === path);
    if (!conflict) throw refusal("not_found", `there is no conflict at ${path}`);
    this.conflicts = this.conflicts.filter((other) => other !== conflict);
    const side = { changes: [{ path, was: "replace" }], places: 1, files: 1, bytes: 812 };
    const done = this.#cycle(
      { host: keep === "host" ? null : side, container: keep === "container" ? null : side },
      1,
    );
    this.#decided.set(done.cycle, conflict);
    return { ...done, beside: keep === "both" ? besideOf(path) : null };
  }

  #history({ of, before, limit }: Extract<SyncQuestion, { ask: "history" }>): PastCycleView[] {
    if (of?.startsWith("/")) {
      const hint = "name it from the project folder on, like src/main.rs";
      throw refusal("usage", `\`${of}\` names no place of a workspace: it is absolute`, hint);
    }
    const keeps = ({ host, container }: PastCycleView) =>
      [host, container].some((side) =>
        side?.changes.some(({ path, was }) => path === of && was !== "create"),
      );
    return this.past
      .filter((cycle) => (before === null || cycle.cycle < before) && (of === null || keeps(cycle)))
      .slice(0, limit);
  }

  #undo(id: string): SyncDone {
    const cycle = this.past.find((found) => found.cycle === id);
    if (!cycle) {
      const hint = "`mizzen sync history api` lists what is kept";
      throw refusal("not_found", `no cycle ${id} is known`, hint);
    }
    const again = this.#decided.get(id);
    if (again) this.conflicts = [...this.conflicts, again].sort(byPath);
    const { host, container } = cycle;
    const left = (host?.changes ?? []).slice(1, 3).map(({ path }) => ({
      path,
      side: "host" as const,
      why: "it has changed since",
      failed: false,
    }));
    const places = (host?.places ?? 0) + (container?.places ?? 0) - left.length;
    return { ...this.#cycle({ host, container }, places), left };
  }

  #restore({ path, side }: Extract<SyncQuestion, { ask: "restore" }>): SyncDone {
    if (path.endsWith(".lock")) {
      const left = [{ path, side: side ?? "host", why: "it has changed since", failed: false }];
      return { ...this.#cycle({ host: null, container: null }, 0), left };
    }
    const change = { changes: [{ path, was: "create" }], places: 1, files: 0, bytes: 0 };
    return this.#cycle({ host: null, container: null, [side ?? "host"]: change }, 1);
  }

  #cycle(sides: Pick<PastCycleView, "host" | "container">, changed: number): SyncDone {
    this.#cycles += 1;
    const cycle = nameOf(new Date(), this.#cycles);
    if (changed > 0) this.past = [{ cycle, ...sides }, ...this.past];
    return { cycle, changed, beside: null, left: [] };
  }
}

function byPath(one: ConflictView, other: ConflictView): number {
  return one.path < other.path ? -1 : 1;
}

function besideOf(path: string): string {
  const dot = path.lastIndexOf(".");
  return `${path.slice(0, dot)}.conflict-container-20260102T030405Z${path.slice(dot)}`;
}

/** A cycle is called by when it began. */
function nameOf(at: Date, count: number): string {
  const [time] = at.toISOString().replace(/[-:]/g, "").split(".");
  return `${time}.${String(count).padStart(9, "0")}Z`;
}

function refusal(code: ApiError["code"], message: string, hint = ""): ApiError {
  return { code, message, hint };
}
