/** What the pipeline does about an error: try again by itself, wait for a person, or never. */
export type RetryPolicy = 'automatic' | 'manual' | 'never'

/** Every code, with what it means and its retry policy. `docs/errors.md` is kept equal by a test. */
export const ERROR_CODES = {
  CONFIG_INVALID: ['never', 'An option is missing, misspelt or of the wrong type.'],
  CONFIG_STREAM_UNKNOWN: ['never', 'A configured stream is not in the catalog.'],
  CONFIG_STREAM_AMBIGUOUS: ['never', 'A stream key fits several streams.'],
  CONFIG_FIELD_UNKNOWN: ['never', 'A configured field is not in the stream.'],
  CONFIG_CURSOR_REQUIRED: ['never', 'An incremental stream has no cursor field.'],
  CONFIG_CURSOR_INVALID: ['never', 'The cursor field cannot be compared, or the source defines its own.'],
  CONFIG_PRIMARY_KEY_REQUIRED: ['never', 'append_dedup needs a primary key.'],
  CONFIG_MODE_UNSUPPORTED: ['never', 'The source or the destination cannot do this pair of sync modes.'],
  CONFIG_STATE_OWNER: [
    'never',
    'The destination keeps the state itself and a state store was given too, or neither does.',
  ],
  CONFIG_NAME_COLLISION: ['never', 'Two streams would write to the same table.'],
  SOURCE_UNREACHABLE: ['automatic', 'The source did not answer.'],
  SOURCE_CONNECTION_LOST: ['automatic', 'The connection to the source broke.'],
  SOURCE_TIMEOUT: ['automatic', 'The source did not answer in time.'],
  SOURCE_OVERLOADED: ['automatic', 'The source refuses more work for now.'],
  SOURCE_AUTH_FAILED: ['manual', 'The source refused the credentials.'],
  SOURCE_DATABASE_UNKNOWN: ['manual', 'There is no such database.'],
  SOURCE_PERMISSION_DENIED: ['manual', 'The user may not read this.'],
  SOURCE_TLS_FAILED: ['manual', 'TLS was refused, or the certificate does not hold.'],
  SOURCE_VERSION_UNSUPPORTED: ['never', 'The server is too old or too new.'],
  SOURCE_STREAM_MISSING: ['manual', 'A stream that was discovered is no longer there.'],
  SOURCE_FIELD_MISSING: ['manual', 'A field that is read is no longer there.'],
  SOURCE_CURSOR_MISSING: ['manual', 'The cursor field of an incremental stream was removed.'],
  SOURCE_PRIMARY_KEY_MISSING: ['manual', 'A field of the primary key was removed.'],
  SOURCE_EPOCH_LOST: ['automatic', 'What the slices rested on (a snapshot) is gone; a new reading is opened.'],
  SOURCE_STATE_INVALID: ['manual', 'The saved state does not fit this source or this configuration.'],
  SOURCE_VALUE_INVALID: ['manual', 'A value could not be read, and the policy is to fail.'],
  SOURCE_RECORD_INVALID: ['manual', 'A record does not fit its schema.'],
  SOURCE_PROTOCOL_VIOLATION: ['never', 'A source connector broke its contract.'],
  SOURCE_FAILED: ['manual', 'The source failed for a reason that syncline does not know.'],
  NORMALIZE_SCHEMA_FROZEN: ['manual', 'The schema changed, and the policy is to freeze it.'],
  NORMALIZE_FAILED: ['never', 'A normalizer failed.'],
  DESTINATION_UNREACHABLE: ['automatic', 'The destination did not answer.'],
  DESTINATION_CONNECTION_LOST: ['automatic', 'The connection to the destination broke.'],
  DESTINATION_TIMEOUT: ['automatic', 'The destination did not answer in time.'],
  DESTINATION_OVERLOADED: ['automatic', 'The destination refuses more work for now.'],
  DESTINATION_PERMISSION_DENIED: ['manual', 'The destination may not be written.'],
  DESTINATION_FULL: ['manual', 'The destination has no space left.'],
  DESTINATION_MISSING: ['manual', 'The directory, bucket or database is not there.'],
  DESTINATION_COUNT_MISMATCH: ['never', 'Rows read, written and rejected do not add up.'],
  DESTINATION_GENERATION_LOST: ['automatic', 'Pieces of an open generation are gone; a new generation is begun.'],
  DESTINATION_PROTOCOL_VIOLATION: ['never', 'A destination connector broke its contract.'],
  DESTINATION_FAILED: ['manual', 'The destination failed for a reason that syncline does not know.'],
  STATE_LOCKED: ['manual', 'Another run is writing this state.'],
  STATE_CONFLICT: ['manual', 'Another run has moved the state; nothing was committed.'],
  STATE_CORRUPT: ['manual', 'The stored state cannot be read.'],
  STATE_VERSION_UNSUPPORTED: ['never', 'The state was written by a newer syncline.'],
  STATE_FAILED: ['manual', 'The state store failed.'],
  PIPELINE_STREAMS_FAILED: ['manual', 'Several streams failed, for different reasons; `result` has the error of each.'],
  PIPELINE_CANCELLED: ['manual', 'The run was aborted, and something did not end within closeTimeout.'],
  PIPELINE_BUSY: ['never', 'This pipeline is already running in this process.'],
  PIPELINE_FAILED: ['manual', 'The pipeline failed for a reason that syncline does not know.'],
} as const satisfies Record<string, readonly [RetryPolicy, string]>

export type ErrorCode = keyof typeof ERROR_CODES

/** The retry policy of a code. Pure. */
export function retryPolicy(code: ErrorCode): RetryPolicy {
  return ERROR_CODES[code][0]
}
