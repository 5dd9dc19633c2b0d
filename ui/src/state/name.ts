/**
 * Session names as the core checks them: letters, digits, `_`, `.` and `-`, beginning and
 * ending with a letter or digit, at most 63, never reserved. The core has the last word.
 */

const MAX_LENGTH = 63;
const WELL_FORMED = /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const RESERVED = /^(shared|(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?)$/;

export type NameProblem = "empty" | "too_long" | "malformed" | "reserved" | "taken";

/** What is wrong with a name; `taken` holds the names in use, which are compared without case. */
export function nameProblem(name: string, taken: Iterable<string>): NameProblem | null {
  if (name.trim() === "") return "empty";
  if (new TextEncoder().encode(name).length > MAX_LENGTH) return "too_long";
  if (!WELL_FORMED.test(name)) return "malformed";
  if (RESERVED.test(name.toLowerCase())) return "reserved";
  for (const other of taken) {
    if (other.toLowerCase() === name.toLowerCase()) return "taken";
  }
  return null;
}

/** The name that the core would propose for a folder; empty when it has none to propose. */
export function nameForFolder(folder: string): string {
  const last = folder.split(/[/\\]/).findLast((part) => part !== "" && part !== ".") ?? "";
  return Array.from(last, (char) => (/[A-Za-z0-9_.-]/.test(char) ? char : "-"))
    .join("")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, MAX_LENGTH)
    .replace(/[^A-Za-z0-9]+$/, "");
}

/** Whether a typed folder is absolute, on this or another system. */
export function isAbsolute(folder: string): boolean {
  return folder.startsWith("/") || /^[A-Za-z]:[\\/]/.test(folder) || folder.startsWith("\\\\");
}
