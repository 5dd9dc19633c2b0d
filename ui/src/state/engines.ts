import type { EngineView } from "../generated/EngineView";

/** The engine that new sessions get. */
export function selected(engines: readonly EngineView[]): EngineView | undefined {
  return engines.find(({ selected_by }) => selected_by !== "") ?? engines[0];
}

/** The one to tell of where there is room for one: one that is away, or else the selected one. */
export function foremost(engines: readonly EngineView[]): EngineView | undefined {
  return engines.find(({ state }) => state === "offline") ?? selected(engines);
}
