import type { CommandState } from "../generated/CommandState";

/** Commands that a session was given. */
export const commandTexts = {
  commands: {
    title: "Commands",
    state: {
      waiting: "waiting",
      running: "running",
      succeeded: "succeeded",
      failed: "failed",
      timed_out: "timed out",
      killed: "killed",
      rejected: "not run",
      expired: "not run",
      interrupted: "interrupted",
    } satisfies Record<CommandState, string>,
    code: (code: number) => `exit code ${code}`,
    signal: (signal: number) => `signal ${signal}`,
    left: (n: number) => (n === 1 ? "left 1 process running" : `left ${n} processes running`),
    took: (time: string) => `took ${time}`,
    cancel: "Cancel",
    cancelOf: (command: string) => `Cancel ${command}`,
    cancelling: "Ends the program and what runs in its group, or takes it out of the queue.",
    more: (n: number) => `Show ${n} more`,
    output: (command: string) => `Output of ${command}`,
    silent: "It has said nothing yet.",
    saidNothing: "It said nothing.",
    truncated: "Some of the output in the middle was left out.",
    why: {
      interrupted: "The container ended while it ran. It is not run again.",
      expired: "It came too late.",
    } as Partial<Record<CommandState, string>>,
    failed: {
      cancel: (name: string) => `Could not cancel a command in ${name}`,
      output: "The output cannot be read",
    },
  },
};
