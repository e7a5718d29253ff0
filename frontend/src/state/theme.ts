/** Light, dark, or as TensorBoard or the system has it; stored where the browser allows it. */
import { effect } from '@preact/signals';
import { host, setTheme, surroundings, type Theme } from './surroundings';

const PLACE = 'convscope-theme';

export function rememberTheme(): void {
  const kept = read();
  if (kept === 'light' || kept === 'dark') setTheme(kept);
  effect(() => {
    const theme = surroundings.theme.value;
    const shown = theme === 'auto' ? themeOfHost() : theme;
    if (shown === null) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = shown;
    write(theme);
  });
}

const themeOfHost = (): Theme | null => {
  const around = host.value;
  return around ? (around.isDark ? 'dark' : 'light') : null;
};

/** A sandboxed frame may have no storage; the theme is then that of the system. */
function read(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

function write(theme: Theme): void {
  try {
    localStorage.setItem(PLACE, theme);
  } catch {
    // The choice then holds for this visit alone.
  }
}
