import type { LogLine } from "../generated/LogLine";
import { plain } from "./format";

/** Lines kept in the window; the whole log is in the engine. */
export const LOG_CAP = 1000;

/** A line with a number of its own, so that rows keep their identity while others come and go. */
export interface NumberedLine {
  readonly id: number;
  readonly isError: boolean;
  readonly text: string;
}

export function append(log: readonly NumberedLine[], lines: readonly LogLine[]): NumberedLine[] {
  let id = log.at(-1)?.id ?? 0;
  const added = lines.map(({ is_error, text }) => ({
    id: (id += 1),
    isError: is_error,
    text: plain(text),
  }));
  return [...log, ...added].slice(-LOG_CAP);
}

/** Lines that contain what was typed, without case. */
export function matching(log: readonly NumberedLine[], wanted: string): readonly NumberedLine[] {
  const needle = wanted.toLowerCase();
  return needle === "" ? log : log.filter(({ text }) => text.toLowerCase().includes(needle));
}

/** A piece of a line, found or not. */
export interface Piece {
  readonly text: string;
  readonly found: boolean;
}

/** Cuts a line at each place where what was typed occurs. */
export function pieces(line: string, wanted: string): Piece[] {
  const needle = wanted.toLowerCase();
  const lower = line.toLowerCase();
  // Known here: some letters change length with their case; then places in the one are none in the other.
  if (needle === "" || lower.length !== line.length) return [{ text: line, found: false }];
  const cut: Piece[] = [];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    if (at > from) cut.push({ text: line.slice(from, at), found: false });
    from = at + needle.length;
    cut.push({ text: line.slice(at, from), found: true });
  }
  if (from < line.length) cut.push({ text: line.slice(from), found: false });
  return cut;
}
