import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { focusOrigin, forgetPress, giveFocusBack, notePress } from '../../src/lib/ui/focus.ts';

beforeEach(() => {
  document.body.innerHTML = `
    <main tabindex="-1">
      <button id="other">Other</button>
      <div role="row" tabindex="-1" id="before"><button id="pressed"><b>More</b></button></div>
      <div role="row" tabindex="0" id="row"></div>
    </main>`;
  document.addEventListener('click', notePress, { capture: true });
});
afterEach(() => {
  document.removeEventListener('click', notePress, { capture: true });
  forgetPress();
  document.body.replaceChildren();
});

function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`expected ${selector}`);
  return found;
}

/** As by a mouse where a click focuses no button. */
function click(selector: string): void {
  element(selector).dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1 }));
}

describe('where somebody is who opens something', () => {
  test.each(['nothing', '#before', 'main'])(
    'is the button that was clicked, where the browser focused %s instead',
    (focused) => {
      if (focused !== 'nothing') element(focused).focus();
      click('#pressed b');
      expect(focusOrigin()).toBe(element('#pressed'));
    },
  );

  test('is where the keyboard is, once a key was pressed, or when another element has the focus since', () => {
    click('#pressed');
    element('#other').focus();
    expect(focusOrigin()).toBe(element('#other'));
    element('main').focus();
    forgetPress();
    expect(focusOrigin()).toBe(element('main'));
  });

  test('is not what was clicked where nothing can be pressed, nor what is gone', () => {
    element('main').focus();
    click('main');
    expect(focusOrigin()).toBe(element('main'));
    click('#pressed');
    element('#pressed').remove();
    expect(focusOrigin()).toBe(element('main'));
  });
});

describe('the focus comes back', () => {
  test('to where it came from', () => {
    giveFocusBack(element('#pressed'));
    expect(document.activeElement).toBe(element('#pressed'));
  });

  test.each(['nobody', 'the page', 'what is gone'])('to the list, if it came from %s', (from) => {
    const gone = element('#before');
    gone.remove();
    giveFocusBack({ nobody: null, 'the page': document.body }[from] ?? gone);
    expect(document.activeElement).toBe(element('#row'));
  });

  test('to the page where there is no list', () => {
    for (const row of document.querySelectorAll('[role=row]')) row.remove();
    giveFocusBack(null);
    expect(document.activeElement).toBe(element('main'));
  });
});
