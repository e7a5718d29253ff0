/** A number of the opened filter over all steps; a click goes to the step. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Charts, SheetInfo, Tile } from '../api/types';
import { chartExtent, chartPath, placeOfStep, stepAtPlace, valueAtStep } from '../model/chart';
import { digits4 } from '../model/format';
import { hasTileASample } from '../model/layers';
import { goToStep, moveStep } from '../state/actions';
import { currentNoun, momentOf } from '../state/axes';
import { shownStep } from '../state/lists';
import { valueIn } from '../state/loadable';
import { numbers } from '../state/numbers';
import { useSize } from './hooks';

const HEIGHT_PX = 34;

export function StepCharts({ info, tile }: { info: SheetInfo; tile: Tile }): JSX.Element | null {
  const charts = valueIn(numbers.charts.value);
  if (!charts || charts.run !== info.run || charts.tag !== info.tag || charts.steps.length < 2) return null;
  if (hasTileASample(info.view)) return null;
  const { each, thinned } = charts;
  return (
    <section class="charts" aria-label={`Over all ${currentNoun.value}s`}>
      <StepChart charts={charts} name="norm" values={each.l2[tile.channel]} />
      <StepChart charts={charts} name="change" values={each.change[tile.channel]} />
      <StepChart charts={charts} name="sparsity" values={each.sparsity[tile.channel]} />
      {thinned !== null && <p class="said">{thinned.split(':')[0]}</p>}
    </section>
  );
}

interface StepChartProps {
  charts: Charts;
  name: string;
  values: (number | null)[] | undefined;
}

function StepChart({ charts, name, values }: StepChartProps): JSX.Element | null {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useSize(ref, (size) => setWidth(size.width));
  const chart = { steps: charts.steps, values: values ?? [] };
  const extent = chartExtent(chart);
  if (!extent) return null;
  const step = shownStep.value?.step ?? 0;
  const place = placeOfStep(chart.steps, step);
  const go = (event: PointerEvent): void => {
    const box = ref.current?.getBoundingClientRect();
    const wanted = box && stepAtPlace(chart.steps, (event.clientX - box.left) / box.width);
    if (typeof wanted === 'number') goToStep(wanted);
  };
  const now = digits4(valueAtStep(chart, step));
  return (
    <div class="chart">
      <p class="said">
        {name} <b>{now}</b>
        <span class="extent">
          {digits4(extent.lo)} … {digits4(extent.hi)}
        </span>
      </p>
      <div
        ref={ref}
        class="plot"
        data-own-arrows
        role="slider"
        tabIndex={0}
        aria-label={`${name} over the ${currentNoun.value}s`}
        aria-valuemin={chart.steps[0]}
        aria-valuemax={chart.steps[chart.steps.length - 1]}
        aria-valuenow={step}
        aria-valuetext={`${name} ${now} at ${momentOf({ ...charts, step })}`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) go(event);
        }}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          moveStep(by);
        }}
      >
        <svg width={width} height={HEIGHT_PX} aria-hidden="true">
          <path d={chartPath(chart, width, HEIGHT_PX)} />
        </svg>
        {place !== null && <span class="here" style={{ left: `${place * 100}%` }} />}
      </div>
    </div>
  );
}
