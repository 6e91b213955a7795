import { setTimeout as delay } from 'node:timers/promises';

// The few commands of W3C WebDriver that the tests need.

/** How WebDriver says that a JSON object stands for an element (§12.1). */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const READY_MS = 20_000;

/** Good for as long as the page shows it. */
export interface WebElement {
  readonly [ELEMENT]: string;
}

/** A browser that a driver has started. */
export class WebDriver {
  readonly #session: string;

  private constructor(session: string) {
    this.#session = session;
  }

  /** @param endpoint of a driver that may just be starting */
  static async open(endpoint: string, capabilities: object): Promise<WebDriver> {
    const deadline = Date.now() + READY_MS;
    while (!(await isReady(endpoint))) {
      if (Date.now() > deadline) throw new Error('the driver does not start');
      await delay(25);
    }
    const { sessionId } = (await call('POST', `${endpoint}/session`, {
      capabilities: { alwaysMatch: capabilities },
    })) as { sessionId: string };
    return new WebDriver(`${endpoint}/session/${sessionId}`);
  }

  async goto(url: string): Promise<void> {
    await call('POST', `${this.#session}/url`, { url });
  }

  /** Runs a function in the page, which may use nothing but its arguments and the page. */
  evaluate<Args extends unknown[], Result>(run: (...args: Args) => Result, ...args: Args): Promise<Result> {
    const script = `return (${run.toString()}).apply(undefined, arguments);`;
    return call('POST', `${this.#session}/execute/sync`, { script, args }) as Promise<Result>;
  }

  async click(element: WebElement): Promise<void> {
    await call('POST', `${this.#session}/element/${element[ELEMENT]}/click`, {});
  }

  /** Into a field for files: paths, one to a line. */
  async type(element: WebElement, text: string): Promise<void> {
    await call('POST', `${this.#session}/element/${element[ELEMENT]}/value`, { text });
  }

  /** Ends the browser. */
  async close(): Promise<void> {
    await call('DELETE', this.#session);
  }
}

async function isReady(endpoint: string): Promise<boolean> {
  try {
    return ((await call('GET', `${endpoint}/status`)) as { ready: boolean }).ready;
  } catch {
    return false;
  }
}

/** @throws Error with the code of the failure and what the driver says of it */
async function call(method: string, url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: unknown };
  if (response.ok) return value;
  const { error, message } = value as { error: string; message: string };
  throw new Error(`${error}: ${message}`);
}
