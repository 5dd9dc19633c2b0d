import { expect, test } from "vitest";
import { SETTINGS } from "../backend/cast";
import { draftOf, GIB, readDraft, type Draft, type DraftProblems } from "./settings";

test("a draft of settings means those settings", () => {
  const rich = {
    ...SETTINGS,
    image: "mine:1",
    gateway_names: false,
    memory_budget_bytes: 24 * GIB,
    cpus: 1.5,
  };
  for (const settings of [SETTINGS, rich]) {
    expect(readDraft(draftOf(settings))).toEqual({ settings, problems: null });
  }
});

test.each<[Partial<Draft>, DraftProblems]>([
  [{ maxRunning: "0" }, { maxRunning: true }],
  [{ maxRunning: "2.5" }, { maxRunning: true }],
  [{ maxRunning: "" }, { maxRunning: true }],
  [{ gatewayPort: "80" }, { gatewayPort: true }],
  [{ gatewayPort: "65536" }, { gatewayPort: true }],
  [{ memoryGib: "0.1" }, { memoryGib: true }],
  [{ memoryGib: "-4" }, { memoryGib: true }],
  [{ memoryGib: "4 GB" }, { memoryGib: true }],
  [{ memoryBudgetGib: "much" }, { memoryBudgetGib: true }],
  [{ cpus: "0" }, { cpus: true }],
  [{ cpus: "1e2" }, { cpus: true }],
  [
    { cpus: "", maxRunning: "x" },
    { cpus: true, maxRunning: true },
  ],
])("%j is refused", (change, problems) => {
  const read = readDraft({ ...draftOf(SETTINGS), ...change });
  expect(read).toEqual({ settings: null, problems });
});

test("blanks around, a decimal comma and an empty image are understood", () => {
  const draft = { ...draftOf(SETTINGS), maxRunning: " 7 ", memoryGib: "1,5", image: "  " };
  expect(readDraft(draft).settings).toEqual({
    ...SETTINGS,
    max_running: 7,
    memory_bytes: 1.5 * GIB,
    image: null,
  });
});

test("contexts are named with commas or spaces, and their socket is an address", () => {
  const draft = draftOf(SETTINGS);
  const named = readDraft({ ...draft, contextsNoSync: " prod,  lab build " });
  expect(named.settings?.contexts_no_sync).toEqual(["prod", "lab", "build"]);
  for (const contextsSocket of ["", "/var/run/docker.sock", "unix://docker.sock", "tcp://x:1"])
    expect(readDraft({ ...draft, contextsSocket }).problems).toEqual({ contextsSocket: true });
});
