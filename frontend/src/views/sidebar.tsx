/** Left: the search box, the runs, the layers of the chosen run. */
import type { JSX } from 'preact';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { openOverlay, panels, searchFor } from '../state/panels';
import { LayerList } from './layer-list';
import { RunList } from './run-list';

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
        value={panels.search.value}
        onInput={(event) => searchFor(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') searchFor('');
        }}
      />
      <div class="both">
        <RunList />
        <LayerList />
      </div>
      <Logdir />
    </nav>
  );
}

/** The logdir; a click shows the files and their problems. */
function Logdir(): JSX.Element | null {
  const health = valueIn(lists.health.value);
  if (!health) return null;
  return (
    <button type="button" class="logdir" title={health.logdir} onClick={() => openOverlay('problems')}>
      {health.demo ? 'demo: a recorded training, replayed' : health.logdir}
    </button>
  );
}
