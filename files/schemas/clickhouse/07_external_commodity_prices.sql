-- Commodity prices with their change since the previous close.
CREATE TABLE IF NOT EXISTS suho_analytics.external_commodity_prices
(
    symbol         String,
    name           String,
    currency       String,
    price          Float64,
    previous_close Float64,
    change         Float64,
    change_percent Float64,
    volume         UInt64,
    source         String DEFAULT 'yahoo',
    collected_at   DateTime DEFAULT now(),

    INDEX idx_symbol         symbol         TYPE set(0) GRANULARITY 1,
    INDEX idx_collected_at   collected_at   TYPE minmax GRANULARITY 1,
    INDEX idx_change_percent change_percent TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (symbol, collected_at)
TTL collected_at + INTERVAL 730 DAY
SETTINGS index_granularity = 8192;
