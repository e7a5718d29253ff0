/** Left: the search box, the runs, the layers of the chosen run. */
import type { JSX } from 'preact';
import { comparison } from '../model/compare';
import { count, grouped } from '../model/format';
import { narrow } from '../model/layers';
import { runHue } from '../model/words';
import { chooseRun } from '../state/actions';
import { tickRun } from '../state/compare-actions';
import { rows, state } from '../state/store';
import { Icon } from './icons';
import { LayerList } from './layer-list';
import { moveFocus } from './move-focus';

export function Sidebar(): JSX.Element {
  return (
    <nav class="lists" aria-label="Runs and layers">
      <input
        id="search"
        class="search"
        type="search"
        placeholder="Search runs and layers"
        aria-label="Search runs and layers"
        autocomplete="off"
        spellcheck={false}
        value={state.search.value}
        onInput={(event) => (state.search.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') state.search.value = '';
        }}
      />
      <RunList />
      <LayerList />
      <Logdir />
    </nav>
  );
}

/** Which logdir this is; the files and what is wrong with them are a click away. */
function Logdir(): JSX.Element | null {
  const health = state.health.value;
  if (!health) return null;
  return (
    <button type="button" class="logdir" title={health.logdir} onClick={() => (state.over.value = 'trouble')}>
      {health.demo ? 'demo: a recorded training, replayed' : health.logdir}
    </button>
  );
}

function RunList(): JSX.Element | null {
  const all = rows(state.runs.value);
  if (all.length === 0) return null;
  const chosen = state.address.value.run;
  const found = narrow(all, state.search.value, (run) => run.run);
  return (
    <section class="runs">
      <h2>
        Runs <span>{found.length < all.length ? `${found.length} of ${all.length}` : all.length}</span>
      </h2>
      <ul data-own-arrows onKeyDown={moveFocus}>
        {found.map((run) => (
          <li key={run.run} class="run-row">
            <button
              type="button"
              class="run"
              aria-current={run.run === chosen}
              title={`${count(run.layers, 'layer')}, ${run.series} series`}
              onClick={() => chooseRun(run.run)}
            >
              <span class="dot" style={{ backgroundColor: `hsl(${runHue(run.run)} 65% 52%)` }} />
              <span class="name">{run.run === '.' ? 'this directory' : run.run}</span>
              <span class="number">{run.last_step === null ? '' : grouped(run.last_step)}</span>
            </button>
            {run.run !== chosen && run.series > 0 && (
              <button
                type="button"
                class="plain tick"
                aria-pressed={comparison(state.address.value)?.run === run.run}
                aria-label={`Compare with ${run.run}`}
                title="Compare with this run"
                onClick={() => tickRun(run.run)}
              >
                <Icon name="compare" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
