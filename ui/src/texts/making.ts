import type { NameProblem } from "../state/name";
import type { WorkspaceKind } from "../generated/WorkspaceKind";

/** What makes a session and takes it away. */
export const makingTexts = {
  create: {
    title: "New session",
    folder: "Project folder",
    folderHint: {
      bind: "The agent works on this folder itself.",
      sync: "The agent works on a copy that is kept in step with this folder.",
      mirror: "The agent works on a copy that its container keeps in step with this folder.",
    } satisfies Record<WorkspaceKind, string>,
    choose: "Choose…",
    folderProblem: "Give the whole path, from the root.",
    name: "Name",
    nameHint: (host: string) => `Its address will be ${host}`,
    workspace: "Workspace",
    workspaceKind: {
      bind: "The folder itself",
      sync: "A copy, kept in step",
      mirror: "A copy, kept in step by the container",
    } satisfies Record<WorkspaceKind, string>,
    workspaceHint: {
      bind: "Mounted into the container: one set of files, and each change is there at once.",
      sync: "Changes go both ways. What git ignores, keys and tokens stay on your side; git has a branch of its own there.",
      mirror:
        "Also while Mizzen does not run. The container sees the whole folder for it, keys and .git too.",
    } satisfies Record<WorkspaceKind, string>,
    engine: "Engine",
    engineHint: "Where its container runs. An engine on another machine works on a copy.",
    engineUnusable: "cannot be used",
    more: "Image and limits",
    image: "Image",
    imageOwn: "Mizzen's own",
    memory: "Memory",
    memoryUnit: "GiB",
    memoryProblem: "A number from 0.25 to 4096.",
    cpus: "Processors",
    cpusProblem: "A number from 0.1 to 512.",
    submit: "Start session",
    plan: "What will happen",
    planImage: "Mizzen's image is used. The first time it is built, which takes some minutes.",
    planOtherImage: (image: string) => `The image ${image} is used. Mizzen adds its supervisor.`,
    planFolder: {
      bind: (folder: string) =>
        `${folder} is mounted at /workspace. What the agent changes there, changes on your disk.`,
      sync: (folder: string) =>
        `${folder} is copied to a volume at /workspace and kept in step with it. What the agent changes there is carried to your disk.`,
      mirror: (folder: string) =>
        `${folder} is mounted at /host, and the container keeps a volume at /workspace in step with it.`,
    } satisfies Record<WorkspaceKind, (folder: string) => string>,
    planNoFolder: "Your folder",
    planLimits: (memory: string, cpus: string) =>
      `The container may use ${memory} of memory and ${cpus} processors. It runs as the folder's owner, never as root.`,
    planNet: "Nothing is published on the network. code-server opens through Mizzen's own gateway.",
    full: (max: number) =>
      `${max} sessions are active, which is the limit. Stop one, or raise “sessions at once” in Settings.`,
    working: "Checking…",
  },

  nameProblem: {
    empty: "A session needs a name.",
    too_long: "At most 63 characters.",
    malformed: "Letters, digits, “_”, “.” and “-”; a letter or digit at both ends.",
    reserved: "This name is reserved.",
    taken: "Another session has this name.",
  } satisfies Record<NameProblem, string>,

  remove: {
    title: (name: string) => `Remove ${name}?`,
    goes: "Goes",
    goesWhat: "Its container, its network and its status files.",
    goesHere: "Its status files, and what Mizzen knows of it.",
    stays: "Stays",
    staysWhat: (folder: string) => `${folder}, with all that is in it.`,
    outOfReach: (engine: string) => `Its engine ${engine} is out of reach.`,
    outOfReachWhat:
      "Its container stays there, with its network and volumes, and runs on if it runs now. Mizzen does not take it over again.",
    running: "It is active. It is stopped first, and every process in it ends.",
    staysVolume:
      "The volume with its workspace. A new session of this name and folder goes on with it.",
    volumes: "Also delete its volumes",
    volumesHint: {
      bind: "Settings and logins kept in the session's home. They cannot be brought back.",
      sync: "Settings and logins kept in the session's home, and the workspace in the container. They cannot be brought back.",
      mirror:
        "Settings and logins kept in the session's home, and the workspace in the container. They cannot be brought back.",
    } satisfies Record<WorkspaceKind, string>,
    notCarried: "The workspace may hold what is not in your folder.",
    notCarriedHint: "What was not carried there goes with the volume.",
    submit: "Remove session",
  },
};
