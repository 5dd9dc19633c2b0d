import type { SessionView } from "../generated/SessionView";

/** One measurement of a session. */
export interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly memory: number;
}

/** How far back the charts look. */
export const SPAN_MS = 120_000;

/** Takes in the figures of a view that was just received; keeps what the charts show. */
export function withSample(samples: readonly Sample[], view: SessionView, at: number): Sample[] {
  const kept = samples.filter((sample) => at - sample.at <= SPAN_MS);
  if (view.cpu_percent === null || view.memory_bytes === null) return kept;
  return [...kept, { at, cpu: view.cpu_percent, memory: view.memory_bytes }];
}

/** A line and the area under it, in a box of `width` by `height`, newest at the right edge. */
export interface Curve {
  readonly line: string;
  readonly area: string;
}

export function curve(
  samples: readonly Sample[],
  pick: (sample: Sample) => number,
  box: { width: number; height: number; top: number; now: number },
): Curve {
  const points = samples.map((sample) => {
    const x = box.width * (1 - (box.now - sample.at) / SPAN_MS);
    const y = box.height * (1 - Math.min(1, pick(sample) / box.top));
    return [x.toFixed(1), y.toFixed(1)] as const;
  });
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return { line: "", area: "" };
  const line = `M${points.map(([x, y]) => `${x} ${y}`).join("L")}`;
  return { line, area: `${line}V${box.height}H${first[0]}Z` };
}
