-- Fear and greed index of the crypto market.
CREATE TABLE IF NOT EXISTS suho_analytics.external_fear_greed_index
(
    value           UInt8,
    classification  String,
    sentiment_score Float64,
    index_timestamp DateTime,
    source          String DEFAULT 'alternative.me',
    collected_at    DateTime DEFAULT now(),

    INDEX idx_index_timestamp index_timestamp TYPE minmax GRANULARITY 1,
    INDEX idx_value           value           TYPE minmax GRANULARITY 1,
    INDEX idx_classification  classification  TYPE set(0) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY index_timestamp
TTL index_timestamp + INTERVAL 730 DAY
SETTINGS index_granularity = 8192;
