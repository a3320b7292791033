-- Bars of one timeframe for every symbol, up to {end} (Unix seconds). The same moment always has the same bar.
INSERT INTO suho_analytics.aggregates
    (symbol, timeframe, timestamp, timestamp_ms, open, high, low, close, volume, vwap, range_pips, body_pips,
     start_time, end_time, source)
SELECT
    ['EURUSD', 'GBPUSD', 'XAUUSD'][place] AS symbol,
    '{timeframe}' AS timeframe,
    toDateTime64(began, 3, 'UTC') AS timestamp,
    began * 1000 AS timestamp_ms,
    toDecimal64(opened, 5) AS open,
    toDecimal64(top, 5) AS high,
    toDecimal64(bottom, 5) AS low,
    toDecimal64(closed, 5) AS close,
    100 + dice % 9900 AS volume,
    toDecimal64(round((top + bottom + closed) / 3, 5), 5) AS vwap,
    toDecimal64(round((top - bottom) / pip, 5), 5) AS range_pips,
    toDecimal64(round(abs(closed - opened) / pip, 5), 5) AS body_pips,
    timestamp AS start_time,
    toDateTime64(began + {seconds}, 3, 'UTC') AS end_time,
    'polygon_historical' AS source
FROM
(
    SELECT
        place, began, dice, pip,
        round(base * (1 + swing * wave_open), 5) AS opened,
        round(base * (1 + swing * wave_close), 5) AS closed,
        round(greatest(opened, closed) + pip * (dice % 40) / 10, 5) AS top,
        round(least(opened, closed) - pip * (intDiv(dice, 64) % 40) / 10, 5) AS bottom
    FROM
    (
        SELECT
            intDiv(number, {count}) + 1 AS place,
            toUInt64({end} - ({count} - number % {count}) * {seconds}) AS began,
            sipHash64(place, '{timeframe}', began) AS dice,
            arraySum(arrayMap((share, length) -> share * sin((began + place * 100000) / length),
                [0.6, 0.25, 0.1, 0.04], [223000, 49000, 11000, 2500])) AS wave_open,
            arraySum(arrayMap((share, length) -> share * sin((began + {seconds} + place * 100000) / length),
                [0.6, 0.25, 0.1, 0.04], [223000, 49000, 11000, 2500])) AS wave_close,
            [1.085, 1.27, 2650.][place] AS base,
            [0.010, 0.012, 0.020][place] AS swing,
            [0.0001, 0.0001, 0.01][place] AS pip
        FROM numbers({count} * 3)
    )
);
