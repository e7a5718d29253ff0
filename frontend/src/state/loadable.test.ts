import { describe, expect, test } from 'vitest';
import type { Answer } from '../api/client';
import {
  answered,
  IDLE,
  type Loadable,
  loading,
  problemIn,
  ready,
  refusalIn,
  renewed,
  rows,
  valueIn,
} from './loadable';

const ok: Answer<number> = { kind: 'ok', value: 2 };
const refused: Answer<number> = { kind: 'refused', status: 404, code: 'unknown_tag', message: 'no such tag' };
const unreachable: Answer<number> = { kind: 'unreachable', message: 'no network' };

describe('a loadable', () => {
  test('keeps its value while the next one loads', () => {
    const now = loading(ready(1));
    expect([now.kind, valueIn(now), problemIn(now)]).toEqual(['loading', 1, null]);
    expect(loading(now)).toBe(now);
    expect(answered(ok, now)).toEqual(ready(2));
  });

  test('keeps its problem while the next one loads', () => {
    const now = loading(answered(refused, IDLE));
    expect([valueIn(now), problemIn(now), refusalIn(now)]).toEqual([null, 'no such tag', 'no such tag']);
  });

  test('loses its value to a refusal, unless it is said to stay in use', () => {
    expect(valueIn(answered(refused, ready(1)))).toBeNull();
    expect(valueIn(answered(refused, ready(1), 1))).toBe(1);
  });

  test('tells a refusal from an answer that did not come', () => {
    const now = answered(unreachable, IDLE);
    expect([problemIn(now), refusalIn(now)]).toEqual(['no network', null]);
  });

  test('is as it was when nobody waits for the answer any more', () => {
    expect(answered({ kind: 'aborted' }, loading(ready(1)))).toEqual(ready(1));
    expect(answered({ kind: 'aborted' }, loading(IDLE))).toEqual(IDLE);
  });

  test('of a list outlives a server that is away, but has to come once', () => {
    expect(renewed(unreachable, ready(1))).toEqual(ready(1));
    expect(renewed(refused, loading(ready(1)))).toEqual(ready(1));
    expect(problemIn(renewed(unreachable, IDLE))).toBe('no network');
    expect(renewed(ok, ready(1))).toEqual(ready(2));
  });

  test('of a list has no rows while there is none', () => {
    const list: Loadable<number[]> = loading(IDLE);
    expect([rows(list), rows(loading(ready([3])))]).toEqual([[], [3]]);
  });
});
