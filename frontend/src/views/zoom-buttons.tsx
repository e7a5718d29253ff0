/** The zoom of the sheet, and whether the tiles have numbers. */
import type { JSX } from 'preact';
import { zoomBy, zoomToFit } from '../state/actions';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { toggleLabels } from '../state/menu-choices';
import { navigation } from '../state/navigation';
import { zoomNow } from '../state/stage';
import { Icon } from './icons';

export function ZoomButtons(): JSX.Element {
  const fitted = navigation.address.value.zoom === null;
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
        aria-label="Fit to the stage"
        aria-pressed={fitted}
        title="Fit to the stage (0)"
        onClick={zoomToFit}
      >
        <Icon name="fit" />
      </button>
      {(valueIn(lists.options.value)?.labels?.length ?? 0) > 1 && (
        <button
          type="button"
          class="plain"
          aria-label="Index above each tile"
          aria-pressed={navigation.address.value.labels === 'index'}
          title="Index above each tile"
          onClick={toggleLabels}
        >
          <Icon name="number" />
        </button>
      )}
    </fieldset>
  );
}
