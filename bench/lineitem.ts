/** A table like TPC-H's lineitem with a timestamp: 17 columns of integers, numeric(15,2), dates, texts. */
export const LINEITEM_DDL = `CREATE TABLE lineitem (
  l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey integer NOT NULL, l_linenumber integer NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
  l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct varchar(25) NOT NULL, l_shipmode varchar(10) NOT NULL, l_comment varchar(44) NOT NULL,
  l_updated_at timestamptz NOT NULL)`

/** Deterministic rows, four to an order. */
export function lineitemRows(rows: number): string {
  return `INSERT INTO lineitem SELECT
    i / 4 + 1, (i * 7919) % 200000 + 1, (i * 104729) % 10000 + 1, i % 4 + 1,
    (i * 31) % 50 + 1, ((i * 7919) % 10000000)::numeric / 100 + 900, ((i * 13) % 11)::numeric / 100, ((i * 17) % 9)::numeric / 100,
    (ARRAY['A','N','R'])[i % 3 + 1], (ARRAY['F','O'])[i % 2 + 1],
    date '1992-01-01' + ((i * 37) % 2500)::int, date '1992-01-01' + ((i * 41) % 2500)::int, date '1992-01-01' + ((i * 43) % 2500)::int,
    (ARRAY['DELIVER IN PERSON','COLLECT COD','NONE','TAKE BACK RETURN'])[i % 4 + 1],
    (ARRAY['AIR','MAIL','SHIP','RAIL','TRUCK','FOB','REG AIR'])[i % 7 + 1],
    left('carefully ' || md5(i::text), 10 + (i % 34)::int),
    timestamptz '2026-01-01' + (i % 31536000) * interval '1.000123 second'
  FROM generate_series(0::bigint, ${rows - 1}) AS i`
}
