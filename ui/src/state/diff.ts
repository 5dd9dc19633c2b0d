/** Where a line stands: in both versions, or in one. Others say where in the file one is. */
export type DiffKind = "both" | "host" | "container" | "place" | "note";

/** A piece of a line, and whether it is what differs in it. */
export interface DiffPiece {
  readonly text: string;
  readonly differs: boolean;
}

export interface DiffLine {
  readonly kind: DiffKind;
  readonly pieces: readonly DiffPiece[];
  /** Its number in that version. */
  readonly host: number | null;
  readonly container: number | null;
}

/** A diff as it is shown: no more lines than a person looks at, none longer than a page. */
export interface ShownDiff {
  readonly lines: readonly DiffLine[];
  /** Lines that only one version has. */
  readonly hostOnly: number;
  readonly containerOnly: number;
  /** Lines that are not shown. */
  readonly cut: number;
}

/** Lines that are shown before a person asks for all. */
export const FOLD = 28;
/** Lines that are shown at all, and characters of one. */
const LINES_MAX = 3000;
const LINE_MAX = 2000;

const HEAD = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;
const KINDS: Record<string, DiffKind> = { " ": "both", "-": "host", "+": "container" };

/** Reads a unified diff from the host's version to the container's. */
export function readDiff(diff: string): ShownDiff {
  const texts = diff.split("\n");
  if (texts.at(-1) === "") texts.pop();
  const lines: DiffLine[] = [];
  let [host, container, hostOnly, containerOnly] = [0, 0, 0, 0];
  for (const text of texts) {
    const head = HEAD.exec(text);
    const kind = head ? "place" : (KINDS[text[0] ?? " "] ?? "note");
    if (head) [host, container] = [Number(head[1]), Number(head[2])];
    const inHost = kind === "both" || kind === "host";
    const inContainer = kind === "both" || kind === "container";
    if (kind === "host") hostOnly += 1;
    if (kind === "container") containerOnly += 1;
    if (lines.length < LINES_MAX) {
      lines.push({
        kind,
        pieces: [{ text: clipped(kind === "place" ? text : text.slice(1)), differs: false }],
        host: inHost ? host : null,
        container: inContainer ? container : null,
      });
    }
    if (inHost) host += 1;
    if (inContainer) container += 1;
  }
  return { lines: compared(lines), hostOnly, containerOnly, cut: texts.length - lines.length };
}

function clipped(text: string): string {
  return text.length <= LINE_MAX ? text : `${text.slice(0, LINE_MAX)}…`;
}

/** Where as many lines stand against each other, each shows what differs in it. */
function compared(lines: readonly DiffLine[]): DiffLine[] {
  const all = [...lines];
  for (let at = 0; at < all.length;) {
    const [host, container] = [
      run(all, at, "host"),
      run(all, at + run(all, at, "host"), "container"),
    ];
    if (host > 0 && host === container) {
      for (let line = at; line < at + host; line += 1) pair(all, line, line + host);
    }
    at += Math.max(1, host + container);
  }
  return all;
}

function run(lines: readonly DiffLine[], from: number, kind: DiffKind): number {
  let to = from;
  while (lines[to]?.kind === kind) to += 1;
  return to - from;
}

function pair(lines: DiffLine[], one: number, other: number): void {
  const [a, b] = [lines[one], lines[other]];
  if (!a || !b) return;
  const [textA, textB] = [a.pieces[0]?.text ?? "", b.pieces[0]?.text ?? ""];
  const most = Math.min(textA.length, textB.length);
  let start = 0;
  while (start < most && textA[start] === textB[start]) start += 1;
  let end = 0;
  while (end < most - start && textA.at(-1 - end) === textB.at(-1 - end)) end += 1;
  // Lines that have little in common are better seen whole.
  if (start + end < Math.max(textA.length, textB.length) / 3) return;
  lines[one] = { ...a, pieces: cut(textA, start, end) };
  lines[other] = { ...b, pieces: cut(textB, start, end) };
}

function cut(text: string, start: number, end: number): DiffPiece[] {
  // Half a character is none.
  if (isLow(text, start)) start -= 1;
  let to = text.length - end;
  if (isLow(text, to)) to += 1;
  return [
    { text: text.slice(0, start), differs: false },
    { text: text.slice(start, to), differs: true },
    { text: text.slice(to), differs: false },
  ].filter(({ text }) => text !== "");
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
