/**
 * The one place that knows Jupyter: finds a hub's connection to the kernel.
 *
 * JupyterLab's kernel object lets a page open a comm of its own, which ipykernel 7 serves on a
 * thread of its own even while a cell runs. Where there is no such object (VS Code, Colab), messages
 * go through the widget models instead, which works as long as no cell runs.
 */

import { Hub, type Transport } from "./hub";
import type { Said } from "./protocol";

const TARGET = "udfwidgets.hub";
const HUBS = Symbol.for("udfwidgets.hubs");
/** How long a subshell may take to start before the comm is used without one. */
const SUBSHELL_PATIENCE = 3000;

type Listener = (...args: never[]) => void;

/** What anywidget hands to `initialize` and `render`. */
export interface Model {
  get<T>(name: string): T;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown, callbacks?: unknown, buffers?: unknown): void;
  on(event: string, callback: Listener): void;
  off(event: string, callback?: Listener): void;
  widget_manager?: Manager;
}

/** A widget model as its manager hands it out. */
export interface BackboneModel {
  get(name: string): unknown;
  set(values: Record<string, unknown>): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

export interface Manager {
  kernel?: Kernel | null;
  /** In JupyterLab: the notebook, as long as it is open. */
  context?: { isDisposed: boolean };
  get_model(id: string): Promise<BackboneModel>;
}

interface Signal<Args> {
  connect(slot: (sender: unknown, args: Args) => void): boolean;
}

interface Kernel {
  id: string;
  createComm?(target: string): Comm;
  isDisposed?: boolean;
  status?: string;
  statusChanged?: Signal<string>;
  iopubMessage?: Signal<Spoken>;
  disposed?: Signal<unknown>;
}

/** What a kernel tells everybody; each of its lives has a session of its own. */
interface Spoken {
  header: { session: string };
  content: { execution_state?: string };
}

/** After one of these a kernel knows nothing of what was said before, whoever has restarted it. */
const GONE = new Set(["starting", "restarting", "autorestarting", "terminating", "dead"]);
/** A kernel that says one of these can be spoken to. */
const READY = new Set(["idle", "busy"]);

interface Comm {
  isDisposed?: boolean;
  subshellStarted?: Promise<void>;
  onMsg: (message: { content: { data: unknown }; buffers?: (DataView | ArrayBuffer)[] }) => void;
  onClose: () => void;
  open(data: unknown): unknown;
  send(data: unknown): { dispose?(): void } | undefined;
}

class Entry {
  readonly hub = new Hub();
  readonly models = new Set<Model>();
  private opening = false;
  /** Whether messages go through the models because the kernel has refused a comm. */
  private isMakeshift = false;
  private readonly watched = new WeakSet<Kernel>();
  private isGone = false;

  /** Let the hub speak, and be spoken to, as long as a model lives. */
  attach(model: Model, signal: AbortSignal): void {
    this.models.add(model);
    const heard = (message: unknown, buffers: DataView[]): void =>
      this.hub.receive(message, buffers);
    model.on("msg:custom", heard);
    signal.addEventListener("abort", () => {
      this.models.delete(model);
      model.off("msg:custom", heard);
    });
    this.watch(model.widget_manager?.kernel ?? null);
    void this.connect();
  }

  /** Take note when a kernel ends, which no comm is told of. */
  private watch(kernel: Kernel | null): void {
    if (!kernel || this.watched.has(kernel)) return;
    this.watched.add(kernel);
    // A notebook that is opened again has a new connection: what became of the last one is past.
    this.isGone = kernel.isDisposed === true || GONE.has(kernel.status ?? "");
    const isCurrent = (): boolean => (this.model?.widget_manager?.kernel ?? kernel) === kernel;
    let session = "";
    const gone = (): void => {
      session = "";
      // Each notebook has a connection of its own, and one that is closed says nothing of others.
      if (!isCurrent()) return;
      this.isGone = true;
      this.hub.lose();
    };
    kernel.disposed?.connect(gone);
    const ready = (): void => {
      if (!READY.has(kernel.status ?? "") || !this.isGone || !isCurrent()) return;
      // Asked anew: one that has only been out of reach still knows its widgets.
      this.isGone = false;
      void this.connect();
    };
    kernel.statusChanged?.connect((_, status) => {
      if (GONE.has(status)) gone();
      else ready();
    });
    // A window that has not restarted it itself may be out of reach while it says that it starts.
    // What it hears next comes from another life.
    kernel.iopubMessage?.connect((_, { header, content }) => {
      if (GONE.has(content.execution_state ?? "")) return;
      const before = session;
      if (before && before !== header.session) {
        gone();
        ready();
      }
      session = header.session;
    });
  }

  /** The newest model: a notebook that was closed leaves its own behind, which reach nobody. */
  private get model(): Model | undefined {
    return [...this.models].at(-1);
  }

  private isThere(): boolean {
    return !this.isGone;
  }

  private async connect(): Promise<void> {
    if ((this.hub.connected && !this.isMakeshift) || this.opening || this.isGone) return;
    this.opening = true;
    this.isMakeshift = false;
    try {
      const kernel = this.model?.widget_manager?.kernel ?? null;
      const transport = (await this.openComm(kernel)) ?? this.throughModels();
      // It may have ended meanwhile.
      if (this.isThere()) this.hub.connect(transport);
    } finally {
      this.opening = false;
    }
  }

  private async openComm(kernel: Kernel | null): Promise<Transport | null> {
    if (!kernel?.createComm) return null;
    try {
      const comm = kernel.createComm(TARGET);
      comm.onMsg = (message) => this.hub.receive(message.content.data, message.buffers ?? []);
      await started(comm);
      let open = false;
      comm.onClose = () => {
        // A kernel without udfwidgets closes it at once, and knows none of the widgets there are;
        // those to come may have brought it.
        open = false;
        this.hub.lose();
        this.isMakeshift = true;
        this.hub.connect(this.throughModels());
      };
      return {
        send: (message) => {
          if (comm.isDisposed) {
            this.hub.disconnect();
            void this.connect();
            return;
          }
          try {
            // Nobody waits for the kernel to say that it is idle again, which it does not.
            if (open) comm.send(message)?.dispose?.();
            else comm.open(message);
            open = true;
          } catch {
            // JupyterLab refuses to send to a kernel that is dead.
            this.hub.lose();
          }
        },
      };
    } catch (error) {
      console.warn("udfwidgets: no comm of its own; updates wait for running cells", error);
      return null;
    }
  }

  private throughModels(): Transport {
    const send = (said: Said): void => {
      try {
        this.model?.send(said);
      } catch {
        // Its kernel is gone. The next model to come may have another one.
        this.hub.disconnect();
      }
    };
    return { send };
  }
}

/** The hub of a model's kernel; every copy of this module in a page finds the same. */
export function hubOf(model: Model, signal: AbortSignal): Hub {
  const page = globalThis as unknown as Record<symbol, Map<string, Entry> | undefined>;
  const hubs = (page[HUBS] ??= new Map<string, Entry>());
  const id = model.widget_manager?.kernel?.id ?? "";
  let entry = hubs.get(id);
  if (!entry) {
    entry = new Entry();
    const { hub } = entry;
    // Not while it is captured: whoever still has something to say does so then.
    addEventListener("pagehide", () => hub.say({ type: "bye" }));
    hubs.set(id, entry);
  }
  entry.attach(model, signal);
  return entry.hub;
}

/** Wait for the thread that will serve the comm; without one it works as well, but may wait. */
async function started(comm: Comm): Promise<void> {
  if (!comm.subshellStarted) return;
  const patience = new Promise<void>((resolve) => setTimeout(resolve, SUBSHELL_PATIENCE));
  await Promise.race([comm.subshellStarted.catch(() => undefined), patience]);
}
