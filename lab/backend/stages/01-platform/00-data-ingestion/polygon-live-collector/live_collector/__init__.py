"""Live collector: the vendor's quotes become rows of market_ticks."""
