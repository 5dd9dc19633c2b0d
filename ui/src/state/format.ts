const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1.5 GiB`: to a tenth of a binary unit, as the core tells sizes. One table holds both to it. */
export function bytes(value: number): string {
  const tenths = (unit: number) => Math.round((value * 10) / 1024 ** unit);
  let unit = 0;
  while (tenths(unit) >= 10_240 && unit < UNITS.length - 1) unit += 1;
  return `${tenths(unit) / 10} ${UNITS[unit]}`;
}

/** `850 ms`, `3.2 s`, `48 s`, `4 min 5 s`, `2 h 3 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, "min", seconds % 60, "s");
  return joined(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

function joined(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** Age of a moment, coarse enough to be true until the next tick of the clock. */
export function age(at: string, now: number, little = "less than a minute"): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return little;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** `10:42`, with the day when it was another one. */
export function clock(at: string, now: number): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return "";
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (then.toDateString() === new Date(now).toDateString()) return time;
  return `${then.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}

/** `37 %`; one decimal below ten. */
export function percent(value: number): string {
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** The end of a path, which tells folders apart; the start is cut. */
export function tail(path: string, length: number): string {
  return path.length <= length ? path : `…${path.slice(path.length - length + 1)}`;
}

const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Control characters, and those that reorder or hide text: a container must not disguise a line.
const INVISIBLE =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A line from a container as plain visible text. */
export function plain(line: string): string {
  return line.replace(ESCAPES, "").replace(INVISIBLE, "");
}

/** A message as it stands in a log, `cannot read X`, as a sentence: `Cannot read X.` */
export function sentence(message: string): string {
  const text = plain(message).trim();
  const begun = text.replace(/^[a-z](?=[a-z]*[ ,:])/, (letter) => letter.toUpperCase());
  return text === "" || /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}

/** A piece of a message: words, or what stands between backticks. */
export interface Span {
  readonly text: string;
  readonly code: boolean;
}

export function spans(message: string): Span[] {
  return message
    .split(/`([^`]+)`/)
    .map((text, at) => ({ text, code: at % 2 === 1 }))
    .filter(({ text }) => text !== "");
}
