/** The picture on the stage, with thin frames around the tile pointed at and the opened one. */
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Picture } from '../api/client';
import type { SheetInfo, Tile } from '../api/types';
import { hit, nearest } from '../model/geometry';
import { labelSize, labelText } from '../model/labels';
import { sheetAlt } from '../model/words';
import { openTile } from '../state/actions';
import { momentOf } from '../state/axes';
import { besidePicture, compare } from '../state/compare';
import { navigation } from '../state/navigation';
import { leaveSheet, pointAt, pointing } from '../state/pointing';
import { cssZoom, openedPlace, pictureNumbers, shownPicture } from '../state/stage';
import { Tip } from './tip';

export function Sheet(): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = shownPicture.value;
  const other = compare.blinkOther.value ? besidePicture.value : null;
  useDrawn(canvas, other ?? picture);
  if (!picture) return null;
  const { info } = picture;
  const zoom = cssZoom.value;
  const size = { width: `${info.width * zoom}px`, height: `${info.height * zoom}px` };
  const point = (event: PointerEvent): void => {
    if (!event.isPrimary) return;
    pointAt(hit(info.tiles, info.cols, event.offsetX / zoom, event.offsetY / zoom), 'pointer');
  };
  return (
    <div class="sheet" style={size}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={sheetAlt(info, pictureNumbers.value, momentOf)}
        tabIndex={0}
        style={size}
        onPointerMove={point}
        onPointerLeave={leaveSheet}
        onClick={(event) => {
          const spot = nearest(info.tiles, event.offsetX / zoom, event.offsetY / zoom);
          if (spot) openTile(spot.tile);
        }}
      />
      <Labels zoom={zoom} info={info} />
      <Marks zoom={zoom} tiles={info.tiles} />
      <Tip canvas={canvas} />
    </div>
  );
}

/** Thin frames around the opened tile, the tile pointed at, and the pixel pointed at. */
function Marks({ zoom, tiles }: { zoom: number; tiles: Tile[] }): JSX.Element {
  const cursor = pointing.cursor.value;
  const opened = openedPlace.value;
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

/** The picture to compare with, at the zoom of the stage's. The tile pointed at in one of them is framed in both. */
export function OtherSheet({ picture }: { picture: Picture }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useDrawn(canvas, picture);
  const { info } = picture;
  const zoom = cssZoom.value;
  const size = { width: `${info.width * zoom}px`, height: `${info.height * zoom}px` };
  return (
    <div class="sheet other" style={size}>
      <canvas ref={canvas} role="img" aria-label={sheetAlt(info, pictureNumbers.value, momentOf)} style={size} />
      <Labels zoom={zoom} info={info} />
      <Marks zoom={zoom} tiles={info.tiles} />
    </div>
  );
}

/** The index of each tile in the gutter above it. */
function Labels({ zoom, info }: { zoom: number; info: SheetInfo }): JSX.Element | null {
  const size = navigation.address.value.labels === 'index' ? labelSize(info, zoom) : null;
  if (size === null) return null;
  return (
    <svg class="labels" width={info.width * zoom} height={info.height * zoom} font-size={size} aria-hidden="true">
      {info.tiles.map((tile) => (
        <text key={tile.index} x={tile.x * zoom} y={tile.y * zoom - size * 0.14}>
          {labelText(tile)}
        </text>
      ))}
    </svg>
  );
}

function useDrawn(canvas: RefObject<HTMLCanvasElement | null>, picture: Picture | null): void {
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !picture) return;
    const { width, height } = picture.bitmap;
    // Setting a size clears the canvas; drawing follows before the browser paints, so no empty frame is visible.
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    element.getContext('2d')?.drawImage(picture.bitmap, 0, 0);
  }, [picture]);
}
