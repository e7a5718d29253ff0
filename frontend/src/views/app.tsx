/** The page: lists, stage, steps, and the panel of the opened tile. */
import type { JSX } from 'preact';
import { isRunBare, lists, seriesRun } from '../state/lists';
import { settledIn } from '../state/loadable';
import { panels } from '../state/panels';
import { openedPlace, pictureIsBytes } from '../state/stage';
import { CompareStrip } from './compare-strip';
import { Empty } from './empty';
import { FilmSheet } from './film-sheet';
import { Histogram } from './histogram';
import { KeysSheet } from './keys-sheet';
import { Legend } from './legend';
import { Note } from './note';
import { NumbersSheet } from './numbers-sheet';
import { ProblemsDialog } from './problems';
import { DrawnKernels } from './recipes';
import { Sidebar } from './sidebar';
import { Stage } from './stage';
import { StepBar } from './step-bar';
import { TilePanel } from './tile-panel';
import { TopBar } from './top-bar';

export function App(): JSX.Element {
  const nothing = isNothingToShow();
  const tile = openedPlace.value !== null && !nothing;
  const unknown = !nothing && settledIn(lists.series.value.list).kind === 'idle';
  const classes = [
    'page',
    tile && 'with-tile',
    panels.overlay.value === 'lists' && 'with-lists',
    unknown && 'unknown',
  ].filter(Boolean);
  return (
    <div class={classes.join(' ')}>
      {!nothing && <SkipLink />}
      <TopBar menus={!nothing} />
      <Sidebar />
      <main class="main">
        <Note />
        {nothing ? (
          <Empty />
        ) : (
          <>
            <CompareStrip />
            <Stage />
            <Legend />
            {pictureIsBytes.value && <DrawnKernels />}
            {panels.histogram.value && <Histogram />}
          </>
        )}
      </main>
      {tile && <TilePanel />}
      {!nothing && <StepBar />}
      <KeysSheet />
      <ProblemsDialog />
      <NumbersSheet />
      <FilmSheet />
    </div>
  );
}

/** The first stop of the Tab key, since the lists and menus before the picture have many. */
function SkipLink(): JSX.Element {
  const skip = (): void => document.querySelector<HTMLElement>('.sheet canvas')?.focus();
  return (
    <button type="button" class="button skip" onClick={skip}>
      Skip to the picture
    </button>
  );
}

/** True if the lists hold nothing to show, or if they could not be loaded. */
function isNothingToShow(): boolean {
  const runs = settledIn(lists.runs.value);
  if (runs.kind === 'failed') return true;
  if (runs.kind !== 'ready') return false;
  if (settledIn(lists.series.value.list).kind === 'failed') return true;
  if (runs.value.length === 0) return true;
  const run = seriesRun.value;
  return isRunBare.value && !runs.value.some((one) => one.run !== run && one.series > 0);
}
