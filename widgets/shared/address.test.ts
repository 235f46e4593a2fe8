import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BRUSHED,
  choiceKind,
  countKind,
  flagKind,
  gateText,
  numberKind,
  numbersKind,
  parseGate,
  pointsKind,
  readParameter,
  SHARED,
  stateOf,
  textKind,
  withParameters,
  type Kinds,
  type Shared,
} from './address';
import type { Model } from './model';

interface Values extends Shared {
  view: number[] | null;
  masks: 'fill' | 'outline' | 'off';
}
const KINDS: Kinds<Values> = { ...SHARED, view: numbersKind(3), masks: choiceKind(['fill', 'outline', 'off'], 'fill') };

describe('a query string', () => {
  it('keeps what belongs to others letter by letter', () => {
    expect(withParameters('?q=a%20b&flag&view=1', [['view', '2,3']])).toBe('?q=a%20b&flag&view=2,3');
    expect(withParameters('?q=a%20b&view=1', [['view', null]])).toBe('?q=a%20b');
    expect(withParameters('?view=1', [['view', null]])).toBe('');
  });

  it('carries any text, and reads it back', () => {
    for (const text of ['Run1TL_top_left', '<img src=x onerror=alert(1)>', 'a&b=c#d', 'Zelle №1 + 2', '1,2;3,4']) {
      expect(readParameter(withParameters('?a=1', [['panorama', text]]), 'panorama')).toBe(text);
    }
  });

  it('writes commas, semicolons and colons legibly, and reads them escaped', () => {
    expect(withParameters('', [['lasso', '1,2;3,4;5,6']])).toBe('?lasso=1,2;3,4;5,6');
    expect(readParameter('?lasso=1%2C2%3B3%2C4', 'lasso')).toBe('1,2;3,4');
    expect(withParameters('', [['filter', 'area_um2:1..2']])).toBe('?filter=area_um2:1..2');
  });

  it('knows the parameters of a named view from those of another', () => {
    const search = '?view=1&fig1a.view=2&fig1b.view=3';
    expect(readParameter(search, 'fig1a.view')).toBe('2');
    expect(withParameters(search, [['fig1a.view', '4']])).toBe('?view=1&fig1b.view=3&fig1a.view=4');
  });
});

describe('kinds of values', () => {
  it('take nothing but what they mean', () => {
    expect(countKind().parse('17')).toBe(17);
    for (const text of ['0', '-1', '1.5', '1e3', ' 1', '0x10', '9'.repeat(20), 'x']) expect(countKind().parse(text)).toBeUndefined();
    expect(textKind().parse('x'.repeat(201))).toBeUndefined();
    expect(choiceKind(['a', 'b'], 'a').parse('constructor')).toBeUndefined();
    expect(flagKind().parse('1')).toBe(true);
    for (const text of ['yes', '2', 'toString']) expect(flagKind().parse(text)).not.toBe(true);
    expect(numbersKind(3).parse('1,2.5,-3')).toEqual([1, 2.5, -3]);
    for (const text of ['1,2', '1,2,3,4', '1,2,', '1,2,NaN', '1,2,Infinity', '1, 2,3']) expect(numbersKind(3).parse(text)).toBeUndefined();
    expect(numbersKind(2, ([from = 0, to = 0]) => from < to).parse('2,1')).toBeUndefined();
    expect(pointsKind(4).parse('0,0;1,0;1,1')).toEqual([[0, 0], [1, 0], [1, 1]]);
    for (const text of ['0,0;1,1', '0,0;1,0;1,1;2,2;3,3', '0,0;1;1,1', '0,0;1,0,5;1,1']) expect(pointsKind(4).parse(text)).toBeUndefined();
  });

  it('bring a number into its range', () => {
    const kind = numberKind(0, 1, 0.5);
    expect(['0.25', '-3', '7'].map((text) => kind.parse(text))).toEqual([0.25, 0, 1]);
    expect(kind.parse('much')).toBeUndefined();
  });

  it('accept the same from a trait, as numbers and arrays', () => {
    expect(numbersKind(2).accept([1, 2])).toEqual([1, 2]);
    expect(numbersKind(2).accept('1,2')).toBeUndefined();
    expect(numbersKind(2).accept([1, Number.NaN])).toBeUndefined();
    expect(pointsKind(9).accept([[0, 0], [1, 0], [1, 1]])).toEqual([[0, 0], [1, 0], [1, 1]]);
    expect(countKind().accept('3')).toBeUndefined();
  });

  it('read back what they write', () => {
    for (const values of [[1, 2.5, -3], [1e-9, 123456.7, 0]]) {
      const kind = numbersKind(3);
      expect(kind.parse(kind.format(values))).toEqual(values);
    }
    expect(numbersKind(1).format(null)).toBe('');
    expect(numbersKind(1).format([1 / 3])).toBe('0.3333333');
  });
});

/** A window with an address and a history, as far as a state needs them. */
class Page extends EventTarget {
  entries = ['?'];
  at = 0;
  replaced = 0;
  location = { pathname: '/nucleusnet/', search: '', hash: '#fig1a' };
  history = {
    state: { router: 1 },
    pushState: (state: unknown, _: string, address: string) => {
      this.entries = [...this.entries.slice(0, this.at + 1), address];
      this.go(this.at + 1);
      expect(state).toBe(this.history.state);
    },
    replaceState: (state: unknown, _: string, address: string) => {
      this.entries[this.at] = address;
      this.replaced += 1;
      this.go(this.at);
      expect(state).toBe(this.history.state);
    },
  };

  back(): void {
    this.go(this.at - 1);
    this.dispatchEvent(new Event('popstate'));
  }

  private go(at: number): void {
    this.at = at;
    const { search, hash } = new URL(this.entries[at] ?? '', 'http://book.example/nucleusnet/');
    Object.assign(this.location, { search, hash });
  }
}

function modelOf(values: Record<string, unknown>): Model & { saved: number; values: Record<string, unknown>; announce(name: string): void } {
  const listeners = new Map<string, () => void>();
  return {
    values,
    saved: 0,
    get: (name) => values[name],
    set: (name, value) => {
      values[name] = value;
    },
    on: (event, callback) => {
      listeners.set(event, callback);
    },
    announce: (name) => listeners.get(`change:${name}`)?.(),
    save_changes() {
      this.saved += 1;
    },
  };
}

describe('the state of a view in the address', () => {
  let page: Page;
  const { signal } = new AbortController();
  const state = (values: Record<string, unknown> = {}) => stateOf(modelOf(values), KINDS, signal);

  beforeEach(() => {
    vi.useFakeTimers();
    page = new Page();
    page.entries = ['/nucleusnet/?theme=dark#fig1a'];
    page.location.search = '?theme=dark';
    for (const name of ['location', 'history'] as const) vi.stubGlobal(name, page[name]);
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('dispatchEvent', page.dispatchEvent.bind(page));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('pushes a choice, and keeps the anchor and the rest of the address', () => {
    const viewer = state();
    viewer.set({ panorama: 'a', roi: 3 }, 'push');
    expect(page.entries).toEqual(['/nucleusnet/?theme=dark#fig1a', '/nucleusnet/?theme=dark&panorama=a&roi=3#fig1a']);
    expect(viewer.get('roi')).toBe(3);
    page.back();
    expect(viewer.get('panorama')).toBeNull();
  });

  it('writes movement once it has come to rest, and knows it at once', () => {
    const viewer = state();
    for (let x = 0; x < 20; x++) {
      viewer.set({ view: [x, 0, 9] }, 'settle');
      vi.advanceTimersByTime(100);
    }
    expect(viewer.get('view')).toEqual([19, 0, 9]);
    expect(page.replaced).toBe(0);
    vi.advanceTimersByTime(250);
    expect(page.replaced).toBe(1);
    expect(page.entries).toEqual(['/nucleusnet/?theme=dark&view=19,0,9#fig1a']);
  });

  it('leaves every view where it was on the step that a choice leaves behind', () => {
    const viewer = state({ name: 'one' });
    const other = state({ name: 'two' });
    other.set({ view: [1, 2, 3] }, 'settle');
    viewer.set({ masks: 'off' }, 'settle');
    viewer.set({ panorama: 'a' }, 'push');
    page.back();
    expect(other.get('view')).toEqual([1, 2, 3]);
    expect(viewer.get('masks')).toBe('off');
    expect(viewer.get('view')).toBeNull();
  });

  it('notifies the other views of the page, and itself only of steps back', () => {
    const [viewer, scatter] = [state({ name: 'one' }), state({ name: 'two' })];
    const calls: string[] = [];
    viewer.onChange(() => calls.push('viewer'));
    scatter.onChange(() => calls.push(`scatter ${scatter.get('panorama') ?? 'none'}`));
    viewer.set({ panorama: 'a' }, 'push');
    expect(calls).toEqual(['scatter a']);
    page.back();
    expect(calls).toEqual(['scatter a', 'viewer', 'scatter none']);
  });

  it('drops on Back what was meant for the step before, but not at a jump within the page', () => {
    const viewer = state();
    viewer.set({ panorama: 'a' }, 'push');
    viewer.set({ view: [1, 2, 3] }, 'settle');
    page.dispatchEvent(new Event('popstate'));
    expect(viewer.get('view')).toEqual([1, 2, 3]);
    page.back();
    expect(viewer.get('view')).toBeNull();
    vi.advanceTimersByTime(500);
    expect(page.entries[0]).toBe('/nucleusnet/?theme=dark#fig1a');
  });

  it('takes what the model holds for the default, which is not written', () => {
    const viewer = state({ masks: 'outline' });
    expect(viewer.get('masks')).toBe('outline');
    viewer.set({ masks: 'fill' }, 'settle');
    vi.advanceTimersByTime(300);
    expect(page.location.search).toBe('?theme=dark&masks=fill');
    viewer.set({ masks: 'outline' }, 'settle');
    vi.advanceTimersByTime(300);
    expect(page.location.search).toBe('?theme=dark');
  });

  it('begins with a first look in the form of an address', () => {
    const viewer = state({ view: 'panorama=a&roi=3&view=1,2,3&masks=outline' });
    expect((['panorama', 'roi', 'view', 'masks'] as const).map((name) => viewer.get(name))).toEqual(['a', 3, [1, 2, 3], 'outline']);
    const damaged = state({ view: 'panorama=&roi=x&view=1,2&masks=lots' });
    expect((['panorama', 'roi', 'view', 'masks'] as const).map((name) => damaged.get(name))).toEqual([null, null, null, 'fill']);
    const named = state({ name: 'one', view: 'one.view=4,5,6' });
    expect(named.get('view')).toEqual([4, 5, 6]);
    expect(page.location.search).toBe('?theme=dark');
  });

  it('has nothing of the first look of one panorama for another', () => {
    const viewer = state({ view: 'panorama=a&roi=3&view=1,2,3' });
    viewer.set({ panorama: 'b', roi: null, view: null }, 'push');
    expect([viewer.get('roi'), viewer.get('view')]).toEqual([null, null]);
    expect(page.location.search).toBe('?theme=dark&panorama=b&roi=&view=');
    const again = state({ view: 'panorama=a&roi=3&view=1,2,3' });
    expect([again.get('panorama'), again.get('roi'), again.get('view')]).toEqual(['b', null, null]);
  });

  it('writes the view of a first look without a panorama once a panorama is named', () => {
    const viewer = state({ view: 'view=1,2,3' });
    viewer.set({ panorama: 'a', roi: 3, view: viewer.get('view') }, 'push');
    expect(page.location.search).toBe('?theme=dark&panorama=a&roi=3&view=1,2,3');
    expect(viewer.get('view')).toEqual([1, 2, 3]);
  });

  it('lets the nucleus of the first look go for good', () => {
    const viewer = state({ view: 'panorama=a&roi=3' });
    viewer.set({ roi: null }, 'settle');
    vi.advanceTimersByTime(300);
    expect(viewer.get('roi')).toBeNull();
    expect(state({ view: 'panorama=a&roi=3' }).get('roi')).toBeNull();
  });

  it('can say that there is nothing where the default is something', () => {
    const viewer = state({ view: [1, 2, 3] });
    viewer.set({ view: null }, 'settle');
    vi.advanceTimersByTime(300);
    expect(page.location.search).toBe('?theme=dark&view=');
    expect(viewer.get('view')).toBeNull();
  });

  it('shares panorama and nucleus, and nothing else, with views of other names', () => {
    const [one, two] = [state({ name: 'one', panorama: 'a' }), state({ name: 'two' })];
    one.set({ panorama: 'a', roi: null, view: [1, 2, 3] }, 'push');
    expect(page.location.search).toBe('?theme=dark&panorama=a&one.view=1,2,3');
    expect([two.get('panorama'), two.get('view')]).toEqual(['a', null]);
  });

  it('ignores what it cannot read', () => {
    page.location.search = '?view=1,2&masks=lots&roi=-4&panorama=';
    const viewer = state();
    expect((['view', 'masks', 'roi', 'panorama'] as const).map((name) => viewer.get(name))).toEqual([null, 'fill', null, null]);
  });

  it('keeps the state where a frame may not have an address', () => {
    const viewer = state();
    page.history.pushState = () => {
      throw new DOMException('no', 'SecurityError');
    };
    viewer.set({ panorama: 'a' }, 'push');
    expect(viewer.get('panorama')).toBe('a');
  });

  it('is in the traits, and leaves the address alone, where the host sets that', () => {
    const model = modelOf({ address: false, masks: 'off', view: 'damaged' });
    const viewer = stateOf(model, KINDS, signal);
    expect([viewer.get('masks'), viewer.get('view')]).toEqual(['off', null]);
    let calls = 0;
    viewer.onChange(() => (calls += 1));
    viewer.set({ view: [1, 2, 3], roi: 7 }, 'push');
    expect(model.values).toMatchObject({ view: [1, 2, 3], roi: 7 });
    expect(model.saved).toBe(1);
    model.announce('masks');
    expect(calls).toBe(1);
    expect(page.entries).toEqual(['/nucleusnet/?theme=dark#fig1a']);
  });
});

describe('a lasso round nuclei', () => {
  const text = 'area_um2,mean_intensity;120,40;160,40.5;140,-90';

  it('is read as it is written, with the measurements that it is in', () => {
    const gate = parseGate(text);
    expect(gate).toEqual({ x: 'area_um2', y: 'mean_intensity', corners: [[120, 40], [160, 40.5], [140, -90]] });
    expect(gate && gateText(gate)).toBe(text);
  });

  it('is none where it has too few corners, or no measurements', () => {
    for (const other of ['', 'area_um2,mean_intensity', 'area_um2,mean_intensity;1,2;3,4', '1,2;3,4;5,6', 'a,b;1,2;3,4;5,x', 'a,<b>;1,2;3,4;5,6']) {
      expect(parseGate(other)).toBeNull();
      expect(BRUSHED.gate.accept(other)).toBeUndefined();
    }
  });
});
