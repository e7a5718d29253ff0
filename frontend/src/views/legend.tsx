/** The colour bar and the counts, always from the same request as the picture on the stage. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Colormap, SheetInfo } from '../api/types';
import { grouped } from '../model/format';
import { placeOnBar, rgbScale } from '../model/words';
import { currentNoun } from '../state/axes';
import { isRunBare } from '../state/lists';
import { valueIn } from '../state/loadable';
import { pickFixed } from '../state/menu-choices';
import { panels, toggleHistogram } from '../state/panels';
import { pointing } from '../state/pointing';
import { openedPlace, pictureIsBytes, pictureNumbers, pictureSeries, shownPicture, stage } from '../state/stage';
import { minusWords } from './compare-strip';
import { CopyLink, FilmButton, NumbersButton, SheetLink, TensorLink } from './downloads';
import { CsvLink } from './filter-numbers';
import { Icon } from './icons';
import { RunDot } from './run-dot';
import { RunName } from './run-list';
import { cursorNumbers } from './tip';

export function Legend(): JSX.Element {
  const picture = shownPicture.value;
  if (!picture || isRunBare.value) return <div class="legend" />;
  const { info } = picture;
  const note = pictureSeries.value?.note ?? null;
  return (
    <div class="legend">
      <p class="which" title={info.run}>
        <RunDot run={info.run} />
        <span class="unseen">run </span>
        <RunName name={info.run === '.' ? 'this directory' : info.run} />
      </p>
      {info.cmap === 'rgb' ? <RgbScale info={info} /> : <Bar info={info} colormap={valueIn(stage.colormap.value)} />}
      {info.minus && <p class="said">{minusWords(info)}</p>}
      {note !== null && <p class="said">{note}</p>}
      <Counts info={info} />
      <div class="takeaway">
        <SheetLink picture={picture} />
        <FilmButton />
        <TensorLink picture={picture} />
        <CsvLink info={info} />
        <NumbersButton />
        <CopyLink />
      </div>
    </div>
  );
}

interface Range {
  lo: number | null;
  hi: number | null;
}

/** Whether each tile has its own range. A fixed range is the same for all tiles, whatever the scope. */
const hasOwnScales = (info: SheetInfo): boolean =>
  info.tile_ranges !== undefined && !info.range.option.startsWith('fixed');

/** The range on the colour bar: if each tile has its own, that of the tile pointed at. */
function rangeShown(info: SheetInfo): Range | null {
  if (!hasOwnScales(info)) return info.range;
  const place = pointing.cursor.value?.tile ?? openedPlace.value;
  return place === null ? null : (info.tile_ranges?.[place] ?? null);
}

function Bar({ info, colormap }: { info: SheetInfo; colormap: Colormap | null }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !colormap) return;
    colormap.colors.forEach((color, place) => {
      context.fillStyle = color;
      context.fillRect(place, 0, 1, 1);
    });
  }, [colormap]);
  const range = rangeShown(info);
  const cursor = pointing.cursor.value;
  const numbers = cursor && range ? cursorNumbers(cursor.tile, cursor.row, cursor.col) : null;
  const tick = numbers && range && numbers.length === 1 ? placeOnBar(numbers[0] as number, range) : null;
  // The byte 0 is an end of the scale and does not stand for the number zero.
  const zero = pictureIsBytes.value ? null : zeroPlace(info, range);
  const words = pictureNumbers.value;
  return (
    <div class="bar">
      <span class="end lo">{range ? words(range.lo) : 'minimum of the tile'}</span>
      <div class="ramp" role="img" aria-label={`Colour bar ${info.cmap}`}>
        <canvas ref={canvas} width={256} height={1} />
        {zero !== null && (
          <span class="zero" style={{ left: `${zero * 100}%` }}>
            0
          </span>
        )}
        {tick !== null && <span class="tick" style={{ left: `${tick * 100}%` }} />}
      </div>
      <span class="end hi">{range ? words(range.hi) : 'maximum'}</span>
      <ByHand />
      <Hold info={info} />
    </div>
  );
}

function zeroPlace(info: SheetInfo, range: Range | null): number | null {
  if (!hasOwnScales(info)) return info.range.zero;
  if (range)
    return range.lo !== null && range.hi !== null && range.lo <= 0 && range.hi >= 0 ? placeOnBar(0, range) : null;
  return info.range.option === 'symmetric' ? 0.5 : null;
}

/** Opens the histogram, on which the range can be dragged. */
function ByHand(): JSX.Element {
  return (
    <button
      type="button"
      class="plain"
      aria-label="Range by hand"
      aria-pressed={panels.histogram.value}
      title="Range by hand, over a histogram"
      onClick={toggleHistogram}
    >
      <Icon name="histogram" />
    </button>
  );
}

/** Keeps the range of this step for all steps, so that they can be compared. */
function Hold({ info }: { info: SheetInfo }): JSX.Element | null {
  const { lo, hi, option } = info.range;
  if (hasOwnScales(info) || option.startsWith('fixed') || lo === null || hi === null || lo >= hi) return null;
  const words = `Hold this range for all ${currentNoun.value}s`;
  return (
    <button type="button" class="plain" aria-label={words} title={words} onClick={() => pickFixed(lo, hi)}>
      <Icon name="hold" />
    </button>
  );
}

function RgbScale({ info }: { info: SheetInfo }): JSX.Element {
  return (
    <div class="bar rgb">
      <span class="hues" aria-hidden="true">
        <i class="hue r" />
        <i class="hue g" />
        <i class="hue b" />
      </span>
      <span>
        {hasOwnScales(info)
          ? 'red, green, blue; each tile on its own scale'
          : `red, green, blue; ${rgbScale(info.range, pictureNumbers.value)}`}
      </span>
      <ByHand />
      <Hold info={info} />
    </div>
  );
}

function Counts({ info }: { info: SheetInfo }): JSX.Element {
  const colormap = valueIn(stage.colormap.value);
  const { clipped, nan, inf } = info.range;
  const constant = info.tiles.filter((tile) => tile.constant).length;
  return (
    <ul class="counts" aria-label="Counted">
      {hasOwnScales(info) && <li class="said">each tile has its own scale</li>}
      <Counted number={clipped} word="clipped" />
      {!pictureIsBytes.value && (
        <>
          <Counted number={nan} word="NaN" colors={colormap ? [colormap.nan] : []} />
          <Counted number={inf} word="inf" colors={colormap ? [colormap.neginf, colormap.posinf] : []} />
        </>
      )}
      {constant > 0 && <Counted number={constant} word="constant" />}
    </ul>
  );
}

function Counted({ number, word, colors = [] }: { number: number; word: string; colors?: string[] }): JSX.Element {
  return (
    <li class={number > 0 ? 'some' : 'none'}>
      {number > 0 && colors.map((color) => <i key={color} class="swatch" style={{ backgroundColor: color }} />)}
      {grouped(number)} {word}
    </li>
  );
}
