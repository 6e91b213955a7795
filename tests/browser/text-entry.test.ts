import { afterEach, expect, test } from 'vitest';
import { takesText } from '../../src/lib/ui/text-entry.ts';

afterEach(() => {
  document.body.replaceChildren();
});

function first(html: string): Element {
  document.body.innerHTML = html;
  const [element] = document.body.querySelectorAll('[data-target]');
  if (!element) throw new Error('expected an element to ask about');
  return element;
}

test.each([
  '<input data-target>',
  '<input type="search" data-target>',
  '<input type="password" data-target>',
  '<textarea data-target></textarea>',
  '<div contenteditable><b data-target>word</b></div>',
])('%s has what is pasted or typed there', (html) => {
  expect(takesText(first(html))).toBe(true);
});

test.each([
  '<input type="file" data-target>',
  '<input type="checkbox" data-target>',
  '<input type="radio" data-target>',
  '<button data-target>Open</button>',
  '<div contenteditable="false" data-target></div>',
  '<main tabindex="-1" data-target></main>',
])('%s has not', (html) => {
  expect(takesText(first(html))).toBe(false);
});

test('neither the page itself nor nobody has it', () => {
  for (const target of [document, window, document.body, null]) expect(takesText(target)).toBe(false);
});
