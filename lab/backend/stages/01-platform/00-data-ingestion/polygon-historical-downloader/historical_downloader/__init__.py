"""Historical downloader: bars of whole past days, once, without indicators."""
