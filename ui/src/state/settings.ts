import type { Settings } from "../generated/Settings";

export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** Least memory that code-server starts with. */
const MIN_MEMORY = 256 * MIB;

/** The settings as typed into fields. */
export interface Draft {
  maxRunning: string;
  /** Empty for no budget. */
  memoryBudgetGib: string;
  gatewayPort: string;
  gatewayNames: boolean;
  image: string;
  memoryGib: string;
  cpus: string;
  notifications: boolean;
  contextsStrict: boolean;
  /** Names, with commas between them. */
  contextsNoSync: string;
  contextsSocket: string;
  /** What the page has no field for. */
  remoteEngines: string[];
  exposedEngines: Settings["exposed_engines"];
}

export type DraftField =
  "maxRunning" | "memoryBudgetGib" | "gatewayPort" | "memoryGib" | "cpus" | "contextsSocket";
export type DraftProblems = Partial<Record<DraftField, true>>;

export function draftOf(settings: Settings): Draft {
  return {
    maxRunning: String(settings.max_running),
    memoryBudgetGib: settings.memory_budget_bytes === null ? "" : gib(settings.memory_budget_bytes),
    gatewayPort: String(settings.gateway_port),
    gatewayNames: settings.gateway_names,
    image: settings.image ?? "",
    memoryGib: gib(settings.memory_bytes),
    cpus: String(settings.cpus),
    notifications: settings.notifications,
    contextsStrict: settings.contexts_strict,
    contextsNoSync: settings.contexts_no_sync.join(", "),
    contextsSocket: settings.contexts_socket,
    remoteEngines: settings.remote_engines,
    exposedEngines: settings.exposed_engines,
  };
}

/** The settings that a draft means, or the fields that mean nothing. */
export type Reading =
  | { readonly settings: Settings; readonly problems: null }
  | { readonly settings: null; readonly problems: DraftProblems };

export function readDraft(draft: Draft): Reading {
  const problems: DraftProblems = {};
  const checked = (field: DraftField, value: number | null): number => {
    if (value === null) problems[field] = true;
    return value ?? 0;
  };
  const settings: Settings = {
    max_running: checked("maxRunning", wholeNumber(draft.maxRunning, 1, 1000)),
    memory_budget_bytes:
      draft.memoryBudgetGib.trim() === ""
        ? null
        : checked("memoryBudgetGib", memory(draft.memoryBudgetGib)),
    gateway_port: checked("gatewayPort", wholeNumber(draft.gatewayPort, 1024, 65535)),
    gateway_names: draft.gatewayNames,
    image: draft.image.trim() || null,
    memory_bytes: checked("memoryGib", memory(draft.memoryGib)),
    cpus: checked("cpus", processors(draft.cpus)),
    notifications: draft.notifications,
    contexts_strict: draft.contextsStrict,
    contexts_no_sync: draft.contextsNoSync.split(/[\s,]+/).filter((name) => name !== ""),
    contexts_socket: checkedSocket(draft.contextsSocket, problems),
    remote_engines: draft.remoteEngines,
    exposed_engines: draft.exposedEngines,
  };
  if (Object.keys(problems).length > 0) return { settings: null, problems };
  return { settings, problems: null };
}

/** The address of a socket in a container. */
function checkedSocket(text: string, problems: DraftProblems): string {
  const socket = text.trim();
  if (!/^unix:\/\/\/\S+$/.test(socket)) problems.contextsSocket = true;
  return socket;
}

/** GiB as typed, in bytes; `null` when it is no sensible amount. */
export function memory(text: string): number | null {
  const value = decimal(text);
  if (value === null) return null;
  const size = Math.round(value * GIB);
  return size >= MIN_MEMORY && size <= 4096 * GIB ? size : null;
}

/** Processors as typed, e.g. `1.5`. */
export function processors(text: string): number | null {
  const value = decimal(text);
  return value !== null && value >= 0.1 && value <= 512 ? value : null;
}

/** Bytes as GiB for a field: `4`, `0.5`. */
export function gib(size: number): string {
  return String(Number((size / GIB).toFixed(3)));
}

function wholeNumber(text: string, least: number, most: number): number | null {
  const value = /^\d{1,6}$/.test(text.trim()) ? Number(text) : NaN;
  return value >= least && value <= most ? value : null;
}

/** Accepts a comma too: half of Europe types one. */
function decimal(text: string): number | null {
  const clean = text.trim().replace(",", ".");
  return /^\d+(\.\d+)?$/.test(clean) ? Number(clean) : null;
}
