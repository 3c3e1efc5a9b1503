import { expect, test, vi } from "vitest";
import { Hub, type Clock, type Part, type Receiver } from "../src/wire/hub";
import type { FromPage } from "../src/wire/protocol";
import { frame } from "./frames";

class Bench implements Clock {
  readonly sent: FromPage[] = [];
  readonly hub: Hub;
  private frames: (() => void)[] = [];
  private rounds: (() => void)[] = [];

  constructor() {
    this.hub = new Hub(this, "page");
  }

  connect(): void {
    this.hub.connect({ send: ({ messages }) => this.sent.push(...messages) });
  }
  soon(callback: () => void): void {
    callback();
  }
  frame(callback: () => void): void {
    this.frames.push(callback);
  }
  every(_: number, callback: () => void): () => void {
    this.rounds.push(callback);
    return () => (this.rounds = this.rounds.filter((each) => each !== callback));
  }
  paint(): void {
    for (const callback of this.frames.splice(0)) callback();
  }
  round(): void {
    for (const callback of this.rounds) callback();
  }
  get ticking(): boolean {
    return this.rounds.length > 0;
  }
  deliver(...sequences: [key: string, sequence: number][]): void {
    const images = sequences.map(([key, sequence]) => ({
      ...frame([1, 1], [0, 0, 1, 1], null).part,
      key,
      sequence,
    }));
    this.hub.receive({ type: "frames", to: "page", images, statuses: [], totals: [], drawings: [] });
  }
}

class Double implements Receiver {
  sequence = 0;
  settled = false;
  painted = 0;
  apply(part: Part): boolean {
    if (part.sequence !== this.sequence + 1) return false;
    this.sequence = part.sequence;
    return true;
  }
  paint(): void {
    this.painted += 1;
  }
}

test("everything painted in a frame is acknowledged at once, after it", () => {
  const bench = new Bench();
  const [a, b] = [new Double(), new Double()];
  bench.connect();
  bench.hub.add("a", a);
  bench.hub.add("b", b);
  bench.sent.length = 0;
  bench.deliver(["a", 1], ["b", 1]);
  bench.deliver(["a", 2]);
  expect(bench.sent).toEqual([]);
  bench.paint();
  const painted = [
    ["a", 2],
    ["b", 1],
  ];
  expect(bench.sent).toEqual([{ type: "ack", page: "page", painted }]);
  expect([a.painted, b.painted]).toEqual([1, 1]);
});

test("what was painted is said with the next move of a hand, or after some frames without one", () => {
  const bench = new Bench();
  bench.connect();
  bench.hub.add("a", new Double());
  const move = (): void => bench.hub.say({ type: "draw", key: "layer", number: 1, strokes: [] });
  move();
  bench.sent.length = 0;
  bench.deliver(["a", 1]);
  for (let n = 0; n < 3; n++) bench.paint();
  expect(bench.sent).toEqual([]);
  move();
  expect(bench.sent.map(({ type }) => type)).toEqual(["ack", "draw"]);
  bench.deliver(["a", 2]);
  for (let n = 0; n < 6; n++) bench.paint();
  expect(bench.sent.at(-1)).toMatchObject({ type: "ack", painted: [["a", 2]] });
  // And no longer than that: the hand has left.
  bench.deliver(["a", 3]);
  bench.paint();
  expect(bench.sent.at(-1)).toMatchObject({ type: "ack", painted: [["a", 3]] });
});

test("what is said while something lingers does not wait for a frame, which a hidden tab has none of", () => {
  const bench = new Bench();
  bench.connect();
  bench.hub.add("a", new Double());
  bench.hub.say({ type: "draw", key: "layer", number: 1, strokes: [] });
  bench.deliver(["a", 1]);
  bench.paint();
  bench.sent.length = 0;
  bench.deliver(["a", 2]);
  bench.paint();
  expect(bench.sent).toEqual([]);
  bench.hub.see("a", "hidden");
  expect(bench.sent.map(({ type }) => type)).toEqual(["ack", "ack", "see"]);
});

test("a widget that cannot be drawn keeps no credit, of others or its own", () => {
  const bench = new Bench();
  const bad = new Double();
  bad.paint = () => {
    throw new Error("no room for a canvas");
  };
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  bench.connect();
  bench.hub.add("bad", bad);
  bench.hub.add("good", new Double());
  bench.sent.length = 0;
  bench.deliver(["bad", 1], ["good", 1]);
  bench.paint();
  const painted = [
    ["bad", 1],
    ["good", 1],
  ];
  expect(bench.sent).toEqual([{ type: "ack", page: "page", painted }]);
  expect(complaint).toHaveBeenCalledOnce();
  complaint.mockRestore();
});

test("what was added before the connection is asked for when it opens", () => {
  const bench = new Bench();
  bench.hub.add("a", new Double());
  bench.hub.see("a", "visible");
  expect(bench.sent).toEqual([]);
  bench.connect();
  expect(bench.sent).toEqual([
    { type: "hello", page: "page" },
    { type: "want", page: "page", key: "a", view: "visible" },
  ]);
});

test("what comes before its model is kept for it, and not asked for again", () => {
  const bench = new Bench();
  const receiver = new Double();
  bench.connect();
  bench.sent.length = 0;
  bench.deliver(["a", 1]);
  bench.deliver(["a", 2]);
  bench.paint();
  expect(bench.sent).toEqual([]);
  bench.hub.add("a", receiver);
  expect(receiver.sequence).toBe(2);
  bench.paint();
  expect(bench.sent).toEqual([
    { type: "have", page: "page", held: [["a", 2]] },
    { type: "ack", page: "page", painted: [["a", 2]] },
  ]);
});

test("what waits for models that never come makes room", () => {
  const bench = new Bench();
  const [first, last] = [new Double(), new Double()];
  bench.connect();
  for (let i = 0; i < 100; i++) bench.deliver([`a${i}`, 1]);
  bench.hub.add("a0", first);
  bench.hub.add("a99", last);
  expect([first.sequence, last.sequence]).toEqual([0, 1]);
});

test("a gap is answered by asking for the whole", () => {
  const bench = new Bench();
  bench.connect();
  bench.hub.add("a", new Double());
  bench.sent.length = 0;
  bench.deliver(["a", 5]);
  expect(bench.sent).toMatchObject([{ type: "want", key: "a" }]);
});

test("what is said at one time is one message; commands and farewells go at once", () => {
  const sent: string[][] = [];
  const waiting: (() => void)[] = [];
  const clock = new Bench();
  clock.soon = (callback) => void waiting.push(callback);
  const hub = new Hub(clock, "page");
  hub.connect({ send: ({ messages }) => sent.push(messages.map((m) => m.type)) });
  hub.say({ type: "see", key: "a", view: "visible" });
  expect(sent).toEqual([]);
  for (const callback of waiting.splice(0)) callback();
  expect(sent).toEqual([["hello", "see"]]);
  hub.say({ type: "see", key: "b", view: "hidden" });
  hub.say({ type: "command", key: "c", name: "cancel" });
  hub.say({ type: "gone", key: "b" });
  for (const callback of waiting.splice(0)) callback();
  expect(sent.slice(1)).toEqual([["see", "command"], ["gone"]]);
});

test("sight is told only when it changes", () => {
  const bench = new Bench();
  bench.connect();
  bench.hub.add("a", new Double());
  bench.sent.length = 0;
  bench.hub.see("a", "visible");
  bench.hub.see("a", "visible");
  expect(bench.sent).toEqual([{ type: "see", page: "page", key: "a", view: "visible" }]);
});

test("silence is asked about, ever less often, until all is there", () => {
  const bench = new Bench();
  const receiver = new Double();
  bench.connect();
  bench.hub.add("a", receiver);
  bench.hub.see("a", "visible");
  bench.sent.length = 0;
  for (let i = 0; i < 7; i++) bench.round();
  // And said once more that it is looked at: that may be what was lost.
  expect(bench.sent.map((m) => m.type)).toEqual(["see", "have", "see", "have", "see", "have"]);
  expect(bench.sent[0]).toEqual({ type: "see", page: "page", key: "a", view: "visible" });
  receiver.settled = true;
  for (let i = 0; i < 20; i++) bench.round();
  expect(bench.sent).toHaveLength(6);
});

test("nothing is left when the last widget is gone", () => {
  const bench = new Bench();
  bench.connect();
  const remove = bench.hub.add("a", new Double());
  expect(bench.ticking).toBe(true);
  remove();
  expect(bench.ticking).toBe(false);
  expect(bench.sent.at(-1)).toEqual({ type: "gone", page: "page", key: "a" });
});

test("a model that replaced another is not removed with it", () => {
  const bench = new Bench();
  const second = new Double();
  bench.connect();
  const remove = bench.hub.add("a", new Double());
  bench.hub.add("a", second);
  remove();
  bench.deliver(["a", 1]);
  expect(second.sequence).toBe(1);
});

test("messages for other pages are left alone", () => {
  const bench = new Bench();
  const receiver = new Double();
  bench.connect();
  bench.hub.add("a", receiver);
  bench.hub.receive({ type: "frames", to: "other", images: [{ key: "a", sequence: 1 }] });
  expect(receiver.sequence).toBe(0);
});

test("a kernel that is gone is said to all, and only those that it speaks of again are back", () => {
  const bench = new Bench();
  bench.connect();
  const said: string[] = [];
  for (const key of ["a", "b"]) {
    bench.hub.add(key, new Double(), (life) => said.push(`${key} ${life}`));
  }
  bench.hub.lose();
  bench.hub.lose();
  expect(said).toEqual(["a lost", "b lost"]);
  expect(bench.hub.connected).toBe(false);
  bench.connect();
  bench.deliver(["b", 1]);
  expect(said).toEqual(["a lost", "b lost", "b known"]);
});

test("a widget counts as known when the kernel has spoken of it, and not because it was saved", () => {
  const bench = new Bench();
  const said: string[] = [];
  const saved = new Double();
  saved.settled = true;
  bench.hub.add("saved", saved, (life) => said.push(`saved ${life}`));
  bench.hub.add("other", new Double(), (life) => said.push(`other ${life}`));
  bench.connect();
  expect(said).toEqual([]);
  bench.hub.lose();
  expect(said).toEqual(["other lost"]);
  bench.connect();
  bench.deliver(["saved", 1]);
  bench.hub.lose();
  expect(said).toEqual(["other lost", "saved known", "saved lost"]);
});
