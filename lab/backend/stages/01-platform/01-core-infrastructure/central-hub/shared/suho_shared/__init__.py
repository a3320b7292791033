"""Code that every service of the platform shares: settings, logs, life cycle, broker, time, markets."""
