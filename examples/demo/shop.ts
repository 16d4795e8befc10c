/** How many rows the shop begins with: 330,000 in all. */
const CUSTOMERS = 30_000
const PRODUCTS = 2_000
const ORDERS = 98_000
const ITEMS = 200_000

/** A shop with nested customers, exact prices, an enum, and instants with microseconds. */
export const SHOP = `
  CREATE TYPE order_status AS ENUM ('placed', 'paid', 'sent', 'returned');

  CREATE TABLE customers (
    id bigint PRIMARY KEY, name text NOT NULL, contact jsonb NOT NULL, addresses jsonb NOT NULL, updated_at timestamptz NOT NULL
  );
  CREATE TABLE products (
    id integer PRIMARY KEY, sku uuid NOT NULL, name text NOT NULL, price numeric(12, 2) NOT NULL, tags text[] NOT NULL
  );
  CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL, status order_status NOT NULL, total numeric(14, 2) NOT NULL,
    note text, placed_on date NOT NULL, updated_at timestamptz NOT NULL
  );
  CREATE TABLE order_items (
    id bigint PRIMARY KEY, order_id bigint NOT NULL, product_id integer NOT NULL, quantity smallint NOT NULL,
    unit_price numeric(12, 2) NOT NULL
  );

  INSERT INTO customers SELECT n, 'Customer ' || n,
    jsonb_build_object('email', 'customer' || n || '@example.org', 'phone', '+31 20 ' || n, 'newsletter', n % 3 = 0),
    CASE WHEN n % 4 = 0 THEN '[]'::jsonb ELSE
      jsonb_build_array(jsonb_build_object('kind', 'home', 'street', 'Canal ' || n % 900, 'city', 'Amsterdam')) END,
    '2026-01-01'::timestamptz + n * interval '37.000001 s'
  FROM generate_series(1, ${CUSTOMERS}) n;

  INSERT INTO products SELECT n, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Product ' || n,
    (n % 500) + 0.99, CASE WHEN n % 5 = 0 THEN '{}' ELSE ARRAY['tag ' || n % 7, 'sale'] END
  FROM generate_series(1, ${PRODUCTS}) n;

  -- Three orders to each instant: rows that share a cursor value are the rule in real databases.
  INSERT INTO orders SELECT n, 1 + n * 7919 % ${CUSTOMERS}, (enum_range(NULL::order_status))[1 + n % 4], (n * 13 % 100000) / 100.0,
    CASE WHEN n % 10 = 0 THEN 'Ring twice — thanks 🙂' END, '2026-01-01'::date + n / 1000,
    '2026-01-01'::timestamptz + n / 3 * interval '1.000001 s'
  FROM generate_series(1, ${ORDERS}) n;

  INSERT INTO order_items SELECT n, 1 + n % ${ORDERS}, 1 + n % ${PRODUCTS}, 1 + n % 5, (n % 500) + 0.99
  FROM generate_series(1, ${ITEMS}) n;

  ANALYZE;
`

/** What happens to the shop between the two syncs: new rows, changed rows, and rows that come late with the very cursor value that was read last. */
export const CHANGES = {
  'new customers': `
    INSERT INTO customers SELECT id + ${CUSTOMERS}, name, contact, addresses, now() FROM customers WHERE id <= 500`,
  'moved customers': `
    UPDATE customers SET addresses = addresses || '[{"kind":"work","city":"Utrecht"}]', updated_at = now() WHERE id % 30 = 0 AND id <= ${CUSTOMERS}`,
  'orders at the last instant that was read': `
    INSERT INTO orders SELECT ${ORDERS} + n, n, 'placed', 9.99, NULL, '2026-05-01', (SELECT max(updated_at) FROM orders)
    FROM generate_series(1, 100) n`,
  'new orders': `
    INSERT INTO orders SELECT ${ORDERS} + 100 + n, n, 'placed', n + 0.5, NULL, '2026-05-02', now() FROM generate_series(1, 4000) n`,
  'paid orders': `UPDATE orders SET status = 'paid', updated_at = now() WHERE id % 50 = 0 AND id <= ${ORDERS}`,
  'new items': `
    INSERT INTO order_items SELECT ${ITEMS} + n, ${ORDERS} + 100 + (n + 1) / 2, 1 + n % ${PRODUCTS}, 1, 5.25 FROM generate_series(1, 8000) n`,
} as const

/** Which table each change adds records to. */
export const CHANGED_TABLE: { readonly [change in keyof typeof CHANGES]: string } = {
  'new customers': 'customers',
  'moved customers': 'customers',
  'orders at the last instant that was read': 'orders',
  'new orders': 'orders',
  'paid orders': 'orders',
  'new items': 'order_items',
}

export const TABLES = ['customers', 'products', 'orders', 'order_items'] as const
