/**
 * The module that TensorBoard loads into the tab's frame; it shows ConvScope's page in an inner frame.
 *
 * Both frames have TensorBoard's origin. Its address and that of the page correspond: #convscope&p.convscope.step=20 is
 * index.html?step=20. TensorBoard's own message for this, GetURLPluginData, is empty until the address changes (2.21),
 * and there is none for the opposite direction; so the address is read and written here.
 */
const MINE = 'p.convscope.';

/** A part of an address, decoded; unchanged if its escapes are invalid. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const keyOf = (pair) => decoded(pair.split('=', 1)[0]);

const textOf = (pair) => (pair.includes('=') ? decoded(pair.slice(pair.indexOf('=') + 1)) : '');

/** The page's query in TensorBoard's address, as in #convscope&p.convscope.step=20; without a question mark. */
function linked() {
  const pairs = window.parent.location.hash.slice(1).split('&');
  const mine = pairs.filter((pair) => keyOf(pair).startsWith(MINE));
  return new URLSearchParams(mine.map((pair) => [keyOf(pair).slice(MINE.length), textOf(pair)])).toString();
}

/** Puts the page's query into TensorBoard's address, without an entry in its history and without an event. */
function link(query) {
  const { history, location } = window.parent;
  const others = location.hash.slice(1).split('&').filter((pair) => !keyOf(pair).startsWith(MINE));
  if (others[0] !== 'convscope') return;
  const mine = [...new URLSearchParams(query)];
  const pairs = mine.map(([key, value]) => `${encodeURIComponent(MINE + key)}=${encodeURIComponent(value)}`);
  history.replaceState(history.state, '', `#${[...others, ...pairs].join('&')}`);
}

/** A query in the form that `linked` returns, so that two can be compared. */
const plain = (query) => new URLSearchParams(query).toString();

function fill(element) {
  Object.assign(element.style, { border: '0', margin: '0', width: '100%', height: '100%', display: 'block' });
}

export function render() {
  let query = linked();
  let frame = null;
  fill(document.documentElement);
  fill(document.body);
  document.body.style.overflow = 'hidden';

  // If TensorBoard did not answer, the frame contains the browser's error page, which has another origin: it may be
  // replaced and removed, but not read.
  const inner = () => {
    try {
      return frame.contentWindow.location.href.startsWith('http') ? frame.contentWindow : null;
    } catch {
      return null;
    }
  };
  const note = () => {
    const page = inner();
    if (page === null) return;
    query = plain(page.location.search);
    link(query);
  };
  const show = () => {
    frame = document.createElement('iframe');
    frame.title = 'ConvScope';
    frame.allow = 'clipboard-write; fullscreen';
    frame.src = `index.html?${query}`;
    fill(frame);
    frame.addEventListener('load', () => {
      note();
      inner()?.navigation?.addEventListener('currententrychange', note);
    });
    document.body.append(frame);
  };
  // When the user leaves the tab, TensorBoard keeps its frame with a height of 0. The page is then removed, so that it
  // sends no requests, and later restored with the same address.
  const follow = () => {
    if (window.innerHeight > 0 && frame === null) return show();
    if (window.innerHeight > 0 || frame === null) return;
    note();
    frame.remove();
    frame = null;
  };
  window.addEventListener('resize', follow);
  window.parent.addEventListener('hashchange', () => {
    const wanted = linked();
    if (frame === null || wanted === '' || wanted === query) return;
    query = wanted;
    frame.contentWindow.location.replace(new URL(`index.html?${query}`, document.baseURI));
  });
  follow();
}
