"""Calendar, FRED, commodities and market sessions: the four sources beside crypto and fear & greed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from external_collector.seeded import dice, wave

EVENTS = (
    ("08:30", "USD", "Nonfarm Payrolls", "high", 180.0, "K"),
    ("10:00", "EUR", "CPI y/y", "high", 2.1, "%"),
    ("09:00", "GBP", "Retail Sales m/m", "medium", 0.4, "%"),
    ("14:00", "USD", "ISM Services PMI", "medium", 51.5, ""),
    ("23:50", "JPY", "Trade Balance", "low", -210.0, "B"),
)


def economic_calendar(now: datetime) -> list[dict[str, Any]]:
    """Yesterday's, today's and tomorrow's events. Only what is past has an actual figure, and not every event a forecast."""
    now = now.astimezone(timezone.utc)
    rows = []
    for shift in (-1, 0, 1):
        day = now.date() + timedelta(days=shift)
        for time, currency, event, impact, base, unit in EVENTS:
            # Seeded by the day: a figure that was published stays what it was.
            rng = dice(f"calendar:{event}", datetime(day.year, day.month, day.day, tzinfo=timezone.utc))
            forecast, previous, actual = (round(base * (1 + rng.gauss(0, 0.1)), 1) for _ in range(3))
            due = datetime.fromisoformat(f"{day.isoformat()}T{time}:00+00:00")
            rows.append(
                {
                    "date": day.isoformat(),
                    "time": time,
                    "currency": currency,
                    "event": event,
                    "forecast": None if impact == "low" else f"{forecast}{unit}",
                    "previous": f"{previous}{unit}",
                    "actual": f"{actual}{unit}" if due <= now else None,
                    "impact": impact,
                    "source": "mql5",
                }
            )
    return rows


SERIES = (
    ("GDP", 29_700.0, 90),
    ("UNRATE", 4.2, 30),
    ("CPIAUCSL", 321.0, 30),
    ("FEDFUNDS", 4.1, 30),
    ("DGS10", 4.15, 1),
    ("DEXUSEU", 1.09, 1),
)


def fred_economic(now: datetime) -> list[dict[str, Any]]:
    """The newest observation of each series."""
    today = now.astimezone(timezone.utc).date()
    rows = []
    for series, base, days in SERIES:
        observed = date.fromordinal(today.toordinal() // days * days)
        seed = datetime(observed.year, observed.month, observed.day, tzinfo=timezone.utc)
        value = round(base * (1 + dice(f"fred:{series}", seed).gauss(0, 0.01)), 4)
        rows.append(
            {"series_id": series, "value": value, "observation_date": observed.isoformat(), "source": "fred"}
        )
    return rows


COMMODITIES = (
    ("GC=F", "Gold", 2_650.0),
    ("SI=F", "Silver", 31.5),
    ("CL=F", "Crude Oil WTI", 68.0),
    ("HG=F", "Copper", 4.6),
    ("NG=F", "Natural Gas", 3.2),
)


def commodity_prices(now: datetime) -> list[dict[str, Any]]:
    rows = []
    for place, (symbol, name, base) in enumerate(COMMODITIES):
        previous = round(base * (1 + 0.01 * wave(now, 400_000, place / 5)), 4)
        price = round(previous * (1 + 0.012 * wave(now, 30_000, place / 3)), 4)
        rows.append(
            {
                "symbol": symbol,
                "name": name,
                "currency": "USD",
                "price": price,
                "previous_close": previous,
                "change": round(price - previous, 4),
                "change_percent": round((price - previous) / previous * 100, 4),
                "volume": dice(f"volume:{symbol}", now).randint(10_000, 250_000),
                "source": "yahoo",
            }
        )
    return rows


# Opening and closing hour in UTC; Sydney's session passes midnight.
SESSIONS = (("Sydney", 21, 6), ("Tokyo", 0, 9), ("London", 7, 16), ("New York", 12, 21))
LIQUIDITY = ("closed", "low", "medium", "high", "very_high")


def market_sessions(now: datetime) -> list[dict[str, Any]]:
    now = now.astimezone(timezone.utc)
    hour = now.hour
    active = [
        name
        for name, opens, closes in SESSIONS
        if (opens <= hour < closes if opens < closes else hour >= opens or hour < closes)
    ]
    return [
        {
            "current_utc_time": now.isoformat(timespec="seconds"),
            "active_sessions_count": len(active),
            "active_sessions": ",".join(active),
            "liquidity_level": LIQUIDITY[len(active)],
        }
    ]
