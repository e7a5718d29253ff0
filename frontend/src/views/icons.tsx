/** Small drawings on a grid of 16, in the colour of the text beside them. */
import type { JSX } from 'preact';

const PATHS = {
  kernel: 'M2.5 2.5h11v11h-11zM6.2 2.5v11M9.8 2.5v11M2.5 6.2h11M2.5 9.8h11',
  activation: 'M1.5 8h2.5l2-4.5 3 9 2.2-6 1 1.5h2.3',
  bias: 'M3 13.5v-5M6.5 13.5v-9M10 13.5v-7M13.5 13.5v-3',
  input: 'M6.5 2.5h7v11h-7M1.5 8h8M6.8 5.2 9.6 8l-2.8 2.8',
  inputImage: 'M5.5 3h9v10h-9M1 8h5M4 6l2 2-2 2M7.5 12l2.5-3 1.5 1.5 1-1 2 2.3',
  image: 'M2 3h12v10H2zM2.5 11.5l3.5-4 2.5 2.5 2-2 3 3.5',
  layout: 'M5.5 10.5v-8M5.5 10.5h8M5.5 10.5 2 14M4 4l1.5-1.5L7 4M12 9l1.5 1.5L12 12',
  contradiction: 'M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M8 5.2v3.3M8 10.8h.01',
  other: 'M3 8h.01M8 8h.01M13 8h.01',
  first: 'M4 3.5v9M12.5 3.5 6.5 8l6 4.5z',
  previous: 'M10.5 3.5 5 8l5.5 4.5',
  next: 'M5.5 3.5 11 8l-5.5 4.5',
  last: 'M12 3.5v9M3.5 3.5l6 4.5-6 4.5z',
  play: 'M5 3.2v9.6L12.5 8z',
  pause: 'M5 3.5v9M11 3.5v9',
  close: 'M4 4l8 8M12 4l-8 8',
  lists: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  warning: 'M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 11.8h.01',
  download: 'M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.5h10',
  link: 'M6.5 9.5l3-3M7 4.5l1.2-1.2a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5l-1.2 1.2a2.8 2.8 0 0 1-4-4L5 7.5',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  light:
    'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  dark: 'M13 9.5A5.6 5.6 0 0 1 6.5 3a5.6 5.6 0 1 0 6.5 6.5z',
  auto: 'M8 2.2a5.8 5.8 0 1 0 0 11.6zM8 2.2a5.8 5.8 0 0 1 0 11.6',
  hold: 'M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 4 0v2.5',
  follow: 'M2.5 8h8M7.5 4.5 11 8l-3.5 3.5M13.5 3.5v9',
  number: 'M6.2 3 5 13M11 3 9.8 13M3 6.2h10.5M2.5 9.8H13',
  histogram: 'M2.5 13.5h11M4 13V9.5M6.5 13V5M9 13V3M11.5 13V8',
  film: 'M2.5 3h11v10h-11zM5.5 3v10M10.5 3v10M2.5 6.3h3M2.5 9.7h3M10.5 6.3h3M10.5 9.7h3M5.5 8h5',
  table: 'M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.7h11M6.5 3v10',
  compare: 'M2.5 3.5h5v9h-5zM8.5 3.5h5v9h-5z',
  dead: 'M5 5l6 6M11 5l-6 6M2.5 2.5h11v11h-11z',
  twins: 'M2.5 2.5h7v7h-7zM6.5 6.5h7v7h-7z',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5l3.2 3.2L13 4.8',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
