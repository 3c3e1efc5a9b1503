/**
 * One per page and kernel: hands what comes in to the widgets, and paces it by what was painted.
 *
 * All widgets of a page share one connection (see `protocol.ts` for what is said on it). Frames are
 * taken in as they arrive, painted together in the next animation frame, and acknowledged together
 * after that, so that a browser that is slow, or a tab that is hidden, gets no more than it shows.
 */

import {
  isFrames,
  type DrawingFrame,
  type FromPage,
  type ImageFrame,
  type Said,
  type StatusFrame,
  type TotalsFrame,
  type Unsigned,
  type View,
} from "./protocol";

export interface Transport {
  send(said: Said): void;
}

export type Part = ImageFrame | StatusFrame | TotalsFrame | DrawingFrame;

/** What a widget's model does with its parts. */
export interface Receiver {
  /** Sequence number of the last part that was taken in. */
  readonly sequence: number;
  /** Nothing more is expected. */
  readonly settled: boolean;
  /** Take a part in; false if something before it was missed. */
  apply(part: Part, buffers: readonly DataView[]): boolean;
  /** Show what was taken in. */
  paint(): void;
}

/** The parts of a browser that a test replaces. */
export interface Clock {
  frame(callback: () => void): void;
  soon(callback: () => void): void;
  every(milliseconds: number, callback: () => void): () => void;
}

export const browserClock: Clock = {
  frame: (callback) => void requestAnimationFrame(callback),
  soon: (callback) => void setTimeout(callback),
  every: (milliseconds, callback) => {
    const timer = setInterval(callback, milliseconds);
    return () => clearInterval(timer);
  },
};

/** After this many silent rounds a page asks whether it has missed something. */
const ROUND = 2000;
const LONGEST_SILENCE = 16;

/** Somebody waits for the answer, or the connection may be gone in a moment. */
const AT_ONCE = new Set<FromPage["type"]>(["command", "draw", "gone", "bye"]);

/** Frames after a drawing hand's last word in which a further one is expected, to be said together. */
const EXPECTANT = 4;

/** Widgets whose parts are kept until their models are there. */
const EXPECTED = 64;

/**
 * Whether a kernel answers for a widget: it has been asked, it has answered, or it seems to be gone.
 *
 * What came with a saved notebook is asked for, too, and its kernel may have ended long ago.
 */
export type Life = "asked" | "known" | "lost";

interface Member {
  receiver: Receiver;
  view: View;
  life: Life;
  onLife: (life: Life) => void;
}

export class Hub {
  readonly page: string;
  private readonly members = new Map<string, Member>();
  private readonly fresh = new Map<string, number>();
  /** What has come for models that are still to be made, in their order. */
  private readonly early = new Map<string, [Part, readonly DataView[]][]>();
  private transport: Transport | null = null;
  /** What is to be said together. */
  private outbox: FromPage[] = [];
  private scheduled = false;
  /** Whether the outbox is emptied soon: what lingers there alone is not. */
  private isDue = false;
  /** In how many more frames what can wait is said with the next move of a hand. */
  private led = 0;
  private silent = 0;
  private patience = 1;
  private stopRounds: (() => void) | null = null;

  constructor(
    private readonly clock: Clock = browserClock,
    page: string = randomName(),
  ) {
    this.page = page;
  }

  /** Speak through this connection from now on; everything is asked for again. */
  connect(transport: Transport): void {
    this.transport = transport;
    this.say({ type: "hello" });
    for (const [key, member] of this.members) this.want(key, member);
  }

  disconnect(): void {
    this.transport = null;
  }

  /**
   * Take the kernel to be gone, with all that it knew, until it speaks again.
   *
   * Nobody says so to a comm: what is asked on it is never answered.
   */
  lose(): void {
    this.disconnect();
    this.outbox = [];
    for (const member of this.members.values()) {
      // The end of a run that is in the notebook is no less true for that.
      if (member.life === "known" || !member.receiver.settled) this.tell(member, "lost");
    }
  }

  private tell(member: Member, life: Life): void {
    if (member.life === life) return;
    member.life = life;
    member.onLife(life);
  }

  get connected(): boolean {
    return this.transport !== null;
  }

  /** Take in the parts for a widget until the function returned is called. */
  add(key: string, receiver: Receiver, onLife: (life: Life) => void = () => {}): () => void {
    const member: Member = { receiver, view: "none", life: "asked", onLife };
    this.members.set(key, member);
    const early = this.early.get(key) ?? [];
    this.early.delete(key);
    for (const [part, buffers] of early) this.take(part, buffers, member);
    if (early.length > 0) this.say({ type: "have", held: [[key, receiver.sequence]] });
    else if (this.connected) this.want(key, member);
    this.stopRounds ??= this.clock.every(ROUND, () => this.round());
    return () => this.remove(key, member);
  }

  private remove(key: string, member: Member): void {
    if (this.members.get(key) !== member) return;
    this.members.delete(key);
    this.say({ type: "gone", key });
    if (this.members.size === 0) {
      this.stopRounds?.();
      this.stopRounds = null;
    }
  }

  /** Say whether there is a view of a widget, and whether it can be seen. */
  see(key: string, view: View): void {
    const member = this.members.get(key);
    if (!member || member.view === view) return;
    member.view = view;
    this.say({ type: "see", key, view });
  }

  /** Speak, together with what is said at the same time. */
  say(message: Unsigned): void {
    if (!this.connected) return;
    this.outbox.push({ ...message, page: this.page });
    if (message.type === "draw") this.led = EXPECTANT;
    if (AT_ONCE.has(message.type)) this.flush();
    else if (this.isDue) return;
    // Each message costs JupyterLab more than it costs us: it shows that the kernel is busy, and not.
    else if (message.type === "ack" && this.led > 0) {
      if (this.outbox.length === 1) this.linger();
    } else {
      this.isDue = true;
      this.clock.soon(() => this.flush());
    }
  }

  /** Leave what can wait to the next move of a hand, for some frames. */
  private linger(): void {
    if (this.outbox.length === 0) return;
    if (this.led-- > 0) this.clock.frame(() => this.linger());
    else this.flush();
  }

  private flush(): void {
    this.isDue = false;
    const messages = this.outbox.splice(0);
    if (messages.length > 0) this.transport?.send({ type: "said", page: this.page, messages });
  }

  /** Take in whatever the connection delivers. */
  receive(message: unknown, buffers: readonly (DataView | ArrayBuffer)[] = []): void {
    if (!isFrames(message, this.page)) return;
    this.silent = 0;
    this.patience = 1;
    const views = buffers.map((b) => (b instanceof ArrayBuffer ? new DataView(b) : b));
    const { images, statuses, totals, drawings } = message;
    for (const part of [...images, ...statuses, ...totals, ...drawings]) {
      const member = this.members.get(part.key);
      if (member) this.take(part, views, member);
      else this.keep(part, views);
    }
  }

  private take(part: Part, buffers: readonly DataView[], member: Member): void {
    if (!member.receiver.apply(part, buffers)) {
      this.want(part.key, member);
      return;
    }
    this.tell(member, "known");
    this.fresh.set(part.key, part.sequence);
    if (this.scheduled) return;
    this.scheduled = true;
    this.clock.frame(() => this.paint());
  }

  private keep(part: Part, buffers: readonly DataView[]): void {
    const parts = this.early.get(part.key) ?? [];
    this.early.set(part.key, [...parts, [part, buffers]]);
    // What has waited longest makes room: nobody is going to make its model.
    const [oldest] = this.early.keys();
    if (this.early.size > EXPECTED) this.early.delete(oldest);
  }

  private paint(): void {
    this.scheduled = false;
    const painted = [...this.fresh];
    this.fresh.clear();
    for (const [key] of painted) {
      try {
        this.members.get(key)?.receiver.paint();
      } catch (error) {
        // The others go on, and it is tried again with the next frame.
        console.error("udfwidgets: a widget could not be drawn", error);
      }
    }
    this.say({ type: "ack", painted });
  }

  private want(key: string, member: Member): void {
    this.say({ type: "want", key, view: member.view });
  }

  /** Ask after a silence, ever less often as long as nothing comes. */
  private round(): void {
    this.silent += 1;
    if (this.silent < this.patience) return;
    const held = [...this.members]
      .filter(([, member]) => member.view === "visible" && !member.receiver.settled)
      .map(([key, member]): [string, number] => [key, member.receiver.sequence]);
    // Nor may it be lost that it is looked at.
    for (const [key] of held) this.say({ type: "see", key, view: "visible" });
    if (held.length > 0) this.say({ type: "have", held });
    this.silent = 0;
    this.patience = Math.min(this.patience * 2, LONGEST_SILENCE);
  }
}

function randomName(): string {
  // randomUUID exists only where the page came over https or from the same machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
