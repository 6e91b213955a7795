import { beginStep } from './next-step.ts';
import { refusalOf, type Refusal } from './refusal.ts';

/** A page of several steps: which one is shown, whether something is under way, and what was refused last. */
export class StepFlow<Step> {
  #step: Step;
  isBusy = $state(false);
  refused: Refusal | undefined = $state.raw();
  readonly #afterRefusal: (refused: Refusal) => Step | undefined;

  /** @param afterRefusal the step that a refusal leads back to, if another one */
  constructor(first: Step, afterRefusal: (refused: Refusal) => Step | undefined = () => undefined) {
    this.#step = $state.raw(first);
    this.#afterRefusal = afterRefusal;
  }

  get step(): Step {
    return this.#step;
  }

  /** Does something that leads to another step. One at a time: what is pressed meanwhile is not heard. */
  async attempt(action: () => Promise<Step>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await this.enter(await action());
    } catch (error) {
      this.refused = refusalOf(error);
      this.#step = this.#afterRefusal(this.refused) ?? this.#step;
    } finally {
      this.isBusy = false;
    }
  }

  async enter(step: Step): Promise<void> {
    this.refused = undefined;
    this.#step = step;
    await beginStep();
  }

  /** Another step, unless something is under way. */
  turnTo(step: Step): void {
    if (!this.isBusy) void this.enter(step);
  }

  /** What was refused is being mended. */
  forgetRefusal(): void {
    this.refused = undefined;
  }
}
