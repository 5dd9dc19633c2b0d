import type { LeftView } from "../generated/LeftView";
import type { SyncDone } from "../generated/SyncDone";
import { texts } from "../texts";

/** What came of a wish, as it is told. */
export interface Told {
  readonly message: string;
  /** Places that stay as they are, with why. */
  readonly left: readonly LeftView[];
  /** Cycles by which it is taken back, in the order in which they were made. */
  readonly undo: readonly string[];
}

/** What came of one or more wishes. */
export function doneWith(came: readonly SyncDone[], message: string): Told {
  const changed = came.some(({ changed }) => changed > 0);
  return {
    message: changed ? message : texts.workspacePage.done.nothing,
    left: came.flatMap(({ left }) => left),
    undo: came.filter(({ changed }) => changed > 0).map(({ cycle }) => cycle),
  };
}
