import { describe, expect, it } from 'vitest';
import { sorted } from './listing';
import type { Panorama } from './collection';

const named = (name: string, mean: number | null) => ({ name, mean }) as Panorama;

describe('sorting the table', () => {
  const rows = [named('Run10', 1), named('Run9', null), named('Run2', 3)];
  const names = (all: Panorama[]) => all.map(({ name }) => name);

  it('counts in names, and puts what has no value last either way', () => {
    expect(names(sorted(rows, ({ name }) => name, false))).toEqual(['Run2', 'Run9', 'Run10']);
    expect(names(sorted(rows, ({ mean }) => mean, false))).toEqual(['Run10', 'Run2', 'Run9']);
    expect(names(sorted(rows, ({ mean }) => mean, true))).toEqual(['Run2', 'Run10', 'Run9']);
  });
});
