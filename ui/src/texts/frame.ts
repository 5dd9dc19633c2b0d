/** What stands round the views. */
export const frameTexts = {
  product: "Mizzen",
  loading: "Loading sessions",
  cancel: "Cancel",
  close: "Close",
  copy: "Copy",
  copied: "Copied",
  dismiss: "Dismiss",
  retry: "Try again",
  back: "Back to the list",
  none: "none",
  willHappen: "What will happen",

  nav: {
    label: "Views",
    sessions: "Sessions",
    alerts: "Alerts",
    contexts: "Contexts",
    settings: "Settings",
    doctor: "Doctor",
    help: "Keyboard",
    alertCount: (n: number) => (n === 1 ? "1 alert" : `${n} alerts`),
  },

  engine: {
    connecting: (name: string) => `Connecting to engine ${name}…`,
    offline: (name: string) => `Engine ${name} does not answer`,
    offlineSince: (at: string) => `since ${at}`,
    retry: "Try now",
    checks: "Run checks",
    online: (version: string) => `Docker ${version}`,
    state: { connecting: "connecting", online: "online", offline: "offline" },
  },

  link: {
    lost: "No connection to Mizzen's core",
    lostHint: "What you see may be out of date. The window goes on trying.",
    failed: "Mizzen's core does not answer",
  },

  firstRun: {
    title: "Give an agent a room of its own",
    lead: "A session is a container round one project folder: the agent works in there, with its own tools and limits, and you look in through code-server.",
    engine: "A Docker engine answers",
    engineOnline: (version: string, endpoint: string) => `Docker ${version} at ${endpoint}`,
    engineMissing: "Mizzen needs Docker. Install or start it, then try again.",
    image: "The session image",
    imageHint:
      "Built once from a Debian base: git, Node.js, code-server and an agent. It can be built now, or with the first session.",
    imageBuilding: "Building. You may close the window meanwhile.",
    imageReady: "The image is there.",
    build: "Build it now",
    session: "Your first session",
    sessionHint: "Choose a project folder. Everything else has a sensible default.",
    create: "Start a session…",
    stepDone: "done",
    stepNow: "next",
    stepWaits: "waits",
  },

  help: {
    title: "Keyboard",
    keys: [
      [["↑", "↓"], "Move through the sessions"],
      [["Home", "End"], "First and last session"],
      [["Enter"], "Go to the session's details"],
      [["Esc"], "Back to the list, close a dialog, clear the filter"],
      [["/"], "Filter"],
      [["N"], "New session"],
      [["O"], "Open code-server of the selected session"],
      [["1", "…", "5"], "Sessions, Alerts, Contexts, Settings, Doctor"],
      [["?"], "This page"],
    ] as readonly (readonly [readonly string[], string])[],
  },
};
