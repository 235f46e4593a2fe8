import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Runner } from './pool';
import { CardProblem, WebGpu, type TileInput } from './webgpu';

const TILE: TileInput = { data: new Float32Array([0.5, 1, 2, 4]), width: 2, height: 2 };
const LARGER = { ...TILE, width: 4, height: 1 };

/** Runs a network that doubles values, in so many milliseconds. */
function runner(ms: number, change: (values: Float32Array) => void = () => undefined, size = 1): Runner & { runs: number; ended: boolean } {
  return {
    size,
    runs: 0,
    ended: false,
    async run(data) {
      this.runs++;
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (this.ended) throw new Error('ended');
      const values = data.map((value) => 2 * value);
      change(values);
      return values;
    },
    end() {
      this.ended = true;
    },
  };
}

function changed(by: number): (values: Float32Array) => void {
  return (values) => {
    values[1] = (values[1] ?? 0) + by;
  };
}

describe('a graphics card', () => {
  vi.useFakeTimers();
  afterEach(() => vi.clearAllTimers());

  it('is used for tiles of a size once it has computed one as the processor does, and faster', async () => {
    const [card, processor] = [runner(10, changed(0.0009)), runner(100, undefined, 2)];
    const webgpu = new WebGpu(() => Promise.resolve(card));
    const { verdict } = webgpu.prove(TILE, processor);
    expect(webgpu.proved(TILE)).toBeNull();
    await vi.runAllTimersAsync();
    expect(await verdict).toBe('');
    expect(webgpu.reason(TILE)).toBe('');
    expect(webgpu.proved(LARGER)).toBeNull();
    const made = webgpu.proved(TILE)?.run(TILE.data, 2, 2);
    await vi.runAllTimersAsync();
    expect((await made)?.[3]).toBe(8);
    void webgpu.prove(TILE, processor);
    expect(processor.runs).toBe(1);
  });

  it.each([
    ['as slow as two processors', runner(50), 'the graphics card was slower'],
    ['further off than the tolerance', runner(10, changed(0.0011)), 'the graphics card computed something else'],
    ['no number', runner(10, changed(NaN)), 'the graphics card computed something else'],
    ['hung', runner(1e9), 'the graphics card could not be used'],
    ['refused', runner(10, () => { throw new Error('no shader'); }), 'the graphics card could not be used'],
  ])('that is %s is not used, and the reason said', async (_, card, reason) => {
    const webgpu = new WebGpu(() => Promise.resolve(card));
    const { verdict } = webgpu.prove(TILE, runner(100, undefined, 2));
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await verdict).toBe(reason);
    expect(webgpu.reason(TILE)).toBe(reason);
    expect(webgpu.proved(TILE)).toBeNull();
    expect(card.ended).toBe(reason !== 'the graphics card was slower');
  });

  it('that cannot be started is not asked again', async () => {
    const start = vi.fn(() => Promise.reject<Runner>(new Error('no device')));
    const webgpu = new WebGpu(start);
    void webgpu.prove(TILE, runner(100));
    await vi.runAllTimersAsync();
    expect(webgpu.reason(LARGER)).toBe('the graphics card could not be used');
    expect(start).toHaveBeenCalledOnce();
  });

  it('that stops at a tile is not used for any other', async () => {
    const card = runner(10);
    const webgpu = new WebGpu(() => Promise.resolve(card));
    void webgpu.prove(TILE, runner(100));
    await vi.runAllTimersAsync();
    const proved = webgpu.proved(TILE);
    card.end();
    const failed = expect(proved?.run(TILE.data, 2, 2)).rejects.toThrow(CardProblem);
    await vi.runAllTimersAsync();
    await failed;
    expect(webgpu.proved(TILE)).toBeNull();
    expect(webgpu.reason(TILE)).toBe('the graphics card stopped working');
  });

  it('is waited for no longer than the processor needs for all tiles', async () => {
    const slow = new WebGpu(() => new Promise((resolve) => setTimeout(resolve, 500, runner(10))));
    const early = slow.provedInTime(TILE, 8, runner(100, undefined, 2)); // 400 ms for all
    await vi.advanceTimersByTimeAsync(450);
    expect(await early).toBeNull();
    await vi.runAllTimersAsync();
    expect(slow.proved(TILE)).not.toBeNull();
    const quick = new WebGpu(() => new Promise((resolve) => setTimeout(resolve, 300, runner(10))));
    const intime = quick.provedInTime(TILE, 8, runner(100, undefined, 2));
    await vi.advanceTimersByTimeAsync(350);
    expect(await intime).not.toBeNull();
  });

  it('whose memory is taken back proves itself anew', async () => {
    const cards = [runner(10), runner(10)];
    const webgpu = new WebGpu(() => Promise.resolve(cards.shift() ?? runner(10)));
    const [first] = cards;
    void webgpu.prove(TILE, runner(100));
    await vi.advanceTimersByTimeAsync(5);
    webgpu.end();
    await vi.runAllTimersAsync();
    expect(first?.ended).toBe(true);
    expect(webgpu.reason(TILE)).toBe('');
    void webgpu.prove(TILE, runner(100));
    await vi.runAllTimersAsync();
    expect(webgpu.proved(TILE)).not.toBeNull();
  });
});
