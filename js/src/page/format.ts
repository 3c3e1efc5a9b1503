/** Numbers as a person reads them. */

/** Narrow, and no place to begin a line. */
const THIN = "\u202f";
const MINUS = "\u2212";
const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** Group digits by narrow spaces: 12 400. */
export function grouped(text: string): string {
  const [whole, fraction] = text.split(".") as [string, string?];
  const digits = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, THIN) : whole;
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/** Show a value with as many digits as its half-step `error` lets through, four at least. */
export function value(number: number, error = 0): string {
  if (Number.isNaN(number)) return "no value";
  if (Math.abs(number) <= error * 1e-3) return "0";
  const size = Math.abs(number);
  const sign = number < 0 ? MINUS : "";
  if (size >= 1e7 || size < 1e-4) {
    const [digits, power] = size.toExponential(3).split("e");
    return `${sign}${digits}e${power.replace("+", "").replace("-", MINUS)}`;
  }
  const rounded = Math.round(size);
  if (Math.abs(size - rounded) <= Math.max(error, size * 1e-12) && error < 0.51 && rounded > 0) {
    return sign + grouped(String(rounded));
  }
  const places = Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(size))));
  return sign + grouped(size.toFixed(places));
}

/** Show a limit of the colours in at most five characters or so. */
export function short(number: number): string {
  const size = Math.abs(number);
  const sign = number < 0 ? MINUS : "";
  if (size === 0) return "0";
  if (size >= 1e6 || size < 1e-3) {
    const [digits, power] = size.toExponential(1).split("e");
    return `${sign}${digits.replace(".0", "")}e${power.replace("+", "").replace("-", MINUS)}`;
  }
  const text = size >= 100 ? size.toFixed(0) : String(Number(size.toPrecision(3)));
  return sign + grouped(text);
}

/** Show a limit of the colours in a form that changes little in width, whatever it is: 827k, 1.1M. */
export function limit(number: number): string {
  const size = Math.abs(number);
  const sign = number < 0 ? MINUS : "";
  if (size === 0) return "0";
  if (size < 0.01 || size >= 999.5e15) {
    const [digits, power] = size.toExponential(1).split("e");
    return `${sign}${digits}e${power.replace("+", "").replace("-", MINUS)}`;
  }
  let digits = size;
  let prefix = 0;
  while (digits >= 999.5) {
    digits /= 1000;
    prefix += 1;
  }
  return `${sign}${Number(digits.toPrecision(3))}${PREFIXES[prefix]}`;
}

/** Show both limits of the colours, with more digits only where these tell them apart. */
export function limits(lo: number, hi: number): [string, string] {
  const ends: [string, string] = [limit(lo), limit(hi)];
  return ends[0] !== ends[1] || lo === hi ? ends : shortPair(lo, hi);
}

/** Write a unit behind a number: 1/nm as nm⁻¹. */
export function unitText(unit: string): string {
  return unit.replace(/^1\/(.+)$/, "$1\u207b\u00b9");
}

/** Show both ends of a range with as many digits as it takes to tell them apart. */
export function shortPair(lo: number, hi: number): [string, string] {
  const ends: [string, string] = [short(lo), short(hi)];
  if (ends[0] !== ends[1] || lo === hi) return ends;
  for (let digits = 3; digits < 17; digits++) {
    const [a, b] = [lo, hi].map((end) => Number(end.toPrecision(digits)));
    if (Math.abs(b - a - (hi - lo)) < 0.2 * (hi - lo)) return [written(a), written(b)];
  }
  return [written(lo), written(hi)];
}

/** Write both ends of a range for an input: no digits that make no difference to the colours. */
export function plainPair(lo: number, hi: number): [string, string] {
  const round = (digits: number): number[] => [lo, hi].map((end) => Number(end.toPrecision(digits)));
  const isNear = ([a, b]: number[]): boolean =>
    Math.max(Math.abs(a - lo), Math.abs(b - hi)) <= (hi - lo) * 1e-3;
  for (let digits = 3; digits < 17; digits++) {
    const [a, b] = round(digits);
    if (isNear([a, b])) return [String(a), String(b)];
  }
  return [String(lo), String(hi)];
}

function written(number: number): string {
  return (number < 0 ? MINUS : "") + grouped(String(Math.abs(number)));
}

/** Show a rate: 12 400 frames/s. */
export function frames(perSecond: number): string {
  const round = perSecond >= 10 ? Math.round(perSecond) : Number(perSecond.toPrecision(2));
  return `${grouped(String(round))} frames/s`;
}

/** Show a rate in the unit that fits: 6.1 GB/s. */
export function bytesPerSecond(rate: number): string {
  return `${bytes(rate)}/s`;
}

/** Show a size in the unit that fits: 6.1 GB. */
export function bytes(count: number): string {
  let size = count;
  let prefix = 0;
  while (size >= 1000 && prefix < PREFIXES.length - 1) {
    size /= 1000;
    prefix += 1;
  }
  const digits = size >= 100 || prefix === 0 ? size.toFixed(0) : size.toPrecision(2);
  return `${digits} ${PREFIXES[prefix]}B`;
}

/** Show a duration: 3 s, 2 min 05 s, 1 h 20 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Show a share; 100 % only when nothing is missing. */
export function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-9)} %`;
}

/**
 * The parts of "UDF: channel" and of "UDF: function(channel)"; put together they are the title.
 *
 * One of several UDFs of a kind has its number behind its name, as in "UDF[1]: channel".
 */
export function titleParts(title: string): Record<"udf" | "colon" | "name" | "of", string> {
  const [, udf = "", colon = "", name = "", of = ""] =
    /^(?:(\w+(?:\[\d+\])?)(: ))?(.+?)(\(\w+\))?$/.exec(title) ?? [];
  return { udf, colon, name, of };
}
