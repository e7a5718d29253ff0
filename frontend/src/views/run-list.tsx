/** The runs that have tensors, and folded below them those that have none. */
import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Run } from '../api/types';
import { comparison } from '../model/compare';
import { count, grouped } from '../model/format';
import { narrow } from '../model/layers';
import { cuttable, ownPart, type Shared, sharedParts } from '../model/run-names';
import { chooseRun } from '../state/actions';
import { tickRun } from '../state/compare-actions';
import { lists } from '../state/lists';
import { rows } from '../state/loadable';
import { navigation } from '../state/navigation';
import { panels } from '../state/panels';
import { Icon } from './icons';
import { moveFocus } from './move-focus';
import { RunDot } from './run-dot';

/** As one text: a step that is logged makes a new list of runs with the same names. */
const names = computed(() => JSON.stringify(rows(lists.runs.value).map((run) => run.run)));
const shared = computed(() => sharedParts(JSON.parse(names.value) as string[]));

export function RunList(): JSX.Element | null {
  const section = useRef<HTMLElement>(null);
  const all = rows(lists.runs.value);
  const chosen = navigation.address.value.run;
  const isThere = all.some((run) => run.run === chosen);
  useLayoutEffect(() => {
    const list = section.current?.querySelector('.scrolled');
    if (!list) return;
    const show = (): void => list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
    show();
    // The layers arrive later and take some of the height.
    const observer = new ResizeObserver(show);
    observer.observe(list);
    return () => observer.disconnect();
  }, [chosen, isThere]);
  if (all.length === 0) return null;
  const found = narrow(all, panels.search.value, (run) => run.run);
  const withTensors = found.filter((run) => run.series > 0);
  // If no run has tensors, the page says what to do, and nothing is folded.
  const isFolded = all.some((run) => run.series > 0);
  const bare = isFolded ? found.filter((run) => run.series === 0) : [];
  return (
    <section class="runs" ref={section}>
      <h2>
        Runs <span>{found.length < all.length ? `${found.length} of ${all.length}` : all.length}</span>
      </h2>
      <SharedParts shared={shared.value} />
      <div class="scrolled">
        <Runs runs={isFolded ? withTensors : found} shared={shared.value} chosen={chosen} />
        {bare.length > 0 && (
          <details class="bare">
            <summary>{count(bare.length, 'run')} without tensors</summary>
            <Runs runs={bare} shared={shared.value} chosen={chosen} />
          </details>
        )}
      </div>
    </section>
  );
}

/** The common beginning and end of all names, shown once. */
function SharedParts({ shared }: { shared: Shared }): JSX.Element | null {
  if (shared.prefix === '' && shared.suffix === '') return null;
  return (
    <p class="shared">
      {shared.prefix}…{shared.suffix}
    </p>
  );
}

interface RunsProps {
  runs: readonly Run[];
  shared: Shared;
  chosen: string | null;
}

function Runs({ runs, shared, chosen }: RunsProps): JSX.Element {
  const stop = runs.find((run) => run.run === chosen) ?? runs[0];
  return (
    <ul data-own-arrows onKeyDown={moveFocus}>
      {runs.map((run) => (
        <li key={run.run} class="run-row">
          <button
            type="button"
            class="run"
            aria-current={run.run === chosen}
            // The Tab key stops once at the list; the arrow keys move within it.
            tabIndex={run === stop ? 0 : -1}
            title={`${run.run === '.' ? 'this directory' : run.run}\n${count(run.layers, 'layer')}, ${run.series} series`}
            onClick={() => chooseRun(run.run)}
          >
            <RunDot run={run.run} />
            <RunName name={run.run === '.' ? 'this directory' : ownPart(run.run, shared)} />
            <span class="number">{run.last_step === null ? '' : grouped(run.last_step)}</span>
          </button>
          {run.run !== chosen && run.series > 0 && <Tick run={run.run} />}
        </li>
      ))}
    </ul>
  );
}

/** A name that is shortened in the middle if it does not fit. */
export function RunName({ name }: { name: string }): JSX.Element {
  const { head, tail } = cuttable(name);
  return (
    <span class="name">
      <span class="head">{head}</span>
      {tail !== '' && <span class="tail">{tail}</span>}
    </span>
  );
}

function Tick({ run }: { run: string }): JSX.Element {
  return (
    <button
      type="button"
      class="plain tick"
      tabIndex={-1}
      aria-pressed={comparison(navigation.address.value)?.run === run}
      aria-label={`Compare with ${run}`}
      title="Compare with this run"
      onClick={() => tickRun(run)}
    >
      <Icon name="compare" />
    </button>
  );
}
