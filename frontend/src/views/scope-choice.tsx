/** The scope of the range: tile, layer or run; and the blend between tile and layer. */
import type { JSX } from 'preact';
import { blendable, choicesOf, meaningOf, pick, pickBlend, picked } from '../state/menu-choices';
import { navigation } from '../state/navigation';

export function ScopeChoice(): JSX.Element {
  const scopes = choicesOf('scope');
  const present = picked('scope');
  const { blend } = navigation.address.value;
  return (
    <fieldset class="segments" aria-label="scope">
      {scopes.map((scope) => (
        <>
          {scope === 'layer' && scopes.includes('tile') && <Blend />}
          <button
            key={scope}
            type="button"
            title={meaningOf('scope', scope) || undefined}
            aria-pressed={scope === present && blend === null}
            onClick={() => pick('scope', scope)}
          >
            {scope}
          </button>
        </>
      ))}
    </fieldset>
  );
}

/** From one range per tile, left, to one for the layer, right. */
function Blend(): JSX.Element | null {
  const { blend, scope } = navigation.address.value;
  if (!blendable() && scope !== 'tile') return null;
  const value = blend ?? (scope === 'tile' ? 1 : 0);
  return (
    <input
      type="range"
      class="blend"
      aria-label="Blend from tile to layer"
      title={`Between the range of each tile and that of the layer (${value})`}
      min={0}
      max={1}
      step={0.05}
      value={1 - value}
      onInput={(event) => pickBlend(1 - event.currentTarget.valueAsNumber)}
    />
  );
}
