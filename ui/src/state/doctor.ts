import type { CheckState } from "../generated/CheckState";
import type { DoctorReport } from "../generated/DoctorReport";
import { texts } from "../texts";

const SIGNS: Record<CheckState, string> = { ok: "ok  ", warning: "warn", problem: "FAIL" };

/** The report as text, to paste into a question or a bug report. */
export function reportText({ checks }: DoctorReport, version: string): string {
  const lines = checks.flatMap(({ state, title, message, fix }) => [
    `${SIGNS[state]}  ${title}: ${message}`,
    ...(fix ? [`      ${texts.doctor.fix}: ${fix}`] : []),
  ]);
  return [`${texts.product} ${version}`, ...lines].join("\n");
}

/** All checks in one sentence. */
export function summary({ checks }: DoctorReport): string {
  const count = (wanted: CheckState) => checks.filter(({ state }) => state === wanted).length;
  const problems = count("problem");
  if (problems > 0) return texts.doctor.problems(problems);
  const warnings = count("warning");
  return warnings > 0 ? texts.doctor.warnings(warnings) : texts.doctor.allWell;
}
