import { parsePattern, matches } from './pattern.ts';
import { PolicyError } from './policy-error.ts';
import { CONTEXT_KEYS, isConditionKey } from './vocabulary.ts';

/** One line of a statement's `Condition`, ready to be asked. */
export interface Condition {
  /** Condition key in lower case, as IAM compares them. */
  readonly key: string;
  /** Whether it holds. `values`: the request's for this key; none means that the key is absent. */
  readonly holds: (values: readonly string[], sub: string | undefined) => boolean;
}

type Compare = (value: string, sub: string | undefined) => boolean;
type Allowed = Parameters<typeof parsePattern>[1];
interface Operator {
  /**
   * True for the `…Not…` operators, which hold when none of the policy's values matches, and when the key is absent.
   */
  readonly negated: boolean;
  readonly compile: (expected: string, allowed: Allowed) => Compare;
}

const NUMBER = /^-?\d+(\.\d+)?$/;

function text(wildcards: boolean, negated: boolean): Operator {
  return {
    negated,
    compile: (expected, allowed) => {
      const pattern = parsePattern(expected, allowed);
      return (value, sub) => matches(pattern, value, sub, wildcards);
    },
  };
}

function numeric(holds: (value: number, limit: number) => boolean): Operator {
  return {
    negated: false,
    compile: (expected) => {
      if (!NUMBER.test(expected)) throw new PolicyError('bad_value', `expected a number, got "${expected}"`);
      const limit = Number(expected);
      return (value) => NUMBER.test(value) && holds(Number(value), limit);
    },
  };
}

function truth(expected: string): boolean {
  const lower = expected.toLowerCase();
  if (lower !== 'true' && lower !== 'false') {
    throw new PolicyError('bad_value', `expected "true" or "false", got "${expected}"`);
  }
  return lower === 'true';
}

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', text(false, false)],
  ['StringNotEquals', text(false, true)],
  ['StringLike', text(true, false)],
  ['StringNotLike', text(true, true)],
  ['NumericGreaterThan', numeric((value, limit) => value > limit)],
  ['NumericGreaterThanEquals', numeric((value, limit) => value >= limit)],
  ['NumericLessThan', numeric((value, limit) => value < limit)],
  ['NumericLessThanEquals', numeric((value, limit) => value <= limit)],
  [
    'Bool',
    {
      negated: false,
      compile: (expected) => {
        const wanted = String(truth(expected));
        return (value) => value.toLowerCase() === wanted;
      },
    },
  ],
]);

const OPERATOR_NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * Compiles one operator, key and list of values (IAM user guide, "IAM JSON policy elements: Condition operators").
 * @throws {PolicyError} unknown_operator, unknown_condition_key, unknown_variable, bad_value
 */
export function parseCondition(
  operatorName: string,
  conditionKey: string,
  expected: readonly string[],
  allowed: Allowed,
): Condition {
  if (!isConditionKey(conditionKey)) throw new PolicyError('unknown_condition_key', conditionKey);
  const key = conditionKey.toLowerCase();
  if (operatorName === 'Null') {
    const absences = expected.map(truth);
    return { key, holds: (values) => absences.includes(values.length === 0) };
  }
  const [, quantifier, name = '', ifExists] = OPERATOR_NAME.exec(operatorName) ?? [];
  const operator = OPERATORS.get(name);
  if (operator === undefined) throw new PolicyError('unknown_operator', operatorName);
  // IAM leaves open what a key of several values means without a quantifier, and warns of one where there is a single
  // value.
  if ((quantifier !== undefined) !== (key === CONTEXT_KEYS)) {
    const wanted =
      quantifier === undefined ? 'ForAllValues or ForAnyValue' : 'no ForAllValues or ForAnyValue';
    throw new PolicyError('unknown_operator', `expected ${wanted} for ${conditionKey}, got ${operatorName}`);
  }
  const compares = expected.map((value) => operator.compile(value, allowed));
  const one = (value: string, sub: string | undefined): boolean =>
    compares.some((compare) => compare(value, sub)) !== operator.negated;
  const whenAbsent = quantifier === undefined ? operator.negated : quantifier === 'ForAllValues';
  return {
    key,
    holds: (values, sub) => {
      if (values.length === 0) return ifExists !== undefined || whenAbsent;
      return quantifier === 'ForAnyValue'
        ? values.some((value) => one(value, sub))
        : values.every((value) => one(value, sub));
    },
  };
}
