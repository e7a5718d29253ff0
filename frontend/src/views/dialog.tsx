/** A dialog over the page that Esc, its cross, or a click beside it closes. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { closeOverlay, panels } from '../state/panels';
import { Icon } from './icons';

interface DialogProps {
  name: 'keys' | 'problems' | 'numbers' | 'film';
  title: string;
  children: ComponentChildren;
}

export function Dialog({ name, title, children }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  const open = panels.overlay.value === name;
  const close = (): void => closeOverlay(name);
  useEffect(() => {
    const dialog = ref.current;
    if (open && !dialog?.open) dialog?.showModal();
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a modal dialog closes on Esc by itself.
    <dialog
      ref={ref}
      class={`over over-${name}`}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === ref.current) close();
      }}
    >
      <div class="inside">
        <h2>{title}</h2>
        <button type="button" class="plain close" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
        {open && children}
      </div>
    </dialog>
  );
}
