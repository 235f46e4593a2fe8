import { inflated } from '../shared/inflate';
import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';

/** Numbers from 0 to 255 in rows, and perhaps in several planes: axes (y, x), or (plane, y, x). */
export interface Pixels {
  readonly shape: readonly number[];
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array;
}

/** What a figure shows: the arrays of its file, and whatever else it knows. */
export class Live {
  private constructor(
    readonly figure: string,
    private readonly arrays: ReadonlyMap<string, Pixels>,
    private readonly facts: Record<string, unknown>,
  ) {}

  static async parse(text: string): Promise<Live> {
    let read: unknown;
    try {
      read = JSON.parse(text);
    } catch {
      read = null;
    }
    const figure = isRecord(read) ? textOf(read.figure) : null;
    if (!isRecord(read) || read.version !== 1 || figure === null || !isRecord(read.arrays) || !isRecord(read.facts)) {
      throw new Problem('The file of this figure is damaged, or of another version of the book.');
    }
    const arrays = new Map(await Promise.all(Object.entries(read.arrays).map(async ([name, array]) => [name, await pixelsOf(array)] as const)));
    return new Live(figure, arrays, read.facts);
  }

  pixels(name: string): Pixels {
    return this.arrays.get(name) ?? lacking(name);
  }

  number(name: string): number {
    return numberOf(this.facts[name]) ?? lacking(name);
  }

  text(name: string): string {
    return textOf(this.facts[name]) ?? lacking(name);
  }

  numbers(name: string): number[] {
    const value = this.facts[name];
    return Array.isArray(value) && value.every((one) => numberOf(one) !== null) ? (value as number[]) : lacking(name);
  }

  texts(name: string): string[] {
    const value = this.facts[name];
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : lacking(name);
  }
}

/** One plane of several. */
export function plane({ shape, height, width, values }: Pixels, at: number): Pixels {
  const size = height * width;
  return { shape: shape.slice(-2), height, width, values: values.subarray(at * size, (at + 1) * size) };
}

async function pixelsOf(array: unknown): Promise<Pixels> {
  const data = isRecord(array) ? textOf(array.data) : null;
  const shape = isRecord(array) && Array.isArray(array.shape) ? array.shape.map(Number) : [];
  const [height = 0, width = 0] = shape.slice(-2);
  if (data === null || shape.length < 2) return lacking('an array');
  const size = shape.reduce((product, side) => product * side, 1);
  try {
    const values = await inflated(Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0)), size, 'deflate');
    return { shape, height, width, values };
  } catch {
    return lacking('an array');
  }
}

function lacking(name: string): never {
  throw new Problem(`The file of this figure lacks ${name}; build the book again.`);
}
