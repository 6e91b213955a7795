import { notImplemented, Refusal } from '../refusal.ts';
import { demand, type Operation, type S3Call } from './call.ts';
import { corsDocument, parseCorsConfiguration } from './cors.ts';
import { receiveDocument } from './receive.ts';
import { childText, element, group, malformedXml, parseXml, xmlDocument, type XmlElement } from './xml.ts';

const MAXIMUM_XML_BYTES = 64 * 1024;
/** S3's limit. */
const MAXIMUM_POLICY_BYTES = 20 * 1024;

async function readXml(call: S3Call, rootName: string): Promise<XmlElement> {
  return parseXml(await receiveDocument(call, MAXIMUM_XML_BYTES), rootName);
}

export const listBuckets: Operation = async (call, world) => {
  demand(call, world, 's3:ListAllMyBuckets');
  const buckets = world.store
    .list()
    .map(({ name, settings }) =>
      group(
        'Bucket',
        element('Name', name),
        element('CreationDate', new Date(settings.createdMs).toISOString()),
      ),
    );
  const owner = group('Owner', element('ID', 'local'));
  return Promise.resolve({
    status: 200,
    xml: xmlDocument('ListAllMyBucketsResult', owner, group('Buckets', ...buckets)),
  });
};

export const createBucket: Operation = async (call, world) => {
  demand(call, world, 's3:CreateBucket');
  const body = await receiveDocument(call, MAXIMUM_XML_BYTES);
  if (body.length > 0) {
    const place = childText(parseXml(body, 'CreateBucketConfiguration'), 'LocationConstraint');
    if (place !== undefined && place !== world.region)
      throw new Refusal(400, 'IllegalLocationConstraintException', `expected the region ${world.region}`);
  }
  await world.store.create(call.bucketName, call.nowMs);
  return { status: 200, headers: { location: `/${call.bucketName}` } };
};

export const headBucket: Operation = async (call, world) => {
  demand(call, world, 's3:ListBucket');
  world.store.get(call.bucketName);
  return Promise.resolve({ status: 200, headers: { 'x-amz-bucket-region': world.region } });
};

export const getBucketLocation: Operation = async (call, world) => {
  demand(call, world, 's3:GetBucketLocation');
  world.store.get(call.bucketName);
  // For us-east-1 S3 answers an empty element.
  const place = world.region === 'us-east-1' ? '' : world.region;
  return Promise.resolve({ status: 200, xml: xmlDocument('LocationConstraint', place) });
};

export const putBucketCors: Operation = async (call, world) => {
  demand(call, world, 's3:PutBucketCORS');
  const bucket = world.store.get(call.bucketName);
  await bucket.configure({ cors: parseCorsConfiguration(await readXml(call, 'CORSConfiguration')) });
  return { status: 200 };
};

export const getBucketCors: Operation = async (call, world) => {
  demand(call, world, 's3:GetBucketCORS');
  const { cors } = world.store.get(call.bucketName).settings;
  if (!cors) throw new Refusal(404, 'NoSuchCORSConfiguration', 'the CORS configuration does not exist');
  return Promise.resolve({ status: 200, xml: corsDocument(cors) });
};

export const putBucketVersioning: Operation = async (call, world) => {
  demand(call, world, 's3:PutBucketVersioning');
  const bucket = world.store.get(call.bucketName);
  const root = await readXml(call, 'VersioningConfiguration');
  const status = childText(root, 'Status');
  if (childText(root, 'MfaDelete') === 'Enabled') throw notImplemented('MFA delete');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  await bucket.configure({ versioning: status });
  return { status: 200 };
};

export const getBucketVersioning: Operation = async (call, world) => {
  demand(call, world, 's3:GetBucketVersioning');
  const { versioning } = world.store.get(call.bucketName).settings;
  return Promise.resolve({
    status: 200,
    xml: xmlDocument('VersioningConfiguration', element('Status', versioning)),
  });
};

export const putBucketPolicy: Operation = async (call, world) => {
  demand(call, world, 's3:PutBucketPolicy');
  const bucket = world.store.get(call.bucketName);
  const policy = (await receiveDocument(call, MAXIMUM_POLICY_BYTES)).toString('utf8');
  world.checkPolicy(policy);
  await bucket.configure({ policy });
  return { status: 204 };
};

export const getBucketPolicy: Operation = async (call, world) => {
  demand(call, world, 's3:GetBucketPolicy');
  const { policy } = world.store.get(call.bucketName).settings;
  if (policy === undefined) throw new Refusal(404, 'NoSuchBucketPolicy', 'the bucket policy does not exist');
  return Promise.resolve({ status: 200, json: policy });
};

export const deleteBucketPolicy: Operation = async (call, world) => {
  demand(call, world, 's3:DeleteBucketPolicy');
  await world.store.get(call.bucketName).configure({ policy: undefined });
  return { status: 204 };
};
