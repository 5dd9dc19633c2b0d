import type { Settings } from "../generated/Settings";

export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** Least memory that code-server starts with. */
const MIN_MEMORY = 256 * MIB;

/** The settings as typed into fields. */
export interface Draft {
  maxRunning: string;
  gatewayPort: string;
  image: string;
  memoryGib: string;
  cpus: string;
  notifications: boolean;
}

export type DraftField = "maxRunning" | "gatewayPort" | "memoryGib" | "cpus";
export type DraftProblems = Partial<Record<DraftField, true>>;

export function draftOf(settings: Settings): Draft {
  return {
    maxRunning: String(settings.max_running),
    gatewayPort: String(settings.gateway_port),
    image: settings.image ?? "",
    memoryGib: gib(settings.memory_bytes),
    cpus: String(settings.cpus),
    notifications: settings.notifications,
  };
}

/** The settings that a draft means, or the fields that mean nothing. */
export function readDraft(
  draft: Draft,
): { settings: Settings; problems: null } | { settings: null; problems: DraftProblems } {
  const max_running = wholeNumber(draft.maxRunning, 1, 1000);
  const gateway_port = wholeNumber(draft.gatewayPort, 1024, 65535);
  const memory_bytes = memory(draft.memoryGib);
  const cpus = processors(draft.cpus);
  if (max_running === null || gateway_port === null || memory_bytes === null || cpus === null) {
    const problems: DraftProblems = {};
    if (max_running === null) problems.maxRunning = true;
    if (gateway_port === null) problems.gatewayPort = true;
    if (memory_bytes === null) problems.memoryGib = true;
    if (cpus === null) problems.cpus = true;
    return { settings: null, problems };
  }
  const image = draft.image.trim() || null;
  const { notifications } = draft;
  return {
    settings: { max_running, gateway_port, image, memory_bytes, cpus, notifications },
    problems: null,
  };
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
