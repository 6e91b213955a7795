import type { AccessRequest } from '../principal.ts';
import type { PolicyDocument, Statement } from './document.ts';
import { splitArn } from './document.ts';
import { matches } from './pattern.ts';
import { CONTEXT_KEYS } from './vocabulary.ts';

/** Loopback is plain HTTP, and says so when a policy asks. */
const SECURE_TRANSPORT = 'aws:securetransport';

/** A request with its parts in the form in which they are compared. */
export interface Question {
  readonly action: string;
  readonly arn: readonly string[];
  readonly sub: string | undefined;
  readonly context: ReadonlyMap<string, readonly string[]>;
}

/**
 * What one policy says to a request: its Deny wins over its Allow, and `undefined` is neither (IAM's implicit deny).
 * A request that cannot be put to a policy without doubt (no question) is a Deny.
 */
export function decide(policy: PolicyDocument, question: Question | undefined): 'Allow' | 'Deny' | undefined {
  if (question === undefined) return 'Deny';
  let answer: 'Allow' | undefined;
  for (const statement of policy.statements) {
    if (!applies(statement, question)) continue;
    if (statement.effect === 'Deny') return 'Deny';
    answer = 'Allow';
  }
  return answer;
}

/**
 * Puts a request into the form in which every policy is asked.
 * @returns `undefined` when the context has the same key twice, in other cases (IAM does not tell them apart, KMS
 * does), or several values of a key that has one.
 */
export function questionOf(request: AccessRequest): Question | undefined {
  const arn = splitArn(request.resource);
  if (arn === undefined) return undefined;
  const context = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(request.context)) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    if (context.has(key) || (typeof value !== 'string' && key !== CONTEXT_KEYS)) return undefined;
    context.set(key, typeof value === 'string' ? [value] : value);
  }
  if (!context.has(SECURE_TRANSPORT)) context.set(SECURE_TRANSPORT, ['false']);
  return {
    action: request.action.toLowerCase(),
    arn,
    sub: request.principal.kind === 'identity' ? request.principal.sub : undefined,
    context,
  };
}

function applies(statement: Statement, { action, arn, sub, context }: Question): boolean {
  const named = statement.actions.some((pattern) => matches(pattern, action, undefined));
  return (
    named !== statement.otherActions &&
    statement.resources.some(
      (parts) => parts === undefined || parts.every((part, index) => matches(part, arn[index] ?? '', sub)),
    ) &&
    statement.conditions.every(({ key, holds }) => holds(context.get(key) ?? [], sub))
  );
}
