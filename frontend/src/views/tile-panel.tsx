/** Right: one tile, large, with its numbers. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Picture } from '../api/client';
import type { Tile } from '../api/types';
import { extent, type TileValues, tileValues } from '../model/geometry';
import { tileName } from '../model/words';
import { closeTile } from '../state/actions';
import { clearCursor, pointAt } from '../state/pointing';
import { openedPlace, pictureIsBytes, pictureNumbers, shownPicture, shownValues } from '../state/stage';
import { CopyLink, TensorLink } from './downloads';
import { FilmStrip } from './film-strip';
import { CsvLink, FilterNumbers, hasFilterNumbers } from './filter-numbers';
import { FrameBar } from './frame-bar';
import { isNarrow } from './hooks';
import { Icon } from './icons';
import { savePicture } from './save-picture';
import { StepCharts } from './step-chart';
import { byteCells, floatCells, unitOf, ValueTable } from './value-table';

/** A large tile is about this wide; less where it lies over the stage. */
const LARGE_PX = 280;
const LARGE_NARROW_PX = 150;

export function TilePanel(): JSX.Element | null {
  const picture = shownPicture.value;
  const place = openedPlace.value;
  const tile = place === null ? undefined : picture?.info.tiles[place];
  if (!picture || !tile || place === null) return null;
  const values = valuesOf(picture, place);
  return (
    <aside class="tile" aria-label="Tile">
      <header>
        <h2>{tileName(picture.info, tile)}</h2>
        <button type="button" class="plain" aria-label="Close (Esc)" title="Close (Esc)" onClick={closeTile}>
          <Icon name="close" />
        </button>
      </header>
      <LargeTile picture={picture} tile={tile} place={place} />
      <FrameBar tile={tile} />
      <Numbers values={values} picture={picture} place={place} tile={tile} />
      <FilterNumbers info={picture.info} tile={tile} />
      {!picture.info.minus && <StepCharts info={picture.info} tile={tile} />}
      <FilmStrip info={picture.info} tile={tile} />
      {values && <Values values={values} place={place} />}
      <div class="takeaway">
        <button
          type="button"
          class="quiet"
          title="This tile, enlarged (PNG)"
          onClick={() => savePicture(picture, tile)}
        >
          <Icon name="download" />
          PNG
        </button>
        <TensorLink picture={picture} />
        <CsvLink info={picture.info} />
        <CopyLink />
      </div>
    </aside>
  );
}

function valuesOf(picture: Picture, place: number): TileValues | null {
  const values = shownValues.value;
  return values && values.query === picture.query ? tileValues(values.floats, place) : null;
}

function LargeTile({ picture, tile, place }: { picture: Picture; tile: Tile; place: number }): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    if (canvas.width !== tile.w) canvas.width = tile.w;
    if (canvas.height !== tile.h) canvas.height = tile.h;
    canvas.getContext('2d')?.drawImage(picture.bitmap, tile.x, tile.y, tile.w, tile.h, 0, 0, tile.w, tile.h);
  }, [picture, tile]);
  const zoom = Math.max(1, Math.floor((isNarrow() ? LARGE_NARROW_PX : LARGE_PX) / Math.max(tile.w, tile.h)));
  const point = (event: PointerEvent): void => {
    const col = Math.min(tile.w - 1, Math.max(0, Math.floor(event.offsetX / zoom)));
    const row = Math.min(tile.h - 1, Math.max(0, Math.floor(event.offsetY / zoom)));
    pointAt({ tile: place, row, col }, 'pointer');
  };
  return (
    <div class="large">
      <canvas
        ref={ref}
        role="img"
        aria-label={`${tileName(picture.info, tile)}, ${tile.h}×${tile.w}`}
        style={{ width: `${tile.w * zoom}px`, height: `${tile.h * zoom}px` }}
        onPointerMove={point}
        onPointerLeave={clearCursor}
      />
    </div>
  );
}

interface NumbersProps {
  values: TileValues | null;
  picture: Picture;
  place: number;
  tile: Tile;
}

function Numbers({ values, picture, place, tile }: NumbersProps): JSX.Element {
  const hasOwn = !hasFilterNumbers(picture.info, tile);
  const found = values ? extent(values.data) : null;
  const words = pictureNumbers.value;
  const own = picture.info.tile_ranges?.[place];
  const bad = values ? values.data.filter((value) => !Number.isFinite(value)).length : 0;
  return (
    <dl class="numbers">
      {hasOwn && <Fact name="min" value={values ? words(found?.lo ?? null) : '…'} />}
      {hasOwn && <Fact name="max" value={values ? words(found?.hi ?? null) : '…'} />}
      <Fact name="size" value={`${tile.h}×${tile.w}${values && values.depth > 1 ? `×${values.depth}` : ''}`} />
      {!tile.frame && <Fact name="index" value={String(tile.channel)} />}
      {own && <Fact wide name="scale" value={`${words(own.lo)} … ${words(own.hi)}`} />}
      {bad > 0 && <Fact name="not finite" value={String(bad)} />}
      {tile.constant && <Fact name="constant" value="yes" />}
    </dl>
  );
}

const Fact = ({ name, value, wide = false }: { name: string; value: string; wide?: boolean }): JSX.Element => (
  <div class={wide ? 'wide' : ''}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

const CHANNELS = ['red', 'green', 'blue'];

/** Tiles larger than this are pictures, not tables. */
const LARGEST_TABLE = 11;

function Values({ values, place }: { values: TileValues; place: number }): JSX.Element | null {
  const [channel, setChannel] = useState(0);
  if (values.h > LARGEST_TABLE || values.w > LARGEST_TABLE) return null;
  if (pictureIsBytes.value) return <Bytes values={values} place={place} />;
  const shown = Math.min(channel, values.depth - 1);
  return (
    <section class="values">
      {values.depth > 1 && (
        <fieldset class="tabs" aria-label="Channel">
          {CHANNELS.map((name, number) => (
            <button key={name} type="button" aria-pressed={number === shown} onClick={() => setChannel(number)}>
              {name}
            </button>
          ))}
        </fieldset>
      )}
      <Unit values={values} />
      <ValueTable values={values} place={place} cell={floatCells(values, shown)} />
    </section>
  );
}

/** Where there are many columns their numbers have a common power of ten, which is said once. */
function Unit({ values }: { values: TileValues }): JSX.Element | null {
  const power = unitOf(values);
  return power === null || power === 0 ? null : (
    <p class="said">
      × 10<sup>{String(power).replace('-', '−')}</sup>
    </p>
  );
}

/** Bytes are short, so all channels of a pixel fit into its cell. */
function Bytes({ values, place }: { values: TileValues; place: number }): JSX.Element {
  return (
    <section class="values">
      <p class="said">{values.depth > 1 ? `bytes: ${CHANNELS.join(' over ')}` : 'bytes'}</p>
      <ValueTable values={values} place={place} cell={byteCells} />
    </section>
  );
}
