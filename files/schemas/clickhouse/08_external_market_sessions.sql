-- Which trading sessions are open, and how liquid the market is at that time.
CREATE TABLE IF NOT EXISTS suho_analytics.external_market_sessions
(
    current_utc_time      String,
    active_sessions_count UInt8,
    active_sessions       String,
    liquidity_level       String,
    collected_at          DateTime DEFAULT now(),

    INDEX idx_collected_at          collected_at          TYPE minmax GRANULARITY 1,
    INDEX idx_active_sessions_count active_sessions_count TYPE minmax GRANULARITY 1,
    INDEX idx_liquidity_level       liquidity_level       TYPE set(0) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY collected_at
TTL collected_at + INTERVAL 90 DAY
SETTINGS index_granularity = 8192;
