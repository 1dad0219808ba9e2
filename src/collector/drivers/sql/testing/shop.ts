/** A small database that is the same in PostgreSQL, MariaDB and SQLite. */
export const shopSchema = `
  CREATE TABLE orders (
    id integer PRIMARY KEY, status varchar(20), country varchar(2), amount decimal(20, 2), weight double precision,
    bytes bigint, placed bigint
  );
  INSERT INTO orders VALUES
    (1, 'open', 'DE', 10.50, 0.25, 9007199254740993, 1767225600),
    (2, 'open', 'FR', 20.00, 1.5, 1, 1767225601),
    (3, 'sent', 'DE', 0.10, 2.75, 2, 1767225602),
    (4, 'sent', NULL, NULL, NULL, NULL, 1767225603),
    (5, 'say "hi"', 'DE', -3, 1e-7, 0, 1767225604);
`;

/** A query for each type of metric. */
export const shopQueries = [
  {
    name: 'by_status',
    timeout: '9s',
    sql: 'SELECT status, country, count(*) AS n, sum(amount) AS amount FROM orders GROUP BY status, country;',
    metrics: [
      {
        name: 'shop_orders',
        type: 'gauge',
        help: 'Orders.',
        value: 'n',
        labels: { status: 'status', country: 'country' },
        staticLabels: { shop: 'main' },
      },
      {
        name: 'shop_amount',
        type: 'unknown',
        help: 'Amounts.',
        value: 'amount',
        labels: { state: 'status', to: 'country' },
      },
    ],
  },
  {
    name: 'totals',
    timeout: '9s',
    sql: `
      SELECT max(bytes) AS bytes, count(*) AS n, max(placed) AS newest, sum(weight) AS weight, 'v1' AS version,
        count(CASE WHEN weight <= 0.5 THEN 1 END) AS light, count(CASE WHEN weight <= 2 THEN 1 END) AS medium
      FROM orders WHERE weight IS NOT NULL -- a comment at the end`,
    timestamp: 'newest',
    metrics: [
      { name: 'shop_largest_bytes', type: 'gauge', help: 'Size.', unit: 'bytes', value: 'bytes' },
      { name: 'shop_placed_total', type: 'counter', help: 'Placed orders.', value: 'n' },
      { name: 'shop_version_info', type: 'info', help: 'The shop.', labels: { version: 'version' } },
      {
        name: 'shop_weight_kilograms',
        type: 'histogram',
        help: 'Weights.',
        unit: 'kilograms',
        buckets: { 2: 'medium', 0.5: 'light' },
        count: 'n',
        sum: 'weight',
      },
    ],
  },
] as const;

/** What these queries give in OpenMetrics, without the order of the series. */
export const shopLines = [
  '# TYPE shop_orders gauge',
  '# HELP shop_orders Orders.',
  'shop_orders{shop="main",status="open",country="DE"} 1',
  'shop_orders{shop="main",status="open",country="FR"} 1',
  'shop_orders{shop="main",status="sent",country="DE"} 1',
  'shop_orders{shop="main",status="sent",country=""} 1',
  'shop_orders{shop="main",status="say \\"hi\\"",country="DE"} 1',
  '# TYPE shop_amount unknown',
  '# HELP shop_amount Amounts.',
  'shop_amount{state="open",to="DE"} 10.5',
  'shop_amount{state="open",to="FR"} 20',
  'shop_amount{state="sent",to="DE"} 0.1',
  'shop_amount{state="say \\"hi\\"",to="DE"} -3',
  '# TYPE shop_largest_bytes gauge',
  '# UNIT shop_largest_bytes bytes',
  '# HELP shop_largest_bytes Size.',
  'shop_largest_bytes 9007199254740993',
  '# TYPE shop_placed counter',
  '# HELP shop_placed Placed orders.',
  'shop_placed_total 4',
  '# TYPE shop_version info',
  '# HELP shop_version The shop.',
  'shop_version_info{version="v1"} 1',
  '# TYPE shop_weight_kilograms histogram',
  '# UNIT shop_weight_kilograms kilograms',
  '# HELP shop_weight_kilograms Weights.',
  'shop_weight_kilograms_bucket{le="0.5"} 2',
  'shop_weight_kilograms_bucket{le="2.0"} 3',
  'shop_weight_kilograms_bucket{le="+Inf"} 4',
  'shop_weight_kilograms_count 4',
  'shop_weight_kilograms_sum 4.5000001',
  '# EOF',
];
