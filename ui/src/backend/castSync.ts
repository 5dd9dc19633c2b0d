import type { ConflictView } from "../generated/ConflictView";
import type { PastCycleView } from "../generated/PastCycleView";
import type { PastSideView } from "../generated/PastSideView";
import { ago } from "./cast";

/** Conflicts and cycles that appear in scripts and tests. */

const DIFF = `@@ -12,9 +12,11 @@
 import { open } from "./store";

 export async function checkout(cart: Cart): Promise<Order> {
-  const total = sum(cart.items);
-  const order = await open("orders").put({ cart, total });
+  const total = sum(cart.items, cart.discount);
+  const order = await open("orders").put({ cart, total, at: Date.now() });
+  await notify(order);
+  log.info("order %s", order.id);
   return order;
 }

-function sum(items: readonly Item[]): number {
+function sum(items: readonly Item[], discount = 0): number {
@@ -40,5 +42,4 @@
   for (const item of items) {
-    // Prices are in cents.
     total += item.price * item.count;
   }
   return total;
`;

/** Longer than is shown at once, and with what would hide or reorder text. */
const LONG = `@@ -1,1 +1,90 @@\n-[package]\n${Array.from(
  { length: 90 },
  (_, at) => `+line ${at + 1} of what was generated\n`,
).join("")}`;

const HOSTILE = `@@ -1,3 +1,3 @@
 if (user.isAdmin) {
-  allow();
+  \u202eallow(); // \u2066never\u2069<img src=x onerror="window.owned=1">\u001b[31m
 }
\\ No newline at end of file
`;

const file = (size: number, minutes: number) => ({
  kind: "file",
  size,
  modified: ago(minutes),
  entries: null,
});

const CONFLICTS: readonly ConflictView[] = [
  { path: "src/checkout.ts", host: file(1612, 4), container: file(1740, 2), diff: DIFF },
  { path: "assets/logo.png", host: file(48_210, 90), container: file(51_877, 1), diff: null },
  { path: "docs/old-plan.md", host: null, container: file(7_311, 12), diff: null },
  {
    path: "fixtures",
    host: { kind: "folder", size: null, modified: null, entries: 14 },
    container: { kind: "link", size: null, modified: null, entries: null },
    diff: null,
  },
  { path: "package-lock.json", host: file(92_004, 30), container: file(93_550, 3), diff: LONG },
  { path: "src/\u202estoc.exe", host: file(40, 9), container: file(96, 5), diff: HOSTILE },
];

/** So many conflicts, sorted by their paths as the core does. */
export function conflictsOf(count: number): ConflictView[] {
  const views = Array.from({ length: count }, (_, at) => {
    const known = CONFLICTS[at % CONFLICTS.length]!;
    const round = Math.floor(at / CONFLICTS.length);
    return round === 0 ? known : { ...known, path: `round-${round}/${known.path}` };
  });
  return views.sort((one, other) => (one.path < other.path ? -1 : 1));
}

const PLACES = ["src/checkout.ts", "src/store.ts", "README.md", "tests/checkout.test.ts"];

function changed(at: number, places: number): PastSideView {
  const was = ["replace", "create", "remove"] as const;
  const changes = Array.from({ length: Math.min(places, 1000) }, (_, place) => ({
    path:
      place < 4 ? (PLACES[(at + place) % PLACES.length] ?? "") : `dist/assets/chunk-${place}.js`,
    was: was[(at + place) % was.length] ?? "create",
  }));
  const files = changes.filter((change) => change.was !== "create").length;
  return { changes, places, files, bytes: files * 3172 };
}

/** So many cycles, one every seven minutes, the last one first. */
export function pastOf(count: number): PastCycleView[] {
  return Array.from({ length: count }, (_, at) => {
    const [time] = ago(4 + at * 7)
      .replace(/[-:]/g, "")
      .split(".");
    const places = at % 9 === 4 ? 1400 : 1 + ((at * 5) % 7);
    const lock = { path: "Cargo.lock", was: "replace" };
    return {
      cycle: `${time}.000000000Z`,
      host: at % 3 === 1 ? null : { ...changed(at, places) },
      container: at % 3 === 0 ? null : { changes: [lock], places: 1, files: 1, bytes: 41_220 + at },
    };
  });
}
