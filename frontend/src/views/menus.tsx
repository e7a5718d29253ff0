/** The choices above the stage, one click each. */
import type { JSX } from 'preact';
import { comparison } from '../model/compare';
import { axis, channelCount, hasTileASample } from '../model/layers';
import { currentNoun } from '../state/axes';
import { toggleCompare } from '../state/compare-actions';
import { currentSeries } from '../state/lists';
import { choicesOf, meaningOf, pick, picked } from '../state/menu-choices';
import { goTo, navigation } from '../state/navigation';
import { Segments, Select } from './choices';
import { Icon } from './icons';
import { RangeChoice } from './range-choice';
import { ScopeChoice } from './scope-choice';

const byOrder = (order: string): string => `by ${order}`;

export function Menus(): JSX.Element {
  const compares = comparison(navigation.address.value) !== null;
  return (
    <div class="menus">
      <Segments
        label="view"
        values={choicesOf('view')}
        value={picked('view')}
        meaning={(view) => meaningOf('view', view)}
        onPick={(view) => pick('view', view)}
      />
      <Extras />
      <RangeChoice />
      <ScopeChoice />
      <Select
        label="colours"
        values={choicesOf('cmap')}
        value={picked('cmap')}
        meaning={(cmap) => meaningOf('cmap', cmap)}
        onPick={(cmap) => pick('cmap', cmap)}
      />
      <Select
        label="order"
        values={choicesOf('order')}
        value={picked('order')}
        words={byOrder}
        meaning={(order) => meaningOf('order', order)}
        onPick={(order) => pick('order', order)}
      />
      <button
        type="button"
        class="plain"
        aria-label="Compare"
        aria-pressed={compares}
        title={`Compare with another ${currentNoun.value} or run (d: difference, b: blink)`}
        onClick={() => toggleCompare(comparison(navigation.address.peek())?.way ?? 'beside')}
      >
        <Icon name="compare" />
      </button>
    </div>
  );
}

/** The number that some views need: which input channel, which sample, which channel of the samples. */
function Extras(): JSX.Element | null {
  const series = currentSeries.value;
  const address = navigation.address.value;
  if (!series) return null;
  const view = picked('view');
  if (view === 'slice') {
    const last = (axis(series, 'I') ?? 1) - 1;
    return (
      <Count label="input" isPlain value={address.slice ?? 0} last={last} onPick={(slice) => goTo({ slice }, 'push')} />
    );
  }
  const samples = axis(series, 'N') ?? 1;
  if (view === 'maps' && samples > 1) {
    return (
      <Count
        label="sample"
        value={address.sample ?? 0}
        last={samples - 1}
        onPick={(n) => goTo({ sample: n }, 'push')}
      />
    );
  }
  // In colour all channels are shown at once.
  if (!hasTileASample(view) || picked('cmap') === 'rgb') return null;
  return (
    <Count
      label="channel"
      value={Number.parseInt(address.channels ?? '0', 10) || 0}
      last={(channelCount(series) ?? 1) - 1}
      onPick={(channel) => goTo({ channels: String(channel) }, 'push')}
    />
  );
}

interface CountProps {
  label: string;
  value: number;
  last: number;
  /** The label is for screen readers only. */
  isPlain?: boolean;
  onPick: (value: number) => void;
}

function Count({ label, value, last, isPlain = false, onPick }: CountProps): JSX.Element | null {
  if (last < 1) return null;
  return (
    <label class="select">
      <span class={isPlain ? 'unseen' : ''}>{label}</span>
      <input
        type="number"
        title={`${label}, 0 to ${last}`}
        min={0}
        max={last}
        value={value}
        onChange={(event) => {
          const wanted = event.currentTarget.valueAsNumber;
          if (Number.isInteger(wanted)) onPick(Math.min(last, Math.max(0, wanted)));
        }}
      />
    </label>
  );
}
