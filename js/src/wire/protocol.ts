/**
 * The messages between a page and the kernel.
 *
 * How it works is told in `udfwidgets/live/wire/protocol.py`. In short: a page opens a comm and says
 * `hello`, says `want` for each widget model it holds and `see` when one comes into sight, goes out
 * of it, or is deleted by the person. The kernel answers with `frames`: whatever is new, of all widgets, in one message. The
 * page acknowledges with `ack` what it has painted, which buys the next frames; it says `have` when
 * it has heard nothing for a while, and `want` again when it finds that it has missed something.
 *
 * Each message is written once, as a table of its fields; its type follows from that table, and a
 * test holds the tables to `protocol.json`, as another one does for Python.
 */

export type Rect = [y: number, x: number, height: number, width: number];
export type Pair = [number, number];
/** Name of a shape, the shape as plain data (null: deleted), and whether the hand has left it. */
export type Stroke = [name: string, plain: Plain | null, resting: boolean];
/** Name of a shape, the shape as plain data, and its place in the palette. */
export type Entry = [name: string, plain: Plain, colour: number];
export type Plain = Record<string, unknown>;
export type Curve = [centre: number, scale: number, lo: number, hi: number];
export type State =
  | "waiting"
  | "running"
  | "paused"
  | "stalled"
  | "done"
  | "cancelled"
  | "failed";
/** What gives pixels their colours: their value; its direction, too; or they themselves. */
export type Colours = "map" | "wheel" | "own";
/** What the page shows of a model. */
export type View = "none" | "hidden" | "visible";
export type CommandName = "touch" | "pause" | "resume" | "restart" | "cancel" | "close" | "transform";

/** What the words in the tables mean. */
interface Fields {
  string: string;
  integer: number;
  "integer?": number | null;
  number: number;
  "number?": number | null;
  boolean: boolean;
  shape: Pair;
  limits: Pair;
  rect: Rect;
  "rect?": Rect | null;
  "limits?": Pair | null;
  "curve?": Curve | null;
  state: State;
  colours: Colours;
  view: View;
  command: CommandName;
  sequences: [key: string, sequence: number][];
  messages: FromPage[];
  images: ImageFrame[];
  statuses: StatusFrame[];
  totals: TotalsFrame[];
  drawings: DrawingFrame[];
  shapes: Entry[];
  strokes: Stroke[];
}

type Message<Table> = {
  [Name in keyof Table]: Table[Name] extends keyof Fields ? Fields[Table[Name]] : never;
};
type Typed<Name extends string, Table> = { type: Name } & Message<Omit<Table, "type">>;

const about = { type: "type", page: "string", key: "string" } as const;

export const TABLES = {
  hello: { type: "type", page: "string" },
  want: { ...about, view: "view" },
  see: { ...about, view: "view" },
  ack: { type: "type", page: "string", painted: "sequences" },
  have: { type: "type", page: "string", held: "sequences" },
  look: { ...about, rect: "rect?" },
  contrast: { ...about, limits: "limits?", log: "boolean" },
  slice: { ...about, index: "integer" },
  component: { ...about, index: "integer" },
  goal: { ...about, value: "number?" },
  command: { ...about, name: "command" },
  draw: { ...about, number: "integer", strokes: "strokes" },
  gone: about,
  bye: { type: "type", page: "string" },
  said: { type: "type", page: "string", messages: "messages" },
  frames: {
    type: "type",
    to: "string",
    images: "images",
    statuses: "statuses",
    totals: "totals",
    drawings: "drawings",
  },
  image: {
    key: "string",
    sequence: "integer",
    generation: "integer",
    whole: "boolean",
    shape: "shape",
    grid: "shape",
    rect: "rect",
    lo: "number",
    hi: "number",
    curve: "curve?",
    limits: "limits",
    limits_log: "limits",
    fraction: "number",
    final: "boolean",
    slice: "integer",
    component: "string",
    colours: "colours",
    estimated: "boolean",
    pixels: "integer?",
    tint: "integer?",
    coverage: "integer?",
    outside: "integer?",
    detail: "integer?",
    detail_tint: "integer?",
    detail_rect: "rect?",
  },
  status: {
    key: "string",
    sequence: "integer",
    state: "state",
    fraction: "number",
    frames_done: "integer",
    frames_total: "integer",
    frames_per_second: "number",
    bytes_per_second: "number",
    seconds_left: "number?",
    message: "string",
    note: "string",
    ratio: "number?",
    goal: "number?",
  },
  total: {
    key: "string",
    sequence: "integer",
    running: "integer",
    read: "number",
    served: "number",
    moved: "number",
    memory: "integer",
    processes: "integer",
    page: "string",
  },
  drawing: {
    key: "string",
    sequence: "integer",
    shapes: "shapes",
    heard: "sequences",
  },
} as const;

export type ImageFrame = Message<typeof TABLES.image>;
export type StatusFrame = Message<typeof TABLES.status>;
export type TotalsFrame = Message<typeof TABLES.total>;
export type DrawingFrame = Message<typeof TABLES.drawing>;
export type Frames = Typed<"frames", typeof TABLES.frames>;

type Sent =
  | "hello"
  | "want"
  | "see"
  | "ack"
  | "have"
  | "look"
  | "contrast"
  | "slice"
  | "component"
  | "goal"
  | "command"
  | "draw"
  | "gone"
  | "bye";
/** Anything a page says. */
export type FromPage = { [Name in Sent]: Typed<Name, (typeof TABLES)[Name]> }[Sent];
/** All that a page says at one time. */
export type Said = Typed<"said", typeof TABLES.said>;
/** A message before the hub has put the name of the page in. */
export type Unsigned = FromPage extends infer Each
  ? Each extends FromPage
    ? Omit<Each, "page">
    : never
  : never;

/** Tell whether something that came in is a `frames` message for this page. */
export function isFrames(message: unknown, page: string): message is Frames {
  const { type, to } = (message ?? {}) as { type?: unknown; to?: unknown };
  return type === "frames" && to === page;
}
