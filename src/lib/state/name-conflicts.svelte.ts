/** What becomes of a file whose name is taken in the folder that it is to go to. */
export type ConflictChoice = 'version' | 'both' | 'skip';

/** A file that is to go to where its name is taken. */
export interface NameConflict {
  readonly name: string;
  /** Id and kind of what has the name. */
  readonly entry: string;
  readonly kind: 'file' | 'folder';
}

/** A question that somebody has to answer. */
export interface AskedConflict {
  readonly conflict: NameConflict;
  /** How many there are from this one on, itself included. */
  readonly left: number;
}

/** Nothing is a version of a folder: both are kept. */
function possible(choice: ConflictChoice, { kind }: NameConflict): ConflictChoice {
  return kind === 'folder' && choice === 'version' ? 'both' : choice;
}

/** Asks what is to become of files whose names are taken: one by one, or once for all that are left. */
export class NameConflicts {
  #asked = $state.raw<AskedConflict | undefined>();
  #answer: (choice: ConflictChoice | undefined, forAll: boolean) => void = () => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** What is asked now. */
  get asked(): AskedConflict | undefined {
    return this.#asked;
  }

  /**
   * One list after the other: somebody may drop a second folder while the first is asked about.
   * @returns what becomes of each, in their order; undefined when all of it was called off
   */
  ask(conflicts: readonly NameConflict[]): Promise<readonly ConflictChoice[] | undefined> {
    const turn = this.#turn.then(() => this.#askEach(conflicts));
    this.#turn = turn;
    return turn;
  }

  answer(choice: ConflictChoice, forAll: boolean): void {
    this.#answer(choice, forAll);
  }

  /** Nothing of what was brought along is to be added. */
  callOff(): void {
    this.#answer(undefined, false);
  }

  async #askEach(conflicts: readonly NameConflict[]): Promise<readonly ConflictChoice[] | undefined> {
    const choices: ConflictChoice[] = [];
    try {
      for (const [index, conflict] of conflicts.entries()) {
        const { choice, forAll } = await this.#askOne({ conflict, left: conflicts.length - index });
        if (choice === undefined) return undefined;
        choices.push(possible(choice, conflict));
        if (!forAll) continue;
        return [...choices, ...conflicts.slice(index + 1).map((other) => possible(choice, other))];
      }
      return choices;
    } finally {
      this.#asked = undefined;
      this.#answer = () => undefined;
    }
  }

  #askOne(asked: AskedConflict): Promise<{ choice: ConflictChoice | undefined; forAll: boolean }> {
    this.#asked = asked;
    return new Promise((resolve) => {
      this.#answer = (choice, forAll) => {
        resolve({ choice, forAll });
      };
    });
  }
}
