// The program of a user, run by packed.test.ts in a project of its own: a few records into a Parquet lake.
import { defineSource, Pipeline, stream } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { z } from 'zod'

const directory = process.argv[2]
if (directory === undefined) throw new Error('Give a directory.')

const library = defineSource({
  name: 'library',
  streams: {
    books: stream({
      schema: z.object({ id: z.int(), title: z.string() }),
      primaryKey: ['id'],
      records: [
        { id: 1, title: 'Emma' },
        { id: 2, title: 'Ulysses' },
        { id: 3, title: 'Dune' },
      ],
    }),
  },
})

const pipeline = new Pipeline({
  name: 'library-to-lake',
  source: library,
  destination: filesystemDestination({ directory, format: { type: 'parquet', compression: 'snappy' } }),
})
const result = await pipeline.run()
if (result.status !== 'succeeded' || result.records !== 3) throw new Error(JSON.stringify(result))
