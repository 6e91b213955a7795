import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../../broker/local/iam/document.ts';
import { decide, questionOf } from '../../../../broker/local/iam/evaluate.ts';
import type { AccessRequest } from '../../../../broker/local/principal.ts';
import { IDENTITY, VAULT, arn, kmsContext } from './fixture.ts';

type Context = AccessRequest['context'];

function holds(condition: unknown, context: Context): boolean {
  const policy = parseDocument(
    {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: condition },
    },
    { sub: true, bucket: false },
  );
  return (
    decide(
      policy,
      questionOf({ principal: IDENTITY, action: 's3:GetObject', resource: arn('x'), context }),
    ) === 'Allow'
  );
}

const SUB = '${cognito-identity.amazonaws.com:sub}';
const prefix = (value?: string): Context => ({ 's3:prefix': value });
const age = (value?: string): Context => ({ 's3:signatureAge': value });
const creation = (value?: string): Context => ({ 's3:ObjectCreationOperation': value });
const keys = (...names: string[]): Context => ({ 'kms:EncryptionContextKeys': names });

describe('condition operators', () => {
  it.each<[string, string, unknown, Context, boolean]>([
    ['StringEquals', 's3:prefix', 'a', prefix('a'), true],
    ['StringEquals', 's3:prefix', 'a', prefix('A'), false],
    ['StringEquals', 's3:prefix', ['a', 'b'], prefix('b'), true],
    ['StringEquals', 's3:prefix', 'a*', prefix('ab'), false],
    ['StringEquals', 's3:prefix', 'a*', prefix('a*'), true],
    ['StringEquals', 's3:prefix', 'a', prefix(), false],
    ['StringEquals', 's3:prefix', SUB, prefix(VAULT), true],
    ['StringEquals', 's3:prefix', '', prefix(''), true],
    ['StringEqualsIfExists', 's3:prefix', 'a', prefix(), true],
    ['StringEqualsIfExists', 's3:prefix', 'a', prefix('b'), false],
    ['StringNotEquals', 's3:prefix', 'a', prefix('b'), true],
    ['StringNotEquals', 's3:prefix', ['a', 'b'], prefix('b'), false],
    ['StringNotEquals', 's3:prefix', 'a', prefix(), true],
    ['StringNotEqualsIfExists', 's3:prefix', 'a', prefix(), true],
    ['StringLike', 's3:prefix', 'v/*', prefix('v/x'), true],
    ['StringLike', 's3:prefix', ['a/*', 'v/?'], prefix('v/x'), true],
    ['StringLike', 's3:prefix', 'v/*', prefix('w/x'), false],
    ['StringLike', 's3:prefix', '*', prefix(), false],
    ['StringLikeIfExists', 's3:prefix', 'v/*', prefix(), true],
    ['StringNotLike', 's3:prefix', 'v/*', prefix('v/x'), false],
    ['StringNotLike', 's3:prefix', 'v/*', prefix('w/x'), true],
    ['StringNotLike', 's3:prefix', 'v/*', prefix(), true],
    ['Bool', 's3:ObjectCreationOperation', 'true', creation('true'), true],
    ['Bool', 's3:ObjectCreationOperation', true, creation('TRUE'), true],
    ['Bool', 's3:ObjectCreationOperation', 'false', creation('true'), false],
    ['Bool', 's3:ObjectCreationOperation', 'true', creation('1'), false],
    ['Bool', 's3:ObjectCreationOperation', 'true', creation(), false],
    ['BoolIfExists', 's3:ObjectCreationOperation', 'true', creation(), true],
    ['Bool', 'aws:SecureTransport', 'false', {}, true],
    ['Null', 's3:prefix', 'true', prefix(), true],
    ['Null', 's3:prefix', 'true', prefix(''), false],
    ['Null', 's3:prefix', 'false', prefix('a'), true],
    ['Null', 's3:prefix', false, prefix(), false],
    ['Null', 'kms:EncryptionContextKeys', 'true', keys(), true],
    ['NumericGreaterThan', 's3:signatureAge', '300000', age('300000'), false],
    ['NumericGreaterThan', 's3:signatureAge', '300000', age('300001'), true],
    ['NumericGreaterThan', 's3:signatureAge', 300000, age('1e9'), false],
    ['NumericGreaterThan', 's3:signatureAge', '300000', age('9'.repeat(30)), true],
    ['NumericGreaterThan', 's3:signatureAge', '300000', age(), false],
    ['NumericGreaterThanIfExists', 's3:signatureAge', '300000', age(), true],
    ['NumericGreaterThanEquals', 's3:signatureAge', '300000', age('300000'), true],
    ['NumericGreaterThanEquals', 's3:signatureAge', '300000', age('299999'), false],
    ['NumericLessThan', 's3:signatureAge', '300000', age('299999.5'), true],
    ['NumericLessThan', 's3:signatureAge', '300000', age('300000'), false],
    ['NumericLessThanEquals', 's3:signatureAge', '300000', age('300000'), true],
    ['NumericLessThanEquals', 's3:signatureAge', '-1', age('0'), false],
    ['ForAllValues:StringEquals', 'kms:EncryptionContextKeys', ['a', 'b'], keys('a'), true],
    ['ForAllValues:StringEquals', 'kms:EncryptionContextKeys', ['a', 'b'], keys('a', 'c'), false],
    ['ForAllValues:StringEquals', 'kms:EncryptionContextKeys', ['a', 'b'], keys('A'), false],
    ['ForAllValues:StringEquals', 'kms:EncryptionContextKeys', 'a', keys(), true],
    ['ForAllValues:StringNotEquals', 'kms:EncryptionContextKeys', 'a', keys('b', 'c'), true],
    ['ForAllValues:StringNotEquals', 'kms:EncryptionContextKeys', 'a', keys('a', 'c'), false],
    ['ForAnyValue:StringEquals', 'kms:EncryptionContextKeys', 'a', keys('b', 'a'), true],
    ['ForAnyValue:StringEquals', 'kms:EncryptionContextKeys', 'a', keys('b'), false],
    ['ForAnyValue:StringEquals', 'kms:EncryptionContextKeys', 'a', keys(), false],
    ['ForAnyValue:StringLikeIfExists', 'kms:EncryptionContextKeys', 'a', keys(), true],
    ['ForAnyValue:StringNotEquals', 'kms:EncryptionContextKeys', 'a', keys(), false],
    ['ForAnyValue:StringNotEquals', 'kms:EncryptionContextKeys', 'a', keys('a', 'b'), true],
    ['StringEquals', 'KMS:encryptioncontext:VAULT', 'x', kmsContext({ vault: 'x' }), true],
  ])('decides %s on %s with %j', (operator, key, expected, context, answer) => {
    expect(holds({ [operator]: { [key]: expected } }, context)).toBe(answer);
  });

  it('wants every operator and every key to hold', () => {
    const both = { StringEquals: { 's3:prefix': 'a' }, Null: { 's3:signatureAge': 'true' } };
    expect(holds(both, prefix('a'))).toBe(true);
    expect(holds(both, { ...prefix('a'), ...age('1') })).toBe(false);
    const two = { StringEquals: { 's3:prefix': 'a', 's3:if-none-match': '*' } };
    expect(holds(two, { 's3:prefix': 'a', 's3:if-none-match': '*' })).toBe(true);
    expect(holds(two, prefix('a'))).toBe(false);
  });

  it('decides nothing in favour of a request that can be read in two ways', () => {
    expect(holds({}, { 's3:prefix': 'a', 'S3:Prefix': 'b' })).toBe(false);
    expect(holds({}, kmsContext({ vault: 'a', Vault: 'b' }))).toBe(false);
    expect(holds({}, { 's3:prefix': ['a', 'b'] })).toBe(false);
  });
});
