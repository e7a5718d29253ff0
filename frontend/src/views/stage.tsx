/** The sheet on its neutral grey, with what the pointer or the keyboard points at. */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Tile } from '../api/types';
import { hit } from '../model/geometry';
import { sheetAlt } from '../model/words';
import { openTile, zoomBy, zoomToFit } from '../state/actions';
import { wantedQuery } from '../state/picture-query';
import { pictureNumbers, state } from '../state/store';
import { cssZoom, zoomNow } from '../state/zoom';
import { useSize } from './hooks';
import { Icon } from './icons';
import { Tip } from './tip';

/** Free grey around a fitted sheet, in CSS pixels on each side. */
const MARGIN_PX = 20;

export function Stage(): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  useSize(ref, ({ width, height }) => {
    state.stageSize.value = { width: width - 2 * MARGIN_PX, height: height - 2 * MARGIN_PX };
    state.devicePixels.value = window.devicePixelRatio || 1;
  });
  const busy = state.pictureProblem.value === null && state.picture.value?.query !== wantedQuery.value;
  return (
    <div class="stage" aria-busy={busy}>
      <div class="scroll" ref={ref}>
        {state.picture.value ? <Sheet /> : <Waiting />}
      </div>
      {state.picture.value && <ZoomButtons />}
    </div>
  );
}

function Waiting(): JSX.Element {
  const problem = state.pictureProblem.value;
  if (problem !== null) {
    return (
      <p class="refusal" role="alert">
        {problem}
      </p>
    );
  }
  return <p class="refusal waiting">{state.pictureBusy.value ? '' : 'Nothing is chosen yet.'}</p>;
}

function Sheet(): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = state.picture.value;
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !picture) return;
    const { width, height } = picture.bitmap;
    // Setting a size clears the canvas, and the drawing follows in the same turn: no empty frame is ever painted.
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    element.getContext('2d')?.drawImage(picture.bitmap, 0, 0);
  }, [picture]);
  if (!picture) return null;
  const { info } = picture;
  const zoom = cssZoom.value;
  const size = { width: `${info.width * zoom}px`, height: `${info.height * zoom}px` };
  const point = (event: PointerEvent): void => {
    if (!event.isPrimary) return;
    const spot = hit(info.tiles, info.cols, event.offsetX / zoom, event.offsetY / zoom);
    state.cursor.value = spot ? { ...spot, by: 'pointer' } : null;
  };
  return (
    <div class="sheet" style={size}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={sheetAlt(info, pictureNumbers.value)}
        tabIndex={0}
        style={size}
        onPointerMove={point}
        onPointerLeave={() => {
          if (state.cursor.peek()?.by === 'pointer') state.cursor.value = null;
        }}
        onClick={(event) => {
          const spot = hit(info.tiles, info.cols, event.offsetX / zoom, event.offsetY / zoom);
          if (spot) openTile(spot.tile);
        }}
      />
      <Marks zoom={zoom} tiles={info.tiles} />
      <Tip canvas={canvas} />
    </div>
  );
}

/** Thin frames around the opened tile, the tile pointed at, and the pixel pointed at. */
function Marks({ zoom, tiles }: { zoom: number; tiles: Tile[] }): JSX.Element {
  const cursor = state.cursor.value;
  const opened = state.address.value.tile;
  const tile = cursor ? tiles[cursor.tile] : undefined;
  const open = opened === null ? undefined : tiles[opened];
  const mark = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (cursor?.by === 'keys') mark.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [cursor]);
  const frame = (x: number, y: number, w: number, h: number): Record<string, string> => ({
    left: `${x * zoom}px`,
    top: `${y * zoom}px`,
    width: `${w * zoom}px`,
    height: `${h * zoom}px`,
  });
  return (
    <>
      {open && <span class="mark-open" style={frame(open.x, open.y, open.w, open.h)} />}
      {tile && <span ref={mark} class="mark-tile" style={frame(tile.x, tile.y, tile.w, tile.h)} />}
      {tile && cursor && zoom >= 4 && (
        <span class="mark-pixel" style={frame(tile.x + cursor.col, tile.y + cursor.row, 1, 1)} />
      )}
    </>
  );
}

function ZoomButtons(): JSX.Element {
  const fitted = state.address.value.zoom === null;
  return (
    <fieldset class="zoom" aria-label="Zoom">
      <button type="button" class="plain" aria-label="Smaller" title="Smaller (−)" onClick={() => zoomBy(-1)}>
        <Icon name="minus" />
      </button>
      <output>{zoomNow.value}×</output>
      <button type="button" class="plain" aria-label="Larger" title="Larger (+)" onClick={() => zoomBy(1)}>
        <Icon name="plus" />
      </button>
      <button
        type="button"
        class="plain"
        aria-label="As large as it fits"
        aria-pressed={fitted}
        title="As large as it fits (0)"
        onClick={zoomToFit}
      >
        <Icon name="fit" />
      </button>
    </fieldset>
  );
}
