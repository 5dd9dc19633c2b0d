import { Channel, invoke } from "@tauri-apps/api/core";
import { listen, type UnlistenFn } from "@tauri-apps/api/event";
import type { Event } from "../generated/Event";
import type { LogLine } from "../generated/LogLine";
import type { Navigate } from "../generated/Navigate";
import type { Backend, Link, Listener, Stop } from "./backend";

async function listenAll({ event, link, navigate }: Listener): Promise<Stop> {
  const subscriptions: UnlistenFn[] = await Promise.all([
    listen<Event>("core-event", ({ payload }) => event(payload)),
    listen<Link>("core-link", ({ payload }) => link(payload)),
    listen<Navigate>("navigate", ({ payload }) => navigate(payload)),
  ]);
  return () => subscriptions.forEach((unlisten) => unlisten());
}

function followLogs(session: string, onLines: (lines: LogLine[]) => void): Promise<Stop> {
  return follow("follow_logs", { session }, onLines);
}

function followOutput(
  session: string,
  id: string,
  onLines: (lines: LogLine[]) => void,
): Promise<Stop> {
  return follow("follow_output", { session, id }, onLines);
}

async function follow(
  command: string,
  of: Record<string, string>,
  onLines: (lines: LogLine[]) => void,
): Promise<Stop> {
  const channel = new Channel<LogLine[]>(onLines);
  const follower = await invoke<number>(command, { ...of, channel });
  return () => {
    channel.onmessage = () => {};
    void invoke("stop_logs", { follower });
  };
}

/** The desktop shell. Names and parameters are those of `src-tauri/src/commands.rs`. */
export const tauri: Backend = {
  listen: listenAll,
  followLogs,
  followOutput,
  uiReady: () => invoke("ui_ready"),
  snapshot: () => invoke("snapshot"),
  run: (verb) => invoke("run_verb", { verb }),
  askSync: (session, question) => invoke("ask_sync", { session, question }),
  engines: () => invoke("engines"),
  askContexts: (question) => invoke("ask_contexts", { question }),
  openSession: (session, port) => invoke("open_session", { session, port: port ?? null }),
  doctor: () => invoke("doctor"),
  look: (session) => invoke("look", { session }),
  pickFolder: () => invoke("pick_folder"),
  startAtLogin: () => invoke("start_at_login"),
  setStartAtLogin: (on) => invoke("set_start_at_login", { on }),
};
