# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random, valid database schemas for property-based tests, and other spellings of their text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

TABLES = ("bars", "ticks", "news", "odd name")
# type → defaults that are legal for it; every column may refer to the columns that each table has.
TYPES: dict[str, tuple[str, ...]] = {
    "UInt8": ("DEFAULT 1", "DEFAULT k % 7", "MATERIALIZED k % 3", "ALIAS k % 5"),
    "UInt64": ("DEFAULT 0", "DEFAULT k * (2 + 1)", "MATERIALIZED cityHash64(s)"),
    "Int32": ("DEFAULT -1", "DEFAULT -toInt32(k)"),
    "Float64": ("DEFAULT 0.5", "DEFAULT if(k > 3, 1.5, -2.5)"),
    "Decimal(18, 5)": ("DEFAULT 0",),
    "String": ("DEFAULT ''", "DEFAULT 'it''s; --'", "DEFAULT concat(s, '-', toString(k))", "ALIAS lower(s)"),
    "LowCardinality(String)": ("DEFAULT 'x'",),
    "Nullable(String)": ("DEFAULT NULL", "DEFAULT s"),
    "Nullable(UInt32)": (),
    "Date": ("DEFAULT toDate(at)", "DEFAULT '2024-01-01'"),
    "DateTime": ("DEFAULT now()", "DEFAULT at + INTERVAL 1 DAY"),
    "DateTime64(3, 'UTC')": ("DEFAULT now64(3)",),
    "Enum8('a' = 1, 'b' = 2)": ("DEFAULT 'a'",),
    "Array(UInt8)": ("DEFAULT [1, 2]", "DEFAULT arrayMap(x -> (x + 1), [k])"),
    "Map(String, UInt64)": (),
    "Tuple(x UInt8, y String)": (),
    "UUID": ("DEFAULT generateUUIDv4()",),
    "Bool": ("DEFAULT true",),
    "FixedString(4)": (),
    "IPv4": (),
}
NUMBERS = frozenset({"UInt8", "UInt64", "Int32", "Date", "DateTime"})
CODECS = ("", "", "CODEC(ZSTD(1))", "CODEC(ZSTD(3))", "CODEC(LZ4)", "CODEC(NONE)")
NUMBER_CODECS = ("CODEC(Delta, ZSTD(1))", "CODEC(T64, LZ4)", "CODEC(DoubleDelta)")
COLUMN_COMMENTS = ("", "", "", "one", "it''s; -- /* two", "ü")
COLUMN_TTLS = ("", "", "", "at + INTERVAL 30 DAY", "at + toIntervalDay(60)")
INDEX_TYPES = ("minmax", "set(0)", "set(100)", "bloom_filter(0.01)")
INDEX_EXPRESSIONS = ("k", "s", "lower(s)", "(k, s)", "k * 2", "at")
CONSTRAINTS = ("CHECK k < 100", "CHECK (k > 1) AND (s != '')", "ASSUME length(s) < 9")
PROJECTIONS = ("SELECT * ORDER BY s", "SELECT s, count() GROUP BY s", "SELECT s, sum(k) GROUP BY s")
PARTITIONS = ("", "toYYYYMM(at)", "(k % 4, toYear(at))")
ORDERS = ("k", "(k, at)", "(s, k, at)", "(k, lower(s))")
TABLE_TTLS = (
    "",
    "",
    "at + INTERVAL 90 DAY",
    "at + INTERVAL 30 DAY DELETE WHERE k > 3",
    "at + INTERVAL 1 YEAR, at + INTERVAL 1 MONTH RECOMPRESS CODEC(ZSTD(5))",
)
SETTINGS = {
    "min_bytes_for_wide_part": ("0", "1048576"),
    "merge_with_ttl_timeout": ("60", "3600"),
    "max_parts_to_merge_at_once": ("50",),
    "ttl_only_drop_parts": ("1",),
}
VIEWS = (
    "SELECT k, s FROM {t}",
    "SELECT k, count() AS n FROM {t} WHERE (k > 1) AND (s != 'x') GROUP BY k",
    "SELECT s, max(at) AS last FROM {t} GROUP BY s ORDER BY s ASC",
)


# What depends on the name of a column or table only, if it is asked to be steady.
TYPES_OF = {
    "c1": ("UInt8", "UInt64", "Int32", "Float64"),
    "c2": ("String", "LowCardinality(String)"),
    "c3": ("Date", "DateTime"),
    "c4": ("Decimal(18, 5)", "Float64"),
    "c5": ("Array(UInt8)",),
}
PARTS_OF = {
    "c1": {"default", "codec"},
    "c2": {"comment", "ttl"},
    "c3": {"default", "comment", "codec"},
    "c4": {"codec", "ttl"},
    "c5": {"default", "comment"},
}


@dataclass(frozen=True)
class AColumn:
    name: str
    type: str
    default: str = ""
    comment: str = ""
    codec: str = ""
    ttl: str = ""

    def sql(self) -> str:
        comment = f"COMMENT '{self.comment}'" if self.comment else ""
        ttl = f"TTL {self.ttl}" if self.ttl else ""
        parts = (f"`{self.name}`", self.type, self.default, comment, self.codec, ttl)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class ATable:
    name: str
    columns: tuple[AColumn, ...]
    order_by: str
    partition_by: str = ""
    indexes: dict[str, str] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    projections: dict[str, str] = field(default_factory=dict)
    ttl: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    comment: str = ""

    def sql(self) -> str:
        base = ["k UInt8", "at DateTime", "s String"]
        items = [*base, *(column.sql() for column in self.columns)]
        items += [f"INDEX {name} {text}" for name, text in self.indexes.items()]
        items += [f"CONSTRAINT {name} {text}" for name, text in self.constraints.items()]
        items += [f"PROJECTION {name} ({text})" for name, text in self.projections.items()]
        settings = ", ".join(f"{name} = {value}" for name, value in self.settings.items())
        clauses = (
            ("PARTITION BY", self.partition_by),
            ("ORDER BY", self.order_by),
            ("TTL", self.ttl),
            ("SETTINGS", settings),
            ("COMMENT", f"'{self.comment}'" if self.comment else ""),
        )
        tail = "".join(f" {word} {text}" for word, text in clauses if text)
        return f"CREATE TABLE `{self.name}` ({', '.join(items)}) ENGINE = MergeTree{tail}"


@dataclass(frozen=True)
class ASchema:
    tables: tuple[ATable, ...]
    views: tuple[tuple[str, str], ...] = ()  # name, text

    def sql(self) -> str:
        texts = [table.sql() for table in self.tables] + [text for _name, text in self.views]
        return ";\n".join(texts) + ";\n"


@st.composite
def columns(draw: st.DrawFn, name: str, steady: Collection[str]) -> AColumn:
    kind = draw(st.sampled_from(TYPES_OF[name] if "types" in steady else sorted(TYPES)))

    def part(key: str, values: Sequence[str]) -> str:
        if "parts" not in steady:
            return draw(st.sampled_from(values))
        present = [value for value in values if value]
        return draw(st.sampled_from(present)) if key in PARTS_OF[name] else ""

    defaults = [text for text in TYPES[kind] if "parts" not in steady or text.startswith("DEFAULT")]
    default = part("default", ["", *defaults])
    stored = not default.startswith("ALIAS")  # an alias has no data to compress or to expire
    codecs = CODECS + (NUMBER_CODECS if kind in NUMBERS else ())
    return AColumn(
        name,
        kind,
        default,
        part("comment", COLUMN_COMMENTS),
        part("codec", codecs) if stored else "",
        part("ttl", COLUMN_TTLS) if stored else "",
    )


def some(values: st.SearchStrategy[str], prefix: str, at_most: int) -> st.SearchStrategy[dict[str, str]]:
    names = st.sampled_from([f"{prefix}{number}" for number in range(1, at_most + 2)])
    return st.dictionaries(names, values, max_size=at_most)


@st.composite
def tables(draw: st.DrawFn, name: str, rebuild: bool, steady: Collection[str]) -> ATable:
    """A table; its keys depend on its name only, unless *rebuild* lets them vary; see *steady* at schemas()."""
    names = draw(st.lists(st.sampled_from(("c1", "c2", "c3", "c4", "c5")), unique=True, max_size=4))
    number = TABLES.index(name)
    indexes = st.builds(
        "{} TYPE {} GRANULARITY {}".format,
        st.sampled_from(INDEX_EXPRESSIONS),
        st.sampled_from(INDEX_TYPES),
        st.integers(1, 4),
    )
    settings = {
        key: draw(st.sampled_from(values))
        for key, values in SETTINGS.items()
        if ("settings" in steady and number % 2)
        or ("settings" not in steady and draw(st.integers(0, 3)) == 0)
    }
    if rebuild and "settings" not in steady and draw(st.booleans()):
        settings["index_granularity"] = "4096"
    return ATable(
        name=name,
        columns=tuple(draw(columns(column, steady)) for column in names),
        order_by=draw(st.sampled_from(ORDERS)) if rebuild else ORDERS[number],
        partition_by=draw(st.sampled_from(PARTITIONS)) if rebuild else PARTITIONS[number % len(PARTITIONS)],
        indexes=draw(some(indexes, "i", 2)),
        constraints=draw(some(st.sampled_from(CONSTRAINTS), "p", 2)),
        projections=draw(some(st.sampled_from(PROJECTIONS), "q", 1)),
        ttl=draw(st.sampled_from(TABLE_TTLS)),
        settings=settings,
        comment=draw(st.sampled_from(COLUMN_COMMENTS)),
    )


@st.composite
def schemas(draw: st.DrawFn, rebuild: bool = False, steady: Collection[str] = ()) -> ASchema:
    """A schema. What is *steady* is the same in any two schemas: the 'types' of a column up to those that can be
    cast, which 'parts' a column has (default, codec, comment, TTL), which 'settings' a table has.
    """
    names = draw(st.lists(st.sampled_from(TABLES), unique=True, min_size=1, max_size=4))
    found = tuple(draw(tables(name, rebuild, steady)) for name in names)
    views: list[tuple[str, str]] = []
    for number in range(draw(st.integers(0, 2))):
        query = draw(st.sampled_from(VIEWS)).format(t=f"`{draw(st.sampled_from(names))}`")
        views.append((f"v{number}", f"CREATE VIEW v{number} AS {query}"))
    if draw(st.booleans()):
        source, target = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        where = draw(st.sampled_from(("", " WHERE k > 1")))
        if source != target:
            views.append(
                ("mv", f"CREATE MATERIALIZED VIEW mv TO `{target}` AS SELECT k, at, s FROM `{source}`{where}")
            )
    return ASchema(found, tuple(views))


# Other spellings of the same schema ----------------------------------------------------------------------------


@st.composite
def respelled(draw: st.DrawFn, schema: ASchema) -> str:
    """The text of *schema* with other order of settings and objects, brackets, space, comments, letter case."""
    spelled = []
    for table in schema.tables:
        order = draw(st.permutations(sorted(table.settings)))
        constraints = {
            name: f"{text.split(' ', 1)[0]} ({text.split(' ', 1)[1]})" if draw(st.booleans()) else text
            for name, text in table.constraints.items()
        }
        changed = replace(
            table, settings={name: table.settings[name] for name in order}, constraints=constraints
        )
        if draw(st.booleans()):
            changed = replace(changed, columns=tuple(bracketed(column) for column in changed.columns))
        if table.partition_by and draw(st.booleans()):
            changed = replace(changed, partition_by=f"({table.partition_by})")
        if draw(st.booleans()):
            changed = replace(changed, ttl=changed.ttl.replace("INTERVAL 90 DAY", "toIntervalDay(90)"))
        text = changed.sql()
        if draw(st.booleans()):
            text = text.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS db.")
        if draw(st.booleans()):
            text = text.replace("ENGINE = MergeTree", "engine=MergeTree()")
        spelled.append(text)
    spelled += [text for _name, text in schema.views]
    between = draw(
        st.sampled_from((";", ";\n\n", " ; -- a comment; with a semicolon\n", ";;\r\n", "\n; /* ; */ "))
    )
    space = draw(st.sampled_from((", ", ",\n    ", " /* , */ , ", ",\t-- ;\n ")))
    # Only the list of columns is laid out anew: a comma inside of a string stays as it is.
    spelled = [
        text.replace("`k` ", "k ").replace("at DateTime, s String", f"at DateTime{space}s String")
        for text in spelled
    ]
    return between.join(draw(st.permutations(spelled)))


def bracketed(column: AColumn) -> AColumn:
    word, _space, body = column.default.partition(" ")
    return replace(column, default=f"{word} (({body}))") if body else column
