-- Observations of FRED series (rates, employment, prices).
CREATE TABLE IF NOT EXISTS suho_analytics.external_fred_economic
(
    series_id        String,
    value            Float64,
    observation_date Date,
    source           String DEFAULT 'fred',
    collected_at     DateTime DEFAULT now(),

    INDEX idx_series_id        series_id        TYPE set(0) GRANULARITY 1,
    INDEX idx_observation_date observation_date TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (series_id, observation_date)
TTL observation_date + INTERVAL 1825 DAY
SETTINGS index_granularity = 8192;
