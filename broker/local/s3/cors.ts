import { Refusal } from '../refusal.ts';
import type { CorsRule } from '../store/bucket-settings.ts';
import {
  childrenNamed,
  childText,
  element,
  group,
  malformedXml,
  xmlDocument,
  type XmlElement,
} from './xml.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);
const MAXIMUM_RULES = 100;

/** Reads a `CORSConfiguration`. @throws {Refusal} 400 when it is not one */
export function parseCorsConfiguration(root: XmlElement): CorsRule[] {
  const rules = childrenNamed(root, 'CORSRule').map((rule) => {
    const texts = (name: string) => childrenNamed(rule, name).map(({ text }) => text);
    const maxAge = childText(rule, 'MaxAgeSeconds');
    const origins = texts('AllowedOrigin');
    const methods = texts('AllowedMethod');
    if (origins.length === 0 || methods.length === 0) throw malformedXml();
    for (const method of methods)
      if (!METHODS.has(method))
        throw new Refusal(400, 'InvalidRequest', 'found an unsupported method in CORSRule');
    for (const pattern of [...origins, ...texts('AllowedHeader')])
      if (pattern.split('*').length > 2)
        throw new Refusal(400, 'InvalidRequest', 'an origin or header can not have more than one wildcard');
    if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw malformedXml();
    return {
      origins,
      methods,
      headers: texts('AllowedHeader'),
      exposed: texts('ExposeHeader'),
      maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
      id: childText(rule, 'ID'),
    };
  });
  if (rules.length === 0 || rules.length > MAXIMUM_RULES) throw malformedXml();
  return rules;
}

export function corsDocument(rules: readonly CorsRule[]): string {
  return xmlDocument(
    'CORSConfiguration',
    ...rules.map((rule) =>
      group(
        'CORSRule',
        element('ID', rule.id),
        ...rule.origins.map((origin) => element('AllowedOrigin', origin)),
        ...rule.methods.map((method) => element('AllowedMethod', method)),
        ...rule.headers.map((header) => element('AllowedHeader', header)),
        ...rule.exposed.map((header) => element('ExposeHeader', header)),
        element('MaxAgeSeconds', rule.maxAgeSeconds),
      ),
    ),
  );
}

const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

/**
 * Response headers that let a page of `origin` read the answer to `method`; none when no rule of the bucket allows it.
 * Answers depend on the origin in both cases, which `vary` tells caches.
 */
export function corsHeaders(
  rules: readonly CorsRule[] | undefined,
  origin: string | undefined,
  method: string,
): Record<string, string> {
  if (!rules) return {};
  const rule = origin === undefined ? undefined : findRule(rules, origin, method, []);
  if (!rule || origin === undefined) return { vary: VARY };
  const allHeaders = rule.exposed.join(', ');
  return {
    ...originHeaders(rule, origin),
    ...(allHeaders && { 'access-control-expose-headers': allHeaders }),
  };
}

/**
 * Headers of the answer to a preflight request.
 * @throws {Refusal} 403 `AccessForbidden` when no rule allows it
 */
export function preflightHeaders(
  rules: readonly CorsRule[] | undefined,
  request: { origin: string | undefined; method: string | undefined; headers: string | undefined },
): Record<string, string> {
  const { origin, method } = request;
  if (origin === undefined || method === undefined)
    throw new Refusal(
      400,
      'BadRequest',
      'insufficient information: Origin and Access-Control-Request-Method needed',
    );
  if (!rules) throw new Refusal(403, 'AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket');
  const asked = (request.headers ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = findRule(rules, origin, method, asked);
  if (!rule) throw new Refusal(403, 'AccessForbidden', 'CORSResponse: this CORS request is not allowed');
  return {
    ...originHeaders(rule, origin),
    ...(asked.length > 0 && { 'access-control-allow-headers': asked.join(', ') }),
    ...(rule.exposed.length > 0 && { 'access-control-expose-headers': rule.exposed.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
  };
}

function originHeaders(rule: CorsRule, origin: string): Record<string, string> {
  const any = rule.origins.includes('*');
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(!any && { 'access-control-allow-credentials': 'true' }),
    vary: VARY,
  };
}

const findRule = (rules: readonly CorsRule[], origin: string, method: string, asked: readonly string[]) =>
  rules.find(
    (rule) =>
      rule.origins.some((pattern) => matches(pattern, origin)) &&
      rule.methods.includes(method) &&
      asked.every((name) => rule.headers.some((pattern) => matches(pattern.toLowerCase(), name))),
  );

function matches(pattern: string, value: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === value;
  const before = pattern.slice(0, star);
  const after = pattern.slice(star + 1);
  return value.length >= before.length + after.length && value.startsWith(before) && value.endsWith(after);
}
