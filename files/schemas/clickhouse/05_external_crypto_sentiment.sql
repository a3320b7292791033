-- Prices and community figures of crypto coins.
CREATE TABLE IF NOT EXISTS suho_analytics.external_crypto_sentiment
(
    coin_id            String,
    name               String,
    symbol             String,
    price_usd          Float64,
    price_change_24h   Float64,
    market_cap_rank    UInt16,
    sentiment_votes_up Float64,
    community_score    Float64,
    twitter_followers  UInt64,
    reddit_subscribers UInt64,
    source             String DEFAULT 'coingecko',
    collected_at       DateTime DEFAULT now(),

    INDEX idx_coin_id         coin_id         TYPE set(0) GRANULARITY 1,
    INDEX idx_market_cap_rank market_cap_rank TYPE minmax GRANULARITY 1,
    INDEX idx_collected_at    collected_at    TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (coin_id, collected_at)
TTL collected_at + INTERVAL 365 DAY
SETTINGS index_granularity = 8192;
