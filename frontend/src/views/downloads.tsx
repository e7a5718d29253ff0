/** Downloads: the picture, the tensor, the numbers; and the link to copy. */
import type { JSX } from 'preact';
import { apiAddress, type Picture } from '../api/client';
import { framesOfAll } from '../model/frames';
import { queryString } from '../model/query';
import { linkHere } from '../state/actions';
import { currentNoun } from '../state/axes';
import { currentSteps, stepsVersion } from '../state/lists';
import { navigation } from '../state/navigation';
import { statsQuery } from '../state/numbers-loader';
import { openOverlay } from '../state/panels';
import { plainQuery } from '../state/picture-query';
import { shownPicture, zoomNow } from '../state/stage';
import { useCopy } from './hooks';
import { Icon } from './icons';
import { fileName } from './save-picture';

export function TensorLink({ picture }: { picture: Picture }): JSX.Element {
  const { run, tag, step } = picture.info;
  // Without `v` the browser might use its copy of a file that was replaced since.
  const attempt = picture.info.attempt || undefined;
  const v = stepsVersion.value ?? undefined;
  const address = apiAddress('tensor', queryString({ run, tag, step, attempt, v }));
  return (
    <a
      class="quiet"
      href={address}
      download={fileName(picture.info, '.npy')}
      title="The whole tensor as it was logged (NPY)"
    >
      <Icon name="download" />
      NPY
    </a>
  );
}

/** The sheet at the zoom on show. */
export function SheetLink({ picture }: { picture: Picture }): JSX.Element {
  const query = plainQuery(navigation.address.value, picture.info.step) ?? picture.query;
  const address = apiAddress('sheet', `${query}&zoom=${zoomNow.value}`);
  return (
    <a
      class="quiet"
      href={address}
      download={fileName(picture.info, '.png')}
      title="This sheet at the zoom on show (PNG)"
    >
      <Icon name="download" />
      PNG
    </a>
  );
}

export function FilmButton(): JSX.Element | null {
  // A film shows a series; there are no films of differences.
  const info = shownPicture.value?.info;
  if (!info || info.minus || (currentSteps.value.length < 2 && framesOfAll(info) === null)) return null;
  return (
    <button
      type="button"
      class="quiet"
      title={`A film of the ${currentNoun.value}s or frames (APNG, GIF, WebP)`}
      onClick={() => openOverlay('film')}
    >
      <Icon name="film" />
      film
    </button>
  );
}

export function NumbersButton(): JSX.Element | null {
  if (statsQuery.value === null) return null;
  return (
    <button
      type="button"
      class="quiet"
      title="The numbers of each filter or channel as a table"
      onClick={() => openOverlay('numbers')}
    >
      <Icon name="table" />
      numbers
    </button>
  );
}

export function CopyLink(): JSX.Element {
  const { copied, copy } = useCopy();
  return (
    <button type="button" class="quiet" title="Copy the link to what is on show" onClick={() => copy(linkHere())}>
      <Icon name={copied ? 'check' : 'link'} />
      {copied ? 'copied' : 'link'}
    </button>
  );
}
