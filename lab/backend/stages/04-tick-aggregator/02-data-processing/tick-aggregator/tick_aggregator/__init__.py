"""Tick aggregator: ticks become bars of seven timeframes with 26 indicators."""
