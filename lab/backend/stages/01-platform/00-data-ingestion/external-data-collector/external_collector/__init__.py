"""External data collector: what other vendors publish, polled at its own pace."""
