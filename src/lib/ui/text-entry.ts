/** Kinds of `<input>` that nobody types or pastes words into. */
const WITHOUT_TEXT = ['button', 'checkbox', 'color', 'file', 'image', 'radio', 'range', 'reset', 'submit'];

const TEXT_ENTRIES = [
  `input${WITHOUT_TEXT.map((type) => `:not([type=${type}])`).join('')}`,
  'textarea',
  '[contenteditable]:not([contenteditable=false])',
].join();

/** Whether what is typed or pasted there belongs to that field alone. */
export function takesText(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(TEXT_ENTRIES) !== null;
}
