import { describe, expect, it } from 'vitest';
import { actionOf, following, KEYS, keyRows } from './keys';

const press = (key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent =>
  ({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more }) as KeyboardEvent;

describe('keys', () => {
  it('are all on the sheet, and nothing else is', () => {
    const shown = keyRows('step').flatMap((row) => row.actions);
    expect([...shown].sort()).toEqual(KEYS.map((key) => key.action).sort());
  });
  it('are each taken once', () => {
    const all = KEYS.flatMap((key) => key.keys);
    expect(new Set(all).size).toBe(all.length);
  });
  it('tell shifted arrows from plain ones', () => {
    expect(actionOf(press('ArrowLeft'))).toBe('left');
    expect(actionOf(press('ArrowLeft', { shiftKey: true }))).toBe('pixelLeft');
    expect(actionOf(press('?', { shiftKey: true }))).toBe('help');
  });
  it('leave the keys of the browser alone', () => {
    expect(actionOf(press('f', { ctrlKey: true }))).toBeNull();
    expect(actionOf(press('-', { metaKey: true }))).toBeNull();
    expect(actionOf(press('x'))).toBeNull();
  });
  it('go round through the choices', () => {
    expect(following(['a', 'b'], 'a')).toBe('b');
    expect(following(['a', 'b'], 'b')).toBe('a');
    expect(following(['a', 'b'], null)).toBe('a');
    expect(following([], 'a')).toBeNull();
  });
});
