/** How the values of the sheet are spread, with the two ends of the range as handles. */
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { digits4 } from '../model/format';
import { dragEnd, type End, heightOf, histogram, placeOn, shareOutside, valueAt } from '../model/histogram';
import { currentSeries } from '../state/lists';
import { choicesOf, pick, picked, pickFixed } from '../state/menu-choices';
import { closeHistogram } from '../state/panels';
import { pictureNumbers, shownPicture, shownValues } from '../state/stage';
import { Icon } from './icons';

const BINS = 96;
const HEIGHT_PX = 44;

/** Ranges that are one click away. */
const PRESETS: readonly { words: string; range: string }[] = [
  { words: 'min … max', range: 'minmax' },
  { words: '± max', range: 'symmetric' },
  { words: '99 %', range: 'percentile:0.99' },
  { words: '3 sd', range: 'std:3' },
  { words: 'zscale', range: 'zscale' },
];

interface Ends {
  lo: number;
  hi: number;
}

export function Histogram(): JSX.Element | null {
  const picture = shownPicture.value;
  const data = shownValues.value?.floats.data ?? null;
  const latest = useRef(data);
  // The bars stay while the next values load.
  if (data) latest.current = data;
  const shown = latest.current;
  const bars = useMemo(() => (shown ? histogram(shown, BINS) : null), [shown]);
  const [mirrored, setMirrored] = useState(currentSeries.peek()?.range === 'symmetric');
  if (!picture) return null;
  const { lo, hi } = picture.info.range;
  const ends = lo !== null && hi !== null && lo < hi ? { lo, hi } : null;
  return (
    <section class="histogram" aria-label="Range by hand">
      {bars && ends ? (
        <Bars bars={bars} ends={ends} mirrored={mirrored} />
      ) : (
        <p class="bars">{bars || !shown ? '' : 'no finite values'}</p>
      )}
      <div class="presets">
        {PRESETS.filter(({ range }) => choicesOf('range').includes(range.split(':')[0] ?? '')).map(
          ({ words, range }) => (
            <button
              key={range}
              type="button"
              class="quiet"
              aria-pressed={picked('range') === range}
              onClick={() => pick('range', range)}
            >
              {words}
            </button>
          ),
        )}
        <label class="quiet">
          <input type="checkbox" checked={mirrored} onChange={(event) => setMirrored(event.currentTarget.checked)} />0
          in the middle
        </label>
        {shown && ends && <small>{digits4(shareOutside(shown, ends) * 100)} % outside</small>}
        <button type="button" class="plain" aria-label="Close the histogram" onClick={closeHistogram}>
          <Icon name="close" />
        </button>
      </div>
    </section>
  );
}

interface BarsProps {
  bars: NonNullable<ReturnType<typeof histogram>>;
  ends: Ends;
  mirrored: boolean;
}

function Bars({ bars, ends, mirrored }: BarsProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  // During a drag the handle stays at the pointer, and the picture follows as fast as it loads.
  const [drawn, setDrawn] = useState<Ends | null>(null);
  const started = useRef(false);
  const now = drawn ?? ends;
  const move = (end: End, value: number): void => {
    const next = dragEnd(now, { end, value, mirrored, axis: bars });
    setDrawn(next);
    pickFixed(next.lo, next.hi, started.current ? 'replace' : 'push');
    started.current = true;
  };
  const release = (): void => {
    setDrawn(null);
    started.current = false;
  };
  const handle = (end: End): JSX.Element => (
    <Handle
      end={end}
      place={placeOn(bars, now[end])}
      value={now[end]}
      axis={bars}
      onKeyMove={(by) => {
        const next = dragEnd(now, { end, value: now[end] + by * (bars.hi - bars.lo), mirrored, axis: bars });
        pickFixed(next.lo, next.hi, 'replace');
      }}
      onDrag={(x) => {
        const rect = box.current?.getBoundingClientRect();
        if (rect) move(end, valueAt(bars, (x - rect.left) / rect.width));
      }}
      onRelease={release}
    />
  );
  return (
    <div class="bars" ref={box}>
      <svg
        viewBox={`0 0 ${BINS} ${HEIGHT_PX}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Histogram of the values on the sheet, ${digits4(bars.lo)} to ${digits4(bars.hi)}`}
      >
        <path d={barPath(bars)} />
      </svg>
      <span class="outside" style={{ left: 0, width: `${placeOn(bars, now.lo) * 100}%` }} />
      <span class="outside" style={{ left: `${placeOn(bars, now.hi) * 100}%`, right: 0 }} />
      {handle('lo')}
      {handle('hi')}
    </div>
  );
}

function barPath({ counts, most }: BarsProps['bars']): string {
  return counts
    .map((count, bin) => {
      const height = heightOf(count, most) * HEIGHT_PX;
      return count === 0 ? '' : `M${bin} ${HEIGHT_PX}v${-Math.max(1, height).toFixed(1)}h1V${HEIGHT_PX}z`;
    })
    .join('');
}

interface HandleProps {
  end: End;
  place: number;
  value: number;
  axis: Ends;
  onDrag: (x: number) => void;
  onKeyMove: (by: number) => void;
  onRelease: () => void;
}

/** One end of the range; the arrows move it by a hundredth of the axis. */
function Handle({ end, place, value, axis, onDrag, onKeyMove, onRelease }: HandleProps): JSX.Element {
  const words = pictureNumbers.value(value);
  return (
    <span
      class={`handle ${end}`}
      data-own-arrows
      role="slider"
      tabIndex={0}
      aria-label={end === 'lo' ? 'Lower end of the range' : 'Upper end of the range'}
      aria-valuemin={axis.lo}
      aria-valuemax={axis.hi}
      aria-valuenow={value}
      aria-valuetext={words}
      title={words}
      style={{ left: `${place * 100}%` }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) onDrag(event.clientX);
      }}
      onLostPointerCapture={onRelease}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        onKeyMove(by);
      }}
    />
  );
}
