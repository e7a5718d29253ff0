/** The entry of the page: loads the styles, starts the state, and renders the app. */
import '@preact/signals';
import { render } from 'preact';
import { start } from './state/start';
import './styles/tokens.css';
import './styles/base.css';
import './styles/lists.css';
import './styles/details.css';
import './styles/stage.css';
import './styles/steps.css';
import './styles/tile.css';
import './styles/compare.css';
import './styles/numbers.css';
import './styles/words.css';
import './styles/layout.css';
import { App } from './views/app';

const place = document.getElementById('page');
if (place) {
  start();
  render(<App />, place);
}
