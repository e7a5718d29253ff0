/** Up, down, Home and End move the focus over the buttons of a list; right moves to the button beside one, left back. */
export function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('button.run, button.series')];
  const focused = document.activeElement as HTMLButtonElement;
  const beside = { ArrowRight: focused.nextElementSibling, ArrowLeft: focused.previousElementSibling }[event.key];
  if (beside instanceof HTMLButtonElement) {
    event.preventDefault();
    beside.focus();
    return;
  }
  const place = buttons.indexOf(focused);
  const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: buttons.length - 1 }[event.key];
  const button = next === undefined ? undefined : buttons[next];
  if (!button) return;
  event.preventDefault();
  button.focus();
  button.click();
}
