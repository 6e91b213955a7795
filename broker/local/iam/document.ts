import * as v from 'valibot';
import type { Condition } from './condition.ts';
import { parseCondition } from './condition.ts';
import { recordEntries } from './entries.ts';
import type { Pattern } from './pattern.ts';
import { matches, parsePattern } from './pattern.ts';
import { PolicyError } from './policy-error.ts';
import { ACTIONS } from './vocabulary.ts';

/** A statement, ready to be asked. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Lower case: IAM compares actions without regard to case. */
  readonly actions: readonly Pattern[];
  /** True for `NotAction`. */
  readonly otherActions: boolean;
  /**
   * Per ARN its six parts, because no wildcard reaches across a colon before the last; `undefined` is `*`, everything.
   */
  readonly resources: readonly (readonly Pattern[] | undefined)[];
  readonly conditions: readonly Condition[];
}

/** A policy of which every element has been understood. */
export interface PolicyDocument {
  readonly statements: readonly Statement[];
}

/** Where a policy is attached, which settles what may stand in it. */
export interface DocumentKind {
  /** The requests have a Cognito `sub`, so the variable may be used. */
  readonly sub: boolean;
  /** Attached to a bucket: with a Principal (everybody), and Deny only. */
  readonly bucket: boolean;
}

const Scalar = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
const Strings = v.union([
  v.pipe(
    v.string(),
    v.transform((one) => [one]),
  ),
  v.pipe(v.array(v.string()), v.minLength(1)),
]);
const Values = v.union([
  v.pipe(
    Scalar,
    v.transform((one) => [one]),
  ),
  v.pipe(v.array(Scalar), v.minLength(1)),
]);

const common = {
  Sid: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9 ]*$/))),
  Action: v.optional(Strings),
  NotAction: v.optional(Strings),
  Resource: Strings,
  Condition: v.optional(recordEntries(recordEntries(Values)), {}),
};
const IdentityStatement = v.strictObject({ ...common, Effect: v.picklist(['Allow', 'Deny']) });
// An Allow on the bucket would let in whom no role lets in; nothing here needs that, so it is not half-supported.
const BucketStatement = v.strictObject({
  ...common,
  Effect: v.literal('Deny'),
  Principal: v.union([v.literal('*'), v.strictObject({ AWS: v.literal('*') })]),
});
type RawStatement = v.InferOutput<typeof IdentityStatement> | v.InferOutput<typeof BucketStatement>;

function documentOf<const T extends typeof IdentityStatement | typeof BucketStatement>(statement: T) {
  return v.strictObject({
    Version: v.literal('2012-10-17'),
    Id: v.optional(v.string()),
    Statement: v.pipe(
      v.unknown(),
      v.transform((one): unknown => (Array.isArray(one) ? one : [one])),
      v.array(statement),
      v.minLength(1),
    ),
  });
}
const IdentityDocument = documentOf(IdentityStatement);
const BucketDocument = documentOf(BucketStatement);

/**
 * Reads a policy document from parsed JSON.
 * @throws {PolicyError} on anything that could not be evaluated to the letter
 */
export function parseDocument(json: unknown, kind: DocumentKind): PolicyDocument {
  const parsed = v.safeParse(kind.bucket ? BucketDocument : IdentityDocument, json, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    // valibot reports an unknown key of a strict object as one that was expected never to be there.
    const code =
      issue.type === 'strict_object' && issue.expected === 'never' ? 'unknown_element' : 'bad_value';
    throw new PolicyError(code, `at ${v.getDotPath(issue) ?? 'the top'}: ${issue.message}`);
  }
  const statements: readonly RawStatement[] = parsed.output.Statement;
  return { statements: statements.map((raw) => parseStatement(raw, kind)) };
}

function parseStatement(raw: RawStatement, kind: DocumentKind): Statement {
  const sources = raw.Action ?? raw.NotAction;
  if (sources === undefined || (raw.Action !== undefined && raw.NotAction !== undefined)) {
    throw new PolicyError('bad_value', 'expected either Action or NotAction, got both or none');
  }
  return {
    effect: raw.Effect,
    actions: sources.map(parseAction),
    otherActions: raw.Action === undefined,
    resources: raw.Resource.map((resource) => parseResource(resource, kind)),
    conditions: raw.Condition.flatMap(([operator, lines]) =>
      lines.map(([key, values]) => parseCondition(operator, key, values, kind)),
    ),
  };
}

function parseAction(source: string): Pattern {
  const pattern = parsePattern(source.toLowerCase(), { sub: false });
  if (!ACTIONS.some((action) => matches(pattern, action.toLowerCase(), undefined))) {
    throw new PolicyError('unknown_action', source);
  }
  return pattern;
}

function parseResource(source: string, kind: DocumentKind): readonly Pattern[] | undefined {
  if (source === '*') return undefined;
  const parts = splitArn(source);
  if (parts?.[0] !== 'arn') throw new PolicyError('bad_value', `expected an ARN or "*", got "${source}"`);
  return parts.map((part) => parsePattern(part, kind));
}

/** The six parts of an ARN; colons in the last belong to it. `undefined`: fewer than six. */
export function splitArn(arn: string): readonly string[] | undefined {
  const [prefix, partition, service, region, account, ...resource] = arn.split(':');
  if (resource.length === 0) return undefined;
  return [prefix ?? '', partition ?? '', service ?? '', region ?? '', account ?? '', resource.join(':')];
}
