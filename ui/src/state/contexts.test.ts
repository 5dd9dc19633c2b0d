import { expect, test } from "vitest";
import type { ContextEndView } from "../generated/ContextEndView";
import type { ContextView } from "../generated/ContextView";
import { endsOf, isWarned, listed, visibleKeys } from "./contexts";

const END: ContextEndView = {
  description: "build box",
  endpoint: "tcp://10.0.0.5:2376",
  endpoint_problem: null,
  host_only: false,
  skip_tls_verify: false,
  tls: ["ca.pem", "cert.pem", "key.pem"],
};

function context(host: ContextEndView | null, container: ContextEndView | null): ContextView {
  return { name: "build", state: "in_step", reason: null, host, container };
}

test("a context that both sides hold alike is shown once", () => {
  expect(endsOf(context(END, { ...END }))).toEqual([{ side: null, end: END }]);
});

test.each([
  ["address", { ...END, endpoint: "tcp://10.0.0.6:2376" }],
  ["description", { ...END, description: "" }],
  ["verification", { ...END, skip_tls_verify: true }],
  ["material", { ...END, tls: ["ca.pem"] }],
  ["being there", null],
])("a difference of %s shows both sides", (_, container) => {
  expect(endsOf(context(END, container)).map(({ side }) => side)).toEqual(["host", "container"]);
});

test.each(["quarantined", "ghost"] as const)(
  "what is %s is nowhere said to be missing",
  (state) => {
    expect(endsOf({ ...context(null, null), state })).toEqual([]);
    expect(endsOf({ ...context(END, null), state })).toEqual([{ side: "host", end: END }]);
  },
);

test("an authority is no secret, the rest that a container sees is", () => {
  expect(visibleKeys(context(END, END))).toEqual(["cert.pem", "key.pem"]);
  expect(visibleKeys(context(END, null))).toEqual([]);
});

test("names are told in a sentence", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});

test("a context in step that has a reason is a warning, one that waits only says why", () => {
  const one = context(END, END);
  expect(isWarned(one)).toBe(false);
  expect(isWarned({ ...one, reason: "others can read its key" })).toBe(true);
  expect(isWarned({ ...one, state: "not_synced", reason: "containers have it" })).toBe(true);
  expect(isWarned({ ...one, state: "pending", reason: "the rest is waited for" })).toBe(false);
});
