/** Name, menus, the state of the connection, theme and help. */
import type { JSX } from 'preact';
import { bytes, count } from '../model/format';
import { lists } from '../state/lists';
import { valueIn } from '../state/loadable';
import { navigation } from '../state/navigation';
import { openOverlay, panels, toggleOverlay } from '../state/panels';
import { host, setTheme, surroundings, type Theme } from '../state/surroundings';
import { Icon } from './icons';
import { Menus } from './menus';

export function TopBar({ menus }: { menus: boolean }): JSX.Element {
  const health = valueIn(lists.health.value);
  return (
    <header class="top">
      <div class="brand">
        <button
          type="button"
          class="plain only-narrow"
          aria-label="Runs and layers"
          aria-expanded={panels.overlay.value === 'lists'}
          onClick={() => toggleOverlay('lists')}
        >
          <Icon name="lists" />
        </button>
        <h1>ConvScope</h1>
        <Connection />
        {health?.demo && (
          <span class="where" title="A recorded training, replayed">
            demo
          </span>
        )}
        <span class="shown only-narrow">{navigation.address.value.tag}</span>
        <span class="tools">
          <ThemeButton />
          <button type="button" class="plain" aria-label="Keys" title="Keys (?)" onClick={() => openOverlay('keys')}>
            <span class="mark">?</span>
          </button>
        </span>
      </div>
      {menus && <Menus />}
      <div class="state">
        <ProblemsButton />
      </div>
    </header>
  );
}

/** The number of problems; a click shows them. */
function ProblemsButton(): JSX.Element | null {
  const health = valueIn(lists.health.value);
  if (!health) return null;
  const polling = health.watch.mode === 'poll';
  const problems = health.problems.reduce((sum, problem) => sum + Math.max(1, problem.count), 0);
  if (problems === 0 && !polling) return null;
  return (
    <button type="button" class="quiet" title={health.problems[0]?.message} onClick={() => openOverlay('problems')}>
      {problems > 0 && <Icon name="warning" />}
      {problems > 0 ? count(problems, 'problem') : 'polling'}
    </button>
  );
}

function Connection(): JSX.Element {
  const connection = surroundings.connection.value;
  const health = valueIn(lists.health.value);
  if (connection === 'open' && health?.status === 'loading') {
    const { files, bytes: size } = health.scanned;
    return (
      <span class="live">
        <span class="spark busy" />
        reading{files > 0 && ` ${count(files, 'file')}, ${bytes(size)}`}
      </span>
    );
  }
  const words = { open: 'live', connecting: 'connecting', lost: 'connection lost', paused: 'paused' }[connection];
  return (
    <span class="live" data-connection={connection}>
      <span class={`spark ${connection}`} />
      {words}
    </span>
  );
}

const NEXT_THEME: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };

function ThemeButton(): JSX.Element {
  const theme = surroundings.theme.value;
  const words = theme === 'auto' ? `same as ${host.value ? 'TensorBoard' : 'the system'}` : theme;
  return (
    <button
      type="button"
      class="plain"
      aria-label={`Theme: ${words}`}
      title={`Theme: ${words}`}
      onClick={() => setTheme(NEXT_THEME[theme])}
    >
      <Icon name={theme} />
    </button>
  );
}
