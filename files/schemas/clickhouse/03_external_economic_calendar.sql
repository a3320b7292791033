-- Economic events with forecast, previous and actual value, as the calendar prints them.
CREATE TABLE IF NOT EXISTS suho_analytics.external_economic_calendar
(
    date         Date,
    time         String,
    currency     String,
    event        String,
    forecast     Nullable(String),
    previous     Nullable(String),
    actual       Nullable(String),          -- NULL until the figure is published
    impact       String,
    source       String DEFAULT 'mql5',
    collected_at DateTime DEFAULT now(),

    INDEX idx_impact   impact   TYPE set(0) GRANULARITY 1,
    INDEX idx_currency currency TYPE set(0) GRANULARITY 1,
    INDEX idx_date     date     TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (date, time, currency)
TTL date + INTERVAL 730 DAY
SETTINGS index_granularity = 8192;
