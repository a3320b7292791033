-- OHLCV bars per symbol and timeframe, with their technical indicators.
-- Written by data-bridge from the broker's subjects bars.<SYMBOL>.<timeframe>.
CREATE TABLE IF NOT EXISTS suho_analytics.aggregates
(
    symbol       String,
    timeframe    String,                    -- 5m, 15m, 30m, 1h, 4h, 1d, 1w
    timestamp    DateTime64(3, 'UTC'),      -- opening time of the bar
    timestamp_ms UInt64,
    open         Decimal(18, 5),
    high         Decimal(18, 5),
    low          Decimal(18, 5),
    close        Decimal(18, 5),
    volume       UInt64,
    vwap         Decimal(18, 5) DEFAULT 0,
    range_pips   Decimal(10, 5),
    body_pips    Decimal(10, 5),
    start_time   DateTime64(3, 'UTC'),
    end_time     DateTime64(3, 'UTC'),
    source       String,
    event_type   String DEFAULT 'ohlcv',
    indicators   String DEFAULT '',         -- JSON object, one finite number per indicator; '' where none was computed
    ingested_at  DateTime64(3, 'UTC') DEFAULT now64(3),

    INDEX idx_symbol     symbol     TYPE set(0) GRANULARITY 1,
    INDEX idx_timeframe  timeframe  TYPE set(0) GRANULARITY 1,
    INDEX idx_source     source     TYPE set(0) GRANULARITY 1,
    INDEX idx_volume     volume     TYPE minmax GRANULARITY 1,
    INDEX idx_range_pips range_pips TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (symbol, toYYYYMM(timestamp))
ORDER BY (symbol, timeframe, timestamp)
TTL toDateTime(timestamp) + INTERVAL 3650 DAY
SETTINGS index_granularity = 8192;
