/** The lines of Python that log what can be drawn, one framework at a time. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Recipe } from '../api/types';
import { kernelsAreDrawn, lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { host } from '../state/surroundings';
import { useCopy } from './hooks';
import { Icon } from './icons';

export function Recipes(): JSX.Element | null {
  const all = valueIn(lists.recipes.value)?.recipes ?? [];
  const [withPackage, setWithPackage] = useState(true);
  const [framework, setFramework] = useState('');
  const shown = all.filter((recipe) => recipe.with_package === withPackage);
  const recipe = shown.find((one) => one.framework === framework) ?? shown[0];
  if (!recipe) return null;
  return (
    <section class="recipes">
      <h3>To see activations as well, log the tensors themselves</h3>
      <fieldset class="segments" aria-label="Package">
        <button type="button" aria-pressed={withPackage} onClick={() => setWithPackage(true)}>
          with the convscope package
        </button>
        <button type="button" aria-pressed={!withPackage} onClick={() => setWithPackage(false)}>
          without it
        </button>
      </fieldset>
      <Frameworks shown={shown} chosen={recipe} choose={setFramework} />
      <pre>{recipe.code}</pre>
      <p class="hint">
        {/* TensorBoard's tab is a part of the package. */}
        {withPackage && host.value === null && (
          <>
            <code>pip install .</code> in a clone of ConvScope’s repository installs the package.{' '}
          </>
        )}
        The pictures appear here by themselves once the first record is written.
      </p>
    </section>
  );
}

interface FrameworksProps {
  shown: readonly Recipe[];
  chosen: Recipe;
  choose: (framework: string) => void;
}

function Frameworks({ shown, chosen, choose }: FrameworksProps): JSX.Element {
  const { copied, copy } = useCopy();
  return (
    <fieldset class="tabs" aria-label="Framework">
      {shown.map((one) => (
        <button key={one.framework} type="button" aria-pressed={one === chosen} onClick={() => choose(one.framework)}>
          {one.framework}
        </button>
      ))}
      <button type="button" class="quiet copy" onClick={() => copy(chosen.code)}>
        <Icon name={copied ? 'check' : 'copy'} />
        {copied ? 'copied' : 'copy'}
      </button>
    </fieldset>
  );
}

/** One line below a picture of a kernel that Keras drew; it unfolds to the code that logs the numbers. */
export function DrawnKernels(): JSX.Element | null {
  if (!kernelsAreDrawn.value) return null;
  return (
    <details class="drawn-kernels">
      <summary>Kernels are here as pictures that Keras drew, without their numbers</summary>
      <Recipes />
    </details>
  );
}
