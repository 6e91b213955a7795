/**
 * The content type of each object that a browser puts, and of whatever is read by a URL: nothing that a browser would
 * open or run.
 */
export const OBJECT_TYPE = 'application/octet-stream';
/** Their content disposition: a browser that is led to one saves it, and shows nothing. */
export const OBJECT_DISPOSITION = 'attachment';

/** Numbers that both sides rely on. Sizes in bytes unless the name says otherwise. */
export const LIMITS = {
  /** Keys generated or released, and URLs signed, in one request. */
  batch: 100,
  /** S3's multipart: 10,000 parts, none but the last under 5 MiB. */
  parts: 10_000,
  minPartBytes: 5 * 1024 * 1024,
  maxPartBytes: 512 * 1024 * 1024,
  /** S3 takes at most 5 TiB; Halfkey's promise ends earlier. */
  maxBlobBytes: 1024 ** 4,
  /** One journal segment, sealed. */
  maxSegmentBytes: 1024 * 1024,
  /**
   * Segments that one device may append without a grant: on average, at once, and in a day, with the bytes of a day.
   */
  segmentsPerSecond: 1,
  segmentBurst: 30,
  segmentsPerDay: 1000,
  segmentBytesPerDay: 4 * 1024 * 1024,
  /** Bytes of segments that it may append in a day with a live grant. */
  grantedSegmentBytesPerDay: 64 * 1024 * 1024,
  /** Segments answered to one read, and their bytes together. */
  segmentsPerRead: 256,
  segmentBytesPerRead: 8 * 1024 * 1024,
  maxSnapshotPageBytes: 32 * 1024 * 1024,
  maxKeyringBytes: 16 * 1024,
  /** One capture's record in the inbox, sealed and signed. */
  maxInboxRecordBytes: 8 * 1024,
  /** Records of one device that may wait in the inbox: what comes after them waits on that device for a code. */
  waitingRecords: 200,
  /** Names of records answered to one request. */
  inboxNames: 1000,
  /** A blob that nothing names for so long is swept; a day before that nothing is given to it any more. */
  orphanDays: 7,
  /** JSON bodies; the routes that carry segments or envelopes take more. */
  maxBodyBytes: 64 * 1024,
  maxBulkBodyBytes: 2 * 1024 * 1024,
  maxUserNameCharacters: 64,
  /** Signed URLs live this long. */
  urlSeconds: 300,
  grantSeconds: 300,
  /** An envelope may be written so long after its half was made. */
  envelopeSeconds: 900,
  /** Halves that one code may have released. */
  grantReleases: 1000,
  /**
   * Halves that one code may have made, for new blobs. They open nothing that there is, so they are none of the
   * releases.
   */
  grantGenerations: 10_000,
  /** Wrong codes in a row that lock the factor. */
  wrongCodes: 10,
  /** From so many on, a refused code says how many wrong ones may still come: from the seventh. */
  triesAnnounced: 3,
  backupCodes: 10,
} as const;
