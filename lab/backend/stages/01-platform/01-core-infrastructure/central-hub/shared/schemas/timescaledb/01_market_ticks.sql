-- Raw ticks, as the live collector writes them and the aggregation reads them.
CREATE TABLE IF NOT EXISTS market_ticks (
    time        timestamptz     NOT NULL,
    symbol      text            NOT NULL,
    bid         numeric(18, 5)  NOT NULL,
    ask         numeric(18, 5)  NOT NULL,
    mid         numeric(18, 5)  NOT NULL,
    spread      numeric(10, 5)  NOT NULL,
    volume      bigint          NOT NULL DEFAULT 1,
    source      text            NOT NULL DEFAULT 'polygon_websocket',
    event_type  text            NOT NULL DEFAULT 'quote'
);

SELECT create_hypertable('market_ticks', by_range('time', INTERVAL '7 days'), create_default_indexes => false, if_not_exists => true);

-- One tick per symbol and moment: a write that is repeated after a lost connection adds nothing.
CREATE UNIQUE INDEX IF NOT EXISTS market_ticks_symbol_time ON market_ticks (symbol, time DESC);
