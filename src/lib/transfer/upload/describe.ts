const ANY_TYPE = 'application/octet-stream';
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** The media type that a browser says, where it is one at all. */
export function acceptableType(type: string): string {
  return MEDIA_TYPE.test(type) ? type : ANY_TYPE;
}
