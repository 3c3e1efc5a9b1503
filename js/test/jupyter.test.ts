import { beforeEach, expect, test } from "vitest";
import type { Receiver } from "../src/wire/hub";
import { hubOf, type Model } from "../src/wire/jupyter";
import { windowOf } from "./window";

beforeEach(() => void windowOf());

type Slot = (sender: unknown, args: never) => void;

/** A connection to a kernel, as JupyterLab has it. */
class Kernel {
  status = "idle";
  comms = 0;
  private readonly slots: Record<string, Slot[]> = { status: [], iopub: [] };
  readonly statusChanged = this.signal("status");
  readonly iopubMessage = this.signal("iopub");

  constructor(readonly id: string) {}

  private signal(name: string): { connect: (slot: Slot) => boolean } {
    return { connect: (slot) => this.slots[name].push(slot) > 0 };
  }
  createComm(): unknown {
    this.comms += 1;
    return { open: () => {}, send: () => undefined };
  }
  /** Say a state, as the kernel of a session. */
  say(session: string, state: string): void {
    if (state !== this.status) {
      this.status = state;
      for (const slot of this.slots.status) slot(this, state as never);
    }
    const message = { header: { session }, content: { execution_state: state } };
    for (const slot of this.slots.iopub) slot(this, message as never);
  }
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What is told of the life of a widget whose kernel is spoken to. */
async function told(kernel: Kernel): Promise<string[]> {
  const lives: string[] = [];
  const model = { on: () => {}, off: () => {}, widget_manager: { kernel } };
  const hub = hubOf(model as unknown as Model, new AbortController().signal);
  const receiver: Receiver = { sequence: 0, settled: false, apply: () => true, paint: () => {} };
  hub.add("a", receiver, (life) => lives.push(life));
  await later();
  return lives;
}

test("a kernel that is restarted is lost, and spoken to again", async () => {
  const kernel = new Kernel("restarted");
  const lives = await told(kernel);
  for (const state of ["busy", "idle"]) kernel.say("first", state);
  expect([lives, kernel.comms]).toEqual([[], 1]);
  kernel.say("second", "starting");
  expect(lives).toEqual(["lost"]);
  for (const state of ["busy", "idle", "busy"]) kernel.say("second", state);
  await later();
  expect([lives, kernel.comms]).toEqual([["lost"], 2]);
});

test("a restart that was not heard of shows in what the kernel says next", async () => {
  const kernel = new Kernel("unheard");
  const lives = await told(kernel);
  for (const state of ["busy", "idle"]) kernel.say("first", state);
  for (const state of ["busy", "idle"]) kernel.say("second", state);
  await later();
  expect([lives, kernel.comms]).toEqual([["lost"], 2]);
});

test("what the server says of a kernel is no other life of it", async () => {
  const kernel = new Kernel("server");
  const lives = await told(kernel);
  kernel.say("first", "idle");
  kernel.say("server", "restarting");
  for (const state of ["busy", "idle"]) kernel.say("second", state);
  await later();
  expect([lives, kernel.comms]).toEqual([["lost"], 2]);
});
