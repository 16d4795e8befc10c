import { Binary, DateDay, TimeMicrosecond, type TimestampMicrosecond, Utf8 } from 'apache-arrow'
import { arrowType, isDecimal128 } from './arrow-type.js'
import { BytesColumn } from './bytes-column.js'
import { type ColumnWriter, INITIAL_ROWS } from './column-writer.js'
import type { FieldType } from './field-type.js'
import {
  BooleanColumn,
  DecimalColumn,
  Float32Column,
  Float64Column,
  Int16Column,
  Int32Column,
  Int64Column,
} from './fixed-columns.js'

/** The writer of a field's column by its {@link FieldType}; `capacity` is in rows. */
export function columnWriter(type: FieldType, capacity = INITIAL_ROWS): ColumnWriter {
  if (isDecimal128(type)) return new DecimalColumn(type.precision, type.scale, capacity)
  switch (type.kind) {
    case 'boolean':
      return new BooleanColumn(capacity)
    case 'int16':
      return new Int16Column(capacity)
    case 'int32':
      return new Int32Column(capacity)
    case 'int64':
      return new Int64Column(capacity)
    case 'float32':
      return new Float32Column(capacity)
    case 'float64':
      return new Float64Column(capacity)
    case 'date':
      return new Int32Column(capacity, new DateDay())
    case 'time':
      return type.zone ? new BytesColumn(new Utf8(), capacity) : new Int64Column(capacity, new TimeMicrosecond())
    case 'timestamp':
      return new Int64Column(capacity, arrowType(type) as TimestampMicrosecond)
    case 'binary':
      return new BytesColumn(new Binary(), capacity)
    default:
      return new BytesColumn(new Utf8(), capacity)
  }
}
