import type { ContextEndView } from "../generated/ContextEndView";
import type { ContextState } from "../generated/ContextState";
import type { ContextView } from "../generated/ContextView";
import type { ContextsSide } from "../generated/ContextsSide";

/** Pages of the mirror of Docker contexts. */
export const TABS = ["list", "history", "trash"] as const;
export type ContextsTab = (typeof TABS)[number];

export type Tone = "ok" | "busy" | "warn" | "bad" | "off";

export const TONES: Record<ContextState, Tone> = {
  in_step: "ok",
  pending: "busy",
  held: "warn",
  quarantined: "bad",
  ghost: "bad",
  not_synced: "off",
  special: "off",
};

/** A context that stands well or rests has a reason only where somebody should do something. */
export function isWarned({ state, reason }: ContextView): boolean {
  return reason !== null && ["in_step", "special", "not_synced"].includes(state);
}

/** A context as it is shown: once where both sides hold the same, else each side's. */
export interface ShownEnd {
  /** None: both. */
  readonly side: ContextsSide | null;
  /** None: it is not there. */
  readonly end: ContextEndView | null;
}

export function endsOf({ host, container, state }: ContextView): ShownEnd[] {
  if (host && container && same(host, container)) return [{ side: null, end: container }];
  const ends: ShownEnd[] = [
    { side: "host", end: host },
    { side: "container", end: container },
  ];
  // Of what cannot be used something is there, and its reason says on which side.
  const isOdd = state === "quarantined" || state === "ghost";
  return isOdd ? ends.filter(({ end }) => end !== null) : ends;
}

function same(one: ContextEndView, other: ContextEndView): boolean {
  return (
    one.endpoint === other.endpoint &&
    one.description === other.description &&
    one.skip_tls_verify === other.skip_tls_verify &&
    one.tls.join() === other.tls.join()
  );
}

/** What whoever is in a container can read of a context's keys. */
export function visibleKeys({ container }: ContextView): readonly string[] {
  return (container?.tls ?? []).filter((file) => !file.endsWith("ca.pem"));
}

/** Names in a sentence. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
