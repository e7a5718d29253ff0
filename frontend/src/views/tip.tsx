/** The value under the pointer or the keyboard's cursor, beside it. */
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { digits4 } from '../model/format';
import { pixelValues, tileValues } from '../model/geometry';
import { tileName } from '../model/words';
import { pointing } from '../state/pointing';
import { cssZoom, pictureIsBytes, pictureNumbers, shownPicture, shownValues } from '../state/stage';

const GAP_PX = 12;

export function Tip({ canvas }: { canvas: RefObject<HTMLCanvasElement | null> }): JSX.Element | null {
  const ref = useRef<HTMLDivElement>(null);
  const cursor = pointing.cursor.value;
  const picture = shownPicture.value;
  const zoom = cssZoom.value;
  const tile = cursor && picture ? picture.info.tiles[cursor.tile] : undefined;
  const put = (): void => {
    const tip = ref.current;
    const sheet = canvas.current?.getBoundingClientRect();
    if (!tip || !sheet || !cursor || !tile) return;
    const right = sheet.left + (tile.x + cursor.col + 1) * zoom;
    const bottom = sheet.top + (tile.y + cursor.row + 1) * zoom;
    const left =
      right + GAP_PX + tip.offsetWidth > innerWidth ? right - zoom - GAP_PX - tip.offsetWidth : right + GAP_PX;
    const top =
      bottom + GAP_PX + tip.offsetHeight > innerHeight ? bottom - zoom - GAP_PX - tip.offsetHeight : bottom + GAP_PX;
    tip.style.transform = `translate(${Math.max(4, Math.round(left))}px, ${Math.max(4, Math.round(top))}px)`;
  };
  useLayoutEffect(put);
  useStageMoves(canvas, put);
  if (!cursor || !picture || !tile) return null;
  const own = picture.info.tile_ranges?.[cursor.tile];
  return (
    <div class="tip" ref={ref} role={cursor.by === 'keys' ? 'status' : undefined}>
      <Value tile={cursor.tile} row={cursor.row} col={cursor.col} />
      <span>
        {tileName(picture.info, tile)}, row {cursor.row}, col {cursor.col}
      </span>
      {own && (
        <span>
          scale {pictureNumbers.value(own.lo)} … {pictureNumbers.value(own.hi)}
        </span>
      )}
      {tile.constant && <span>constant</span>}
    </div>
  );
}

/** Calls back when the sheet has moved in the window although the tip has not changed: a panel opened, or the stage was scrolled. */
function useStageMoves(canvas: RefObject<HTMLCanvasElement | null>, moved: () => void): void {
  const latest = useRef(moved);
  latest.current = moved;
  useEffect(() => {
    const scroll = canvas.current?.closest('.scroll');
    if (!scroll) return;
    const take = (): void => latest.current();
    const observer = new ResizeObserver(take);
    observer.observe(scroll);
    scroll.addEventListener('scroll', take);
    return () => {
      observer.disconnect();
      scroll.removeEventListener('scroll', take);
    };
  }, []);
}

const CHANNELS = ['R', 'G', 'B'];

function Value({ tile, row, col }: { tile: number; row: number; col: number }): JSX.Element {
  const numbers = cursorNumbers(tile, row, col);
  if (numbers === null) return <b class="value">…</b>;
  if (numbers.length === 1) return <b class="value">{pictureNumbers.value(numbers[0] as number)}</b>;
  return (
    <b class="value">
      {pictureIsBytes.value && <i>bytes</i>}
      {numbers.map((number, channel) => (
        <span key={CHANNELS[channel]}>
          <i>{CHANNELS[channel]}</i> {pictureIsBytes.value ? number : digits4(number)}
        </span>
      ))}
    </b>
  );
}

/** The numbers of a pixel of the picture on show; null until they are here. */
export function cursorNumbers(tile: number, row: number, col: number): number[] | null {
  const values = shownValues.value;
  if (!values) return null;
  const own = tileValues(values.floats, tile);
  const numbers = own ? pixelValues(own, row, col) : [];
  return numbers.length > 0 ? numbers : null;
}
