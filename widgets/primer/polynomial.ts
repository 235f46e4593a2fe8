type Points = readonly (readonly [number, number])[];

/** A curve that was fitted to points. */
export interface Curve {
  at(x: number): number;
}

/** The polynomial of a degree with the least squared error on points, whose x lie between two bounds. */
export function fit(points: Points, degree: number, [low, high]: readonly [number, number]): Curve {
  const terms = (x: number) => legendre((2 * x - low - high) / (high - low), degree);
  // Gram and Schmidt, twice over: once loses too many digits at high degrees.
  const columns = transposed(points.map(([x]) => terms(x)));
  const count = columns.length;
  const triangle = Array.from({ length: count }, () => new Float64Array(count));
  const coefficients = new Float64Array(count);
  let rest = points.map(([, y]) => y);
  columns.forEach((column, j) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const share = dot(columns[i] ?? [], column);
        add(triangle[i], j, share);
        column.forEach((value, at) => {
          column[at] = value - share * (columns[i]?.[at] ?? 0);
        });
      }
    }
    const length = Math.sqrt(dot(column, column));
    add(triangle[j], j, length);
    column.forEach((value, at) => {
      column[at] = value / length;
    });
    coefficients[j] = dot(column, rest);
    rest = rest.map((value, at) => value - (coefficients[j] ?? 0) * (column[at] ?? 0));
  });
  for (let j = count - 1; j >= 0; j--) {
    let sum = coefficients[j] ?? 0;
    for (let k = j + 1; k < count; k++) sum -= (triangle[j]?.[k] ?? 0) * (coefficients[k] ?? 0);
    coefficients[j] = sum / (triangle[j]?.[j] ?? 1);
  }
  return { at: (x) => dot(terms(x), coefficients) };
}

/** The root of the mean squared error of a curve on points. */
export function error(curve: Curve, points: Points): number {
  return Math.sqrt(points.reduce((sum, [x, y]) => sum + (curve.at(x) - y) ** 2, 0) / points.length);
}

/** Legendre's polynomials at a place between -1 and 1, up to a degree. */
function legendre(x: number, degree: number): number[] {
  const values = [1, x];
  for (let n = 1; n < degree; n++) values.push(((2 * n + 1) * x * (values[n] ?? 0) - n * (values[n - 1] ?? 0)) / (n + 1));
  return values.slice(0, degree + 1);
}

function transposed(rows: readonly number[][]): number[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? 0));
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}

function add(row: Float64Array | undefined, at: number, value: number): void {
  if (row) row[at] = (row[at] ?? 0) + value;
}
