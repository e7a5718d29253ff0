/** Hooks that more than one view uses. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Calls back with the element's inner size, now and whenever it changes. */
export function useSize(
  ref: RefObject<HTMLElement | null>,
  take: (size: { width: number; height: number }) => void,
): void {
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = (): void => take({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
}

/** Whether the element is in the window, or nearly. */
export function useInSight(ref: RefObject<HTMLElement | null>): boolean {
  const [inSight, setInSight] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new IntersectionObserver(([entry]) => setInSight(entry?.isIntersecting === true));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return inSight;
}

/** A screen on which the lists and the tile lie over the stage; the same width as in layout.css. */
export const isNarrow = (): boolean => matchMedia('(max-width: 760px)').matches;

/** The value, renewed at most once per pause, so that a run that grows quickly does not redraw the whole list all the time. */
export function useCalm<T>(value: T, pause_ms: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const renewed = useRef(Date.now());
  latest.current = value;
  useEffect(() => {
    if (shown === value) return;
    const wait = Math.max(0, renewed.current + pause_ms - Date.now());
    const timer = setTimeout(() => {
      renewed.current = Date.now();
      setShown(latest.current);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, shown]);
  return shown;
}

/** `copied` for a moment after `copy` was called. */
export function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const [copied, setCopied] = useState(false);
  const copy = (text: string): void => {
    void writeClipboard(text).then((done) => {
      setCopied(done);
      setTimeout(() => setCopied(false), 1600);
    });
  };
  return { copied, copy };
}

/** Browsers offer the clipboard API over HTTPS and on this machine only; elsewhere the old command works. */
async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
