import type { Snapshot } from "../generated/Snapshot";
import type { UpParams } from "../generated/UpParams";
import type { WorkspaceKind } from "../generated/WorkspaceKind";
import { texts } from "../texts";
import { takesASlot } from "./actions";
import { bytes } from "./format";
import { isAbsolute, nameForFolder, nameProblem, type NameProblem } from "./name";
import { memory, processors } from "./settings";

/** The dialog's fields as typed. */
export interface Wish {
  folder: string;
  /** `null` while the name follows the folder. */
  typedName: string | null;
  /** `null` for the selected one. */
  engine: string | null;
  /** `null` while nobody has chosen. */
  workspace: WorkspaceKind | null;
  image: string;
  memoryGib: string;
  cpus: string;
}

export interface WishProblems {
  readonly folder: boolean;
  readonly name: NameProblem | null;
  readonly memory: boolean;
  readonly cpus: boolean;
}

/** What a session gets when nobody chooses. */
const NEW_WORKSPACE: WorkspaceKind = "sync";

export function workspaceOf({ workspace }: Wish): WorkspaceKind {
  return workspace ?? NEW_WORKSPACE;
}

export function nameOf({ folder, typedName }: Wish): string {
  return typedName ?? nameForFolder(folder);
}

export function wishProblems(wish: Wish, { sessions }: Snapshot): WishProblems {
  const taken = sessions.map(({ name }) => name);
  return {
    folder: !isAbsolute(wish.folder.trim()),
    name: nameProblem(nameOf(wish), taken),
    memory: memory(wish.memoryGib) === null,
    cpus: processors(wish.cpus) === null,
  };
}

/** Parameters of the verb; only what differs from the settings is said. */
export function paramsOf(wish: Wish, { settings }: Snapshot): UpParams {
  const bytesWanted = memory(wish.memoryGib);
  const cpusWanted = processors(wish.cpus);
  return {
    dir: wish.folder.trim(),
    name: nameOf(wish),
    engine: wish.engine,
    workspace: wish.workspace,
    image: wish.image.trim() === (settings.image ?? "") ? null : wish.image.trim() || null,
    memory_bytes: bytesWanted === settings.memory_bytes ? null : bytesWanted,
    cpus: cpusWanted === settings.cpus ? null : cpusWanted,
  };
}

/** What will happen, in sentences. */
export function planOf(wish: Wish): string[] {
  const { create } = texts;
  const folder = wish.folder.trim();
  const size = memory(wish.memoryGib);
  return [
    wish.image.trim() ? create.planOtherImage(wish.image.trim()) : create.planImage,
    create.planFolder[workspaceOf(wish)](folder || create.planNoFolder),
    create.planLimits(size === null ? "?" : bytes(size), wish.cpus.trim()),
    create.planNet,
  ];
}

/** Whether no further session may start where this one is to live: each engine has its own limit. */
export function isFull(
  { engine: wished }: Wish,
  { engines, sessions, settings }: Snapshot,
): boolean {
  const name = wished ?? engines.find((engine) => engine.selected_by !== "")?.name;
  const there = sessions.filter(({ engine }) => engine === name);
  return there.filter(({ state }) => takesASlot(state)).length >= settings.max_running;
}
