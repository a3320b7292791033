"""Data bridge: what the broker carries becomes rows of ClickHouse."""
