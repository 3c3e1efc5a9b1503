/**
 * The unit vector of an angle, to the last bit as `udfwidgets/geometry/directions.py` has it.
 *
 * Sine and cosine of two mathematical libraries differ in the last digit, and one digit can move a
 * pixel on a rim. So both sides evaluate the same polynomials in the same order.
 */

const RADIANS = Math.PI / 180;
const HALF_ROOT = Math.sqrt(0.5);
const SINE = series(9, 1);
const COSINE = series(10, 0);

/** Return 1/n! of the series, with the signs in turn. */
function series(terms: number, first: number): number[] {
  return Array.from({ length: terms }, (_, k) => (k % 2 ? -1 : 1) / factorial(2 * k + first));
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/** Return cosine and sine of an angle in degrees. */
export function direction(degrees: number): [cosine: number, sine: number] {
  let turned = degrees % 360;
  if (turned < 0) turned += 360;
  const quarter = Math.floor(turned / 90 + 0.5);
  let [cosine, sine] = ofAnEighth(turned - 90 * quarter);
  for (let i = 0; i < quarter % 4; i++) [cosine, sine] = [-sine, cosine];
  return [cosine + 0, sine + 0];
}

function ofAnEighth(rest: number): [number, number] {
  if (Math.abs(rest) === 45) return [HALF_ROOT, Math.sign(rest) * HALF_ROOT];
  const x = rest * RADIANS;
  const square = x * x;
  return [horner(COSINE, square), x * horner(SINE, square)];
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((value, coefficient) => value * x + coefficient, 0);
}
