import type { ContextChangeView } from "../generated/ContextChangeView";
import type { ContextEndView } from "../generated/ContextEndView";
import type { ContextTrashView } from "../generated/ContextTrashView";
import type { ContextView } from "../generated/ContextView";
import type { ContextsView } from "../generated/ContextsView";
import { ago, CONTEXTS } from "./cast";

/** Docker contexts that appear in scripts and tests. */

function end(endpoint: string, change: Partial<ContextEndView> = {}): ContextEndView {
  return {
    description: "",
    endpoint,
    endpoint_problem: null,
    host_only: /^(unix|ssh):/.test(endpoint),
    skip_tls_verify: false,
    tls: [],
    ...change,
  };
}

function both(name: string, at: ContextEndView): ContextView {
  return { name, state: "in_step", reason: null, host: at, container: at };
}

const KEYS = ["ca.pem", "cert.pem", "key.pem"];

const SOME: readonly ContextView[] = [
  {
    ...both("build-box", end("tcp://10.0.0.5:2376", { description: "Builds", tls: KEYS })),
    reason:
      "Other users of this machine can read the key of `build-box` on the host. Close it: `chmod -R go= /home/ada/.docker/contexts/tls/0f6e`",
  },
  {
    name: "containai-docker",
    state: "special",
    reason: null,
    host: end("ssh://ana@containai.local"),
    container: end("unix:///var/run/docker.sock", { host_only: false }),
  },
  both("lab", end("ssh://ana@lab.example", { description: "The machine under the desk" })),
  {
    name: "prod",
    state: "held",
    reason: "a container changed where it leads",
    host: end("tcp://prod.example:2376", { tls: KEYS }),
    container: end("tcp://203.0.113.9:2375", { skip_tls_verify: true }),
  },
  {
    name: "staging",
    state: "quarantined",
    reason: "`/home/ada/.docker-cai/contexts/meta/8a4d…/meta.json` is a link",
    host: end("tcp://staging.example:2376", { tls: ["ca.pem"] }),
    container: null,
  },
];

export const HELD: ContextsView = {
  ...CONTEXTS,
  state: "held",
  reason: "A change waits for a person.",
  hint: null,
  contexts: [...SOME],
  holds: [
    {
      id: "prod-71c2",
      contexts: ["prod"],
      from: "container",
      message:
        "A container changed `prod`: tcp://prod.example:2376 became tcp://203.0.113.9:2375, without TLS.",
      hint: "Carry it over only when you did that yourself; otherwise take it back.",
    },
  ],
  last_change: null,
};

export const IN_STEP: ContextsView = {
  ...CONTEXTS,
  state: "in_step",
  reason: null,
  hint: null,
  contexts: SOME.filter(({ state }) => state === "in_step" || state === "special"),
};

export const HALTED: ContextsView = {
  ...IN_STEP,
  state: "halted",
  reason: "`/home/ada/.docker-cai` is gone.",
  hint: "Put it back, or set it up again: `mizzen contexts setup`. Nothing was deleted on the other side.",
};

/** What cannot be used or is left alone, where not every change is told. */
export const DAMAGED: ContextsView = {
  ...CONTEXTS,
  state: "damaged",
  reason:
    "`/home/ada/.docker/contexts/meta/8a4d…`: its meta.json cannot be used: EOF while parsing",
  hint: "Mend or remove that folder: a damaged one can make `docker context ls` fail.",
  polling: "/home/ada/.docker-cai is on a 9P disk, where not every change is told",
  container: {
    ...CONTEXTS.container,
    problem:
      "/home/ada/.docker-cai/contexts is on another disk: nothing is written there without your consent",
  },
  contexts: [
    {
      name: "8a4d1f0c",
      state: "quarantined",
      reason: "On the host its meta.json cannot be used: EOF while parsing an object",
      host: null,
      container: null,
    },
    {
      ...both("cluster", end("tcp://cluster.example:2376", { tls: KEYS })),
      state: "not_synced",
      reason:
        "Containers have it already. Take it from them: `docker --config /home/ada/.docker-cai context rm cluster`",
    },
    {
      name: "gone",
      state: "ghost",
      reason: "its folder is another name's: Docker lists it and cannot use it",
      host: null,
      container: end("ssh://ana@gone.example"),
    },
    both("lab", end("ssh://ana@lab.example")),
    {
      name: "new",
      state: "pending",
      reason: null,
      host: end("ssh://-oProxyCommand=x", { endpoint_problem: "not an address that can be used" }),
      container: null,
    },
  ],
};

export function changesOf(): ContextChangeView[] {
  return [
    {
      id: 3,
      at: ago(2),
      context: "lab",
      from: "container",
      action: "created",
      message: "`lab` is new: ssh://ana@lab.example",
      undoable: true,
    },
    {
      id: 2,
      at: ago(95),
      context: "build-box",
      from: "host",
      action: "changed",
      message: "`build-box` leads to tcp://10.0.0.5:2376 instead of tcp://10.0.0.4:2376",
      undoable: true,
    },
    {
      id: 1,
      at: ago(4000),
      context: "old",
      from: "host",
      action: "deleted",
      message: "`old` is gone",
      undoable: false,
    },
  ];
}

export function trashOf(): ContextTrashView[] {
  return [
    {
      id: "t-2",
      context: "build-box",
      side: "container",
      at: ago(95),
      reason: "the host's change replaced it",
      endpoint: "tcp://10.0.0.4:2376",
      tls: KEYS,
    },
  ];
}
