CREATE DATABASE IF NOT EXISTS `suho_analytics`;

CREATE TABLE suho_analytics.aggregates (`symbol` String, `timeframe` String, `timestamp` DateTime64(3, 'UTC'), `timestamp_ms` UInt64, `open` Decimal(18, 5), `high` Decimal(18, 5), `low` Decimal(18, 5), `close` Decimal(18, 5), `volume` UInt64, `vwap` Decimal(18, 5) DEFAULT 0, `range_pips` Decimal(10, 5), `body_pips` Decimal(10, 5), `start_time` DateTime64(3, 'UTC'), `end_time` DateTime64(3, 'UTC'), `source` String, `event_type` String DEFAULT 'ohlcv', `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3), INDEX idx_symbol symbol TYPE set(0) GRANULARITY 1, INDEX idx_timeframe timeframe TYPE set(0) GRANULARITY 1, INDEX idx_source source TYPE set(0) GRANULARITY 1, INDEX idx_volume volume TYPE minmax GRANULARITY 1, INDEX idx_range_pips range_pips TYPE minmax GRANULARITY 1) ENGINE = MergeTree PARTITION BY (symbol, toYYYYMM(timestamp)) ORDER BY (symbol, timeframe, timestamp) TTL toDateTime(timestamp) + toIntervalDay(3650) SETTINGS index_granularity = 8192;

CREATE TABLE suho_analytics.aggregates_daily (`symbol` String, `timeframe` String, `day` Date, `bars` UInt64, `volume` UInt64) ENGINE = SummingMergeTree ORDER BY (symbol, timeframe, day) SETTINGS index_granularity = 8192;

CREATE MATERIALIZED VIEW suho_analytics.aggregates_daily_mv TO suho_analytics.aggregates_daily (`symbol` String, `timeframe` String, `day` Date, `bars` UInt64, `volume` UInt64) AS SELECT symbol, timeframe, toDate(timestamp) AS day, count() AS bars, sum(volume) AS volume FROM suho_analytics.aggregates GROUP BY symbol, timeframe, day;

CREATE VIEW suho_analytics.latest_bars (`symbol` String, `timeframe` String, `newest` DateTime64(3, 'UTC'), `last_close` Decimal(18, 5)) AS SELECT symbol, timeframe, max(timestamp) AS newest, argMax(close, timestamp) AS last_close FROM suho_analytics.aggregates GROUP BY symbol, timeframe;

CREATE TABLE suho_analytics.ticks (`symbol` LowCardinality(String), `timestamp` DateTime64(3, 'UTC'), `bid` Decimal(18, 5), `ask` Decimal(18, 5), `volume` UInt32, `source` LowCardinality(String) DEFAULT 'polygon_websocket') ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (symbol, timestamp) TTL toDateTime(timestamp) + toIntervalDay(90) SETTINGS index_granularity = 8192;

