-- The last day of ticks before {end} (Unix seconds), one every five seconds for every symbol.
INSERT INTO suho_analytics.ticks (symbol, timestamp, bid, ask, volume)
SELECT
    ['EURUSD', 'GBPUSD', 'XAUUSD'][place],
    toDateTime64({end} - (17280 - number % 17280) * 5, 3, 'UTC'),
    toDecimal64(round(middle - pip, 5), 5),
    toDecimal64(round(middle + pip, 5), 5),
    1 + sipHash64(number) % 50
FROM
(
    SELECT
        number,
        intDiv(number, 17280) + 1 AS place,
        [0.0001, 0.0001, 0.01][place] AS pip,
        [1.085, 1.27, 2650.][place] * (1 + 0.004 * sin(number / 2500)) AS middle
    FROM numbers(17280 * 3)
);
