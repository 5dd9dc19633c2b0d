import { untrack } from "svelte";
import type { ApiError } from "../generated/ApiError";
import type { LogLine } from "../generated/LogLine";
import { toApiError } from "../backend/apiError";
import type { Stop } from "../backend/backend";
import { append, type NumberedLine } from "./log";

/** The end of something that is written line by line. */
export class Tail {
  lines = $state.raw<readonly NumberedLine[]>([]);
  /** Why it cannot be followed. */
  failure = $state.raw<ApiError | null>(null);

  /** Follows as long as the component lives, and anew whenever what `follow` reads changes. */
  constructor(follow: (onLines: (lines: LogLine[]) => void) => Promise<Stop>) {
    $effect(() => {
      let stop: Stop | undefined;
      let over = false;
      this.lines = [];
      this.failure = null;
      follow((lines) => {
        const before = untrack(() => this.lines);
        if (!over) this.lines = append(before, lines);
      }).then(
        (stopIt) => {
          stop = stopIt;
          if (over) stopIt();
        },
        (thrown: unknown) => {
          if (!over) this.failure = toApiError(thrown);
        },
      );
      return () => {
        over = true;
        stop?.();
      };
    });
  }
}
