# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Desired files that must be refused, as tables and generators; nothing in here is random."""

from __future__ import annotations

from collections.abc import Iterator

GOOD = "CREATE TABLE t (a UInt8, d DateTime, s String) ENGINE = MergeTree ORDER BY a"
FULL = (
    "CREATE TABLE t (a UInt8 DEFAULT 1 COMMENT 'one', d DateTime CODEC(ZSTD(1)), s String TTL d + INTERVAL 1 DAY, "
    "INDEX i s TYPE set(0) GRANULARITY 1, CONSTRAINT c CHECK a < 9, PROJECTION p (SELECT a, count() GROUP BY a)) "
    "ENGINE = MergeTree PARTITION BY toYYYYMM(d) PRIMARY KEY a ORDER BY (a, d) TTL d + INTERVAL 90 DAY "
    "SETTINGS index_granularity = 8192 COMMENT 'x'"
)
# Where cutting FULL leaves something that is still a whole statement.
_WHOLE = (
    "ORDER BY (a, d)",
    "TTL d + INTERVAL 90 DAY",
    "index_granularity = 8192",
    "COMMENT 'x'",
    "ENGINE = MergeTree",
    "PARTITION BY toYYYYMM(d)",
    "PRIMARY KEY a",
    "TTL d",
    "PARTITION BY toYYYYMM",
)

STATEMENTS = """
SELECT 1
SELECT * FROM t
INSERT INTO t VALUES (1)
INSERT INTO t SELECT 1
INSERT INTO FUNCTION file('{canary}', 'CSV', 'a UInt8') VALUES (1)
INSERT INTO FUNCTION url('http://127.0.0.1:{port}/', 'CSV', 'a UInt8') SELECT 1
UPDATE t SET a = 1 WHERE 1
DELETE FROM t WHERE 1
ALTER TABLE t ADD INDEX i a TYPE minmax
ALTER TABLE t ADD INDEX i a TYPE minmax GRANULARITY 1
ALTER TABLE t ADD INDEX IF NOT EXISTS i a TYPE set(0) GRANULARITY 4
ALTER TABLE t ADD COLUMN b UInt8
ALTER TABLE t DROP COLUMN a
ALTER TABLE t DELETE WHERE 1
ALTER TABLE t MODIFY TTL d + INTERVAL 1 SECOND
ALTER TABLE t ATTACH PARTITION ALL FROM u
ALTER TABLE t FREEZE
ALTER USER u IDENTIFIED BY 'x'
CREATE INDEX i ON t (a)
CREATE INDEX i ON t (a) TYPE minmax
CREATE UNIQUE INDEX i ON t (a)
DROP INDEX i ON t
DROP TABLE t
DROP TABLE IF EXISTS t SYNC
DROP DATABASE db
DROP VIEW v
DROP USER u
TRUNCATE TABLE t
TRUNCATE DATABASE db
DETACH TABLE t
DETACH TABLE t PERMANENTLY
ATTACH TABLE t
ATTACH TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a
ATTACH TABLE t FROM '{canary}' (a UInt8) ENGINE = MergeTree ORDER BY a
ATTACH DATABASE db
RENAME TABLE t TO u
RENAME DATABASE db TO other
EXCHANGE TABLES t AND u
UNDROP TABLE t
OPTIMIZE TABLE t FINAL
CHECK TABLE t
DESCRIBE TABLE t
SHOW TABLES
SHOW CREATE TABLE t
SHOW GRANTS
EXISTS TABLE t
EXPLAIN SELECT 1
EXPLAIN AST CREATE TABLE t (a UInt8) ENGINE = Log
KILL QUERY WHERE 1
KILL MUTATION WHERE 1
SET max_threads = 1
SET allow_suspicious_codecs = 1
SET ROLE ALL
SYSTEM SHUTDOWN
SYSTEM KILL
SYSTEM RELOAD CONFIG
SYSTEM DROP MARK CACHE
SYSTEM STOP MERGES
SYSTEM FLUSH LOGS
GRANT ALL ON *.* TO u
GRANT SELECT ON db.t TO u WITH GRANT OPTION
REVOKE ALL ON *.* FROM u
BACKUP TABLE t TO File('{canary}')
BACKUP DATABASE db TO Disk('backups', 'x')
BACKUP ALL TO S3('http://127.0.0.1:{port}/x')
RESTORE TABLE t FROM File('{canary}')
CREATE USER u
CREATE USER u IDENTIFIED WITH no_password
CREATE USER OR REPLACE u IDENTIFIED BY 'secret'
CREATE ROLE r
CREATE QUOTA q KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 1 TO u
CREATE ROW POLICY p ON t USING 1 TO ALL
CREATE SETTINGS PROFILE p SETTINGS max_threads = 1
CREATE FUNCTION f AS (x) -> x + 1
CREATE NAMED COLLECTION n AS a = 1
CREATE WORKLOAD all
CREATE RESOURCE r (READ DISK d)
CREATE DICTIONARY d (k UInt64, v String) PRIMARY KEY k SOURCE(CLICKHOUSE(HOST 'elsewhere' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1)
CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(EXECUTABLE(COMMAND 'touch {canary}' FORMAT CSV)) LAYOUT(FLAT()) LIFETIME(1)
CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(HTTP(URL 'http://127.0.0.1:{port}/' FORMAT CSV)) LAYOUT(FLAT()) LIFETIME(1)
CREATE TEMPORARY TABLE t (a UInt8)
CREATE TEMPORARY TABLE t (a UInt8) ENGINE = Memory
CREATE OR REPLACE TABLE t (a UInt8) ENGINE = Log
CREATE OR REPLACE VIEW v AS SELECT 1 AS a
REPLACE TABLE t (a UInt8) ENGINE = Log
CREATE LIVE VIEW v AS SELECT 1 AS a
CREATE WINDOW VIEW v AS SELECT 1 AS a
BEGIN TRANSACTION
COMMIT
ROLLBACK
USE other
USE system
CREATE DATABASE other
CREATE DATABASE `db;`
CREATE DATABASE db ENGINE = Memory
CREATE DATABASE db ENGINE = MySQL('127.0.0.1:{port}', 'x', 'u', 'p')
CREATE DATABASE db ENGINE = PostgreSQL('127.0.0.1:{port}', 'x', 'u', 'p')
CREATE DATABASE db ENGINE = SQLite('{canary}')
CREATE DATABASE db ENGINE = Filesystem('/')
CREATE DATABASE db ENGINE = Replicated('/x', 's', 'r')
CREATE DATABASE db ENGINE = Lazy(1)
CREATE DATABASE db ON CLUSTER c
EXECUTE AS u SELECT 1
DELIMITER //
GO
\\d t
.tables
COPY t FROM '{canary}'
LOAD DATA INFILE '{canary}' INTO TABLE t
LOCK TABLES t WRITE
VACUUM
PRAGMA user_version
CALL f()
DO sleep(1)
MERGE INTO t USING u ON 1 WHEN MATCHED THEN DELETE
INSTALL PLUGIN p SONAME 'x.so'
"""

OTHER_DIALECTS = """
CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB
CREATE TABLE t (a SERIAL PRIMARY KEY, b TEXT)
CREATE TABLE t (a BIGSERIAL)
CREATE TABLE t (a INT, KEY k (a)) ENGINE = MyISAM DEFAULT CHARSET = utf8mb4
CREATE TABLE t (a INT REFERENCES u (a))
CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES u (a))
CREATE TABLE t (a INT UNIQUE)
CREATE TABLE t (a VARCHAR(255) NOT NULL DEFAULT '')
CREATE TABLE t (a JSONB)
CREATE TABLE t (a INT GENERATED ALWAYS AS IDENTITY)
CREATE TABLE t (a TIMESTAMP WITH TIME ZONE)
CREATE TABLE t (a INT) INHERITS (u)
CREATE TABLE t (a INT) PARTITION BY RANGE (a)
CREATE TABLE t (a INT) TABLESPACE x
CREATE TABLE t (a INT) WITH (fillfactor = 70)
CREATE TABLE t (a INT); CREATE INDEX CONCURRENTLY i ON t (a)
CREATE UNLOGGED TABLE t (a INT)
CREATE TABLE [dbo].[t] ([a] INT)
CREATE TABLE t (a NUMBER(10), b VARCHAR2(20))
CREATE EXTERNAL TABLE t (a INT) STORED AS PARQUET
CREATE TABLE t LIKE u
CREATE MATERIALIZED VIEW v AS SELECT 1 AS a WITH NO DATA
CREATE TYPE e AS ENUM ('a')
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET a = 1
CREATE PROCEDURE f() SELECT 1
CREATE EXTENSION x
COMMENT ON TABLE t IS 'x'
"""

# Engines and table functions that reach out of the process, with arguments that would do harm or hang.
ENGINES = """
File(CSV)
File(CSV, '{canary}')
URL('http://127.0.0.1:{port}/', CSV)
S3('http://127.0.0.1:{port}/b/k', 'CSV')
S3Queue('http://127.0.0.1:{port}/b/k', 'CSV')
AzureBlobStorage('x', 'y', 'z', 'CSV')
HDFS('hdfs://127.0.0.1:{port}/x', 'CSV')
MySQL('127.0.0.1:{port}', 'd', 't', 'u', 'p')
PostgreSQL('127.0.0.1:{port}', 'd', 't', 'u', 'p')
MaterializedPostgreSQL('127.0.0.1:{port}', 'd', 't', 'u', 'p')
MongoDB('127.0.0.1:{port}', 'd', 't', 'u', 'p')
Redis('127.0.0.1:{port}')
SQLite('{canary}', 't')
ODBC('DSN=x', 'd', 't')
JDBC('jdbc:x', 'd', 't')
Kafka('127.0.0.1:{port}', 'topic', 'group', 'CSV')
RabbitMQ
NATS
FileLog('/', 'CSV')
Distributed('c', 'db', 't')
Executable('touch {canary}', 'CSV')
ExecutablePool('touch {canary}', 'CSV')
Dictionary('d')
EmbeddedRocksDB PRIMARY KEY a
KeeperMap('/x') PRIMARY KEY a
Hudi('http://127.0.0.1:{port}/')
DeltaLake('http://127.0.0.1:{port}/')
IcebergS3('http://127.0.0.1:{port}/')
IcebergLocal('/')
GenerateRandom
Loop(t)
ReplicatedMergeTree('/x', 'r', 'z') ORDER BY a
ReplicatedLog('/x', 'r')
SharedMergeTree ORDER BY a
MaterializedMySQL('127.0.0.1:{port}', 'd', 'u', 'p')
NoSuchEngine
mergetree ORDER BY a
View
MaterializedView
Merge(system, '.*')
Merge('information_schema', '.*')
Merge(REGEXP('.*'), '.*')
Merge('other', '.*')
Buffer('other', 't', 1, 1, 1, 1, 1, 1, 1)
Buffer(system, one, 1, 1, 1, 1, 1, 1, 1)
"""

SOURCES = """
url('http://127.0.0.1:{port}/', 'CSV', 'a UInt8')
URL('http://127.0.0.1:{port}/', 'CSV', 'a UInt8')
`url`('http://127.0.0.1:{port}/', 'CSV', 'a UInt8')
s3('http://127.0.0.1:{port}/b/k', 'CSV', 'a UInt8')
s3Cluster('c', 'http://127.0.0.1:{port}/b/k', 'CSV', 'a UInt8')
gcs('http://127.0.0.1:{port}/b/k', 'CSV', 'a UInt8')
hdfs('hdfs://127.0.0.1:{port}/x', 'CSV', 'a UInt8')
file('{canary}', 'LineAsString')
file('/etc/passwd', 'CSV', 'a String')
remote('127.0.0.1:{port}', 'system', 'one')
remoteSecure('127.0.0.1:{port}', 'system', 'one')
cluster('c', 'system', 'one')
clusterAllReplicas('c', system.one)
mysql('127.0.0.1:{port}', 'd', 't', 'u', 'p')
postgresql('127.0.0.1:{port}', 'd', 't', 'u', 'p')
mongodb('127.0.0.1:{port}', 'd', 't', 'u', 'p', 'a UInt8')
redis('127.0.0.1:{port}', 'k', 'k UInt8')
sqlite('{canary}', 't')
odbc('DSN=x', 'd', 't')
jdbc('jdbc:x', 'd', 't')
executable('touch {canary}', 'CSV', 'a UInt8')
dictionary('d')
merge('system', '.*')
input('a UInt8')
view(SELECT 1 AS a)
iceberg('http://127.0.0.1:{port}/')
deltaLake('http://127.0.0.1:{port}/')
azureBlobStorage('x', 'y', 'z')
generateRandom('a UInt8')
loop(t)
mergeTreeIndex('db', 't')
python('x')
Python(x)
fileCluster('c', '{canary}', 'CSV', 'a UInt8')
urlCluster('c', 'http://127.0.0.1:{port}/', 'CSV', 'a UInt8')
fuzzJSON('x', 'y')
"""

QUERIES = """
SELECT * FROM v
SELECT * FROM db.v
SELECT * FROM missing
SELECT missing FROM t
SELECT nosuchfunction(a) FROM t
SELECT a, b FROM t
SELECT * FROM other.t
SELECT * FROM default.t
SELECT * FROM system.tables
SELECT * FROM SYSTEM.one
SELECT * FROM `system`.`users`
SELECT * FROM system.query_log
SELECT * FROM information_schema.tables
SELECT * FROM INFORMATION_SCHEMA.TABLES
SELECT t.a FROM t INNER JOIN system.one AS o ON 1 = 1
SELECT a FROM t WHERE a IN system.one
SELECT a FROM t WHERE a NOT IN (SELECT dummy FROM system.one)
SELECT a FROM t WHERE a IN (SELECT a FROM url('http://127.0.0.1:{port}/', 'CSV', 'a UInt8'))
WITH x AS (SELECT * FROM url('http://127.0.0.1:{port}/', 'CSV', 'a UInt8')) SELECT * FROM x
SELECT (SELECT a FROM file('{canary}', 'CSV', 'a UInt8')) AS a
SELECT a FROM t UNION ALL SELECT a FROM remote('127.0.0.1:{port}', 'system', 'one')
SELECT file('{canary}') AS a
SELECT file('/etc/passwd') AS a
SELECT catboostEvaluate('{canary}', 1) AS a
SELECT dictGet('d', 'a', 1) AS a
SELECT dictGet('system.d', 'a', 1) AS a
SELECT joinGet('system.x', 'a', 1) AS a
SELECT 1 AS a INTO OUTFILE '{canary}'
SELECT 1 AS a INTO OUTFILE '{canary}' TRUNCATE FORMAT CSV
SELECT a FROM t INTO OUTFILE '{canary}' APPEND
SELECT 1 AS a SETTINGS nosuchsetting = 1
SELECT 1 AS a SETTINGS max_threads = 'many'
SELECT 1 AS a, 2 AS a
SELECT sum(s) FROM t
SELECT a, count() FROM t
SELECT a FROM t GROUP BY s
SELECT sum(sum(a)) FROM t
SELECT a FROM t WHERE s = 1
SELECT CAST(a, 'NoSuchType') AS x FROM t
SELECT CAST(a, 'Foo(') AS x FROM t
"""

COLUMNS = """
a NoSuchType
a UInt9
a int88
a Decimal(99, 1)
a Decimal(5, 9)
a DateTime64(30)
a DateTime('Mars/Olympus')
a FixedString(0)
a FixedString(-1)
a FixedString
a Enum8('a' = 1000)
a Enum8('a' = 1, 'a' = 2)
a Enum8('a' = 1, 'b' = 1)
a Enum
a Enum8()
a Array
a Array()
a Array(UInt8, UInt8)
a Map(UInt8)
a Tuple(x UInt8, x UInt8)
a Nullable(Array(UInt8))
a Nullable(Nullable(UInt8))
a LowCardinality(Array(UInt8))
a LowCardinality(Float64)
a Nested(x)
a AggregateFunction
a AggregateFunction()
a AggregateFunction(nosuch, UInt8)
a AggregateFunction(sum, String)
a AggregateFunction(sum)
a AggregateFunction(sum, NoSuchType)
a AggregateFunction(quantiles, UInt8, UInt8, UInt8)
a AggregateFunction(sumIf, UInt8)
a AggregateFunction(1, UInt8)
a AggregateFunction('sum', UInt8)
a SimpleAggregateFunction(avg, Float64)
a SimpleAggregateFunction(sum, String)
a SimpleAggregateFunction(nosuch, UInt8)
a UInt8, a UInt8
a UInt8, A UInt8, a String
a UInt8 DEFAULT 'abc'
a UInt8 DEFAULT missing
a UInt8 DEFAULT nosuch(1)
a UInt8 DEFAULT (SELECT 1)
a UInt8 DEFAULT a
a UInt8 DEFAULT b, b UInt8 DEFAULT a
a UInt8 DEFAULT
a UInt8 DEFAULT 1 DEFAULT 2
a UInt8 DEFAULT 1 MATERIALIZED 2
a UInt8 DEFAULT sum(1)
a UInt8 DEFAULT file('{canary}')
a UInt8 DEFAULT 1 IN (SELECT a FROM url('http://127.0.0.1:{port}/', 'CSV', 'a UInt8'))
a ALIAS
a UInt8 MATERIALIZED
a UInt8 CODEC
a UInt8 CODEC()
a UInt8 CODEC(NoSuchCodec)
a UInt8 CODEC(ZSTD(99))
a UInt8 CODEC(Delta(3))
a UInt8 CODEC(ZSTD, ZSTD(
a String CODEC(Gorilla)
a UInt8 TTL a
a UInt8 TTL a + INTERVAL 1 DAY
a UInt8 TTL 'x'
a UInt8 TTL missing + INTERVAL 1 DAY
a UInt8 TTL now() + INTERVAL 1 DAY
a UInt8 COMMENT
a UInt8 COMMENT x
a UInt8 COMMENT 'x' COMMENT 'y'
a UInt8 COMMENT "x"
a UInt8 STATISTICS(nosuch)
a UInt8 SETTINGS (nosuch = 1)
a UInt8 NOT NULL NULL
a Nullable(UInt8) NULL
a UInt8 AUTO_INCREMENT
a UInt8 garbage
a UInt8 b UInt8
a UInt8,, b UInt8
, a UInt8
a-b UInt8
'a' UInt8
a.b.c.
a
*
1
a UInt8 INDEX i a TYPE minmax
a UInt8, INDEX i a TYPE
a UInt8, INDEX i a
a UInt8, INDEX i TYPE minmax
a UInt8, INDEX a TYPE minmax GRANULARITY 1
a UInt8, INDEX i a TYPE nosuch
a UInt8, INDEX i a TYPE minmax GRANULARITY
a UInt8, INDEX i a TYPE minmax GRANULARITY x
a UInt8, INDEX i a TYPE minmax GRANULARITY 0
a UInt8, INDEX i a TYPE minmax GRANULARITY -1
a UInt8, INDEX i a TYPE set
a UInt8, INDEX i a TYPE set('x')
a UInt8, INDEX i a TYPE set(0, 1)
a UInt8, INDEX i a TYPE bloom_filter(2)
a UInt8, INDEX i a TYPE bloom_filter('x')
a UInt8, INDEX i a TYPE tokenbf_v1(256, 2, 0)
a String, INDEX i a TYPE tokenbf_v1(0, 2, 0)
a String, INDEX i a TYPE tokenbf_v1(256, 2)
a String, INDEX i a TYPE ngrambf_v1(3, 256, 2)
a UInt8, INDEX i a TYPE ngrambf_v1(3, 256, 2, 0)
a UInt8, INDEX i missing TYPE minmax
a UInt8, INDEX i a TYPE minmax, INDEX i a TYPE set(0)
a UInt8, INDEX i nosuch(a) TYPE minmax
a UInt8, INDEX (a)
a UInt8, INDEX i (a)
a UInt8, KEY i (a)
a UInt8, PRIMARY KEY
a UInt8, CONSTRAINT c
a UInt8, CONSTRAINT c CHECK
a UInt8, CONSTRAINT c CHECK missing > 1
a UInt8, CONSTRAINT CHECK a > 1
a UInt8, CHECK (a > 1)
a UInt8, PROJECTION p
a UInt8, PROJECTION p ()
a UInt8, PROJECTION p (SELECT missing ORDER BY missing)
a UInt8, PROJECTION p (SELECT a FROM t)
a UInt8, PROJECTION p (SELECT a ORDER BY a), PROJECTION p (SELECT a ORDER BY a)
a UInt8, FOREIGN KEY (a) REFERENCES u
"""

# What may follow the columns (a UInt8, d DateTime, s String).
CLAUSES = """
ENGINE
ENGINE =
ENGINE = MergeTree(
ENGINE = MergeTree)
ENGINE = MergeTree ORDER
ENGINE = MergeTree ORDER BY
ENGINE = MergeTree ORDER BY missing
ENGINE = MergeTree ORDER BY (a, missing)
ENGINE = MergeTree ORDER BY (a, a)
ENGINE = MergeTree ORDER BY a,
ENGINE = MergeTree ORDER BY (a
ENGINE = MergeTree ORDER BY a ORDER BY d
ENGINE = MergeTree ORDER BY sum(a)
ENGINE = MergeTree ORDER BY (SELECT 1)
ENGINE = MergeTree ORDER BY a PARTITION BY missing
ENGINE = MergeTree ORDER BY a PARTITION BY
ENGINE = MergeTree ORDER BY a PRIMARY KEY d
ENGINE = MergeTree ORDER BY (a, d) PRIMARY KEY (d, a)
ENGINE = MergeTree ORDER BY a PRIMARY KEY missing
ENGINE = MergeTree ORDER BY a SAMPLE BY d
ENGINE = MergeTree ORDER BY a SAMPLE BY missing
ENGINE = MergeTree ORDER BY s SAMPLE BY s
ENGINE = MergeTree ORDER BY a TTL a
ENGINE = MergeTree ORDER BY a TTL a + INTERVAL 1 DAY
ENGINE = MergeTree ORDER BY a TTL missing + INTERVAL 1 DAY
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1 FORTNIGHT
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL x DAY TO
ENGINE = MergeTree ORDER BY a TTL 1
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1 DAY TO DISK 'nosuch'
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1 DAY TO VOLUME 'nosuch'
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1 DAY GROUP BY s SET a = max(a)
ENGINE = MergeTree ORDER BY a TTL d + INTERVAL 1 DAY RECOMPRESS
ENGINE = MergeTree ORDER BY a TTL now() + INTERVAL 1 DAY
ENGINE = MergeTree ORDER BY a SETTINGS
ENGINE = MergeTree ORDER BY a SETTINGS nosuch = 1
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 'x'
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 0
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = -1
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity 8192
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 8192,
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 8192 max_parts = 1
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 8192; SETTINGS x = 1
ENGINE = MergeTree ORDER BY a SETTINGS storage_policy = 'nosuch'
ENGINE = MergeTree ORDER BY a SETTINGS disk = 'nosuch'
ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '{canary}/')
ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = 'http://127.0.0.1:{port}/')
ENGINE = MergeTree ORDER BY a SETTINGS `disk` = `disk`(type = web, endpoint = 'http://127.0.0.1:{port}/')
ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 8192, DISK = DISK(type = s3)
ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(name = 'x', type = cache, path = '{canary}', disk = 'default')
ENGINE = MergeTree ORDER BY a COMMENT
ENGINE = MergeTree ORDER BY a COMMENT x
ENGINE = MergeTree ORDER BY a COMMENT 'x' COMMENT 'y'
ENGINE = MergeTree ORDER BY a garbage
ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a
ENGINE = MergeTree ORDER BY a EMPTY AS SELECT 1 AS a
ENGINE = MergeTree ORDER BY a AS u
ENGINE = MergeTree ORDER BY a INTO OUTFILE '{canary}'
ENGINE = MergeTree ORDER BY a FORMAT
ENGINE = MergeTree ORDER BY a WITH FILL
ENGINE = MergeTree ORDER BY a PARALLEL WITH DROP TABLE u
ENGINE = MergeTree ORDER BY a UNION ALL SELECT 1
ENGINE = MergeTree ORDER BY a) (
ENGINE = MergeTree(d, a, 8192, 1)
ENGINE = MergeTree ORDER BY a ENGINE = Log
ENGINE = ReplacingMergeTree(missing) ORDER BY a
ENGINE = ReplacingMergeTree(s) ORDER BY a
ENGINE = ReplacingMergeTree(d, s) ORDER BY a
ENGINE = SummingMergeTree(missing) ORDER BY a
ENGINE = CollapsingMergeTree ORDER BY a
ENGINE = CollapsingMergeTree(a) ORDER BY a
ENGINE = VersionedCollapsingMergeTree(a) ORDER BY a
ENGINE = GraphiteMergeTree('nosuch') ORDER BY a
ENGINE = Log ORDER BY a
ENGINE = Log PARTITION BY a
ENGINE = Log TTL d + INTERVAL 1 DAY
ENGINE = Join(ANY, LEFT, missing)
"""

NAMES = """
../../etc/passwd
/etc/passwd
..
.
./t
C:\\t
t/u
t.u.v
db.
.t
db..t
other.t
system.t
SYSTEM.t
information_schema.t
INFORMATION_SCHEMA.t
default.t
DB.t
`system`.`t`
`db.t`.`u`
`other`.t
"system".t
`a\nb`.`t`
`a\nb`
`a\\nb`
`a\tb`
`a\x1b[31mb`
`a\\0b`
`\u202etxt.lqs`
``
""
`t
"t
't'
@t
#t
t-u
t u
{{ t }}
{{ lookup('pipe', 'touch {canary}') }}
{% raw %}t{% endraw %}
{t:Identifier}
{db:Identifier}.{t:Identifier}
{t}
${t}
$(touch {canary})
%(t)s
<t>
t;u
\u0442
\u00fc
\uff54
t\u00a0u
\u8868
"""


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def truncated() -> Iterator[str]:
    """FULL, cut after every word and in the middle of strings and numbers."""
    cuts = sorted({index for index, char in enumerate(FULL) if char in " (),'="} - {0})
    for cut in cuts:
        text = FULL[:cut].rstrip()
        if not text.endswith(_WHOLE):
            yield text


def doubled() -> Iterator[str]:
    """Two statements without a semicolon, in several disguises."""
    for between in (
        " ",
        "\n",
        "\n\n",
        " -- ;\n",
        " /* ; */ ",
        " # ;\n",
        "\u037e",
        "\uff1b",
        ",",
        " GO ",
        "\n/\n",
        ":",
    ):
        yield GOOD + between + GOOD.replace("TABLE t", "TABLE u")
    yield GOOD + " " + "DROP TABLE u"
    yield GOOD + "\nINSERT INTO t VALUES (1, 2, 'x')"
    yield GOOD + " COMMENT 'a;b' DROP TABLE u"


def unclosed() -> Iterator[str]:
    yield from (f"{GOOD} COMMENT '{text}" for text in ("", "x", "it''s", "x\\'", ";", "--", "\n;\n"))
    yield from (
        f"{GOOD} /*{text}" for text in ("", " x", " /* */", " /* /* */ */", "\n*\n/", "; DROP TABLE t")
    )
    yield from (f"{GOOD}; /*{text}" for text in ("", " x", " /* */"))
    yield from (f"{GOOD} COMMENT $x${text}" for text in ("", "$y$", "x$", "$ x$", ";$X$"))
    yield from (
        f"{GOOD} */",
        f"*/ {GOOD}",
        f"/* /* */ {GOOD}",
        f"{GOOD} ORDER BY `a",
        f'{GOOD}; CREATE VIEW "v AS SELECT 1',
    )
    for mark in ("(", "[", "{", ")", "]", "}", "((", "))", "(]", "[)", "({", "'", '"', "`", "\\"):
        yield GOOD.replace("(a", mark + "(a", 1)
        yield GOOD.replace("ORDER BY a", f"ORDER BY {mark}a")
        yield f"{GOOD} {mark}"


def nested() -> Iterator[str]:
    for depth in (2_000, 10_000):
        yield "CREATE TABLE t (a UInt8 DEFAULT " + "(" * depth + "1" + ")" * depth + ") ENGINE = Log"
        yield "CREATE TABLE t (a UInt8 DEFAULT " + "(" * depth
        yield "CREATE TABLE t (a " + "Array(" * depth + "UInt8" + ")" * depth + ") ENGINE = Log"
        yield "CREATE VIEW v AS " + "SELECT * FROM (" * depth + "SELECT 1 AS a" + ")" * depth
        yield "CREATE VIEW v AS SELECT " + "[" * depth + "1" + "]" * depth + " AS a"
        yield "CREATE VIEW v AS SELECT " + "not " * depth + "1 AS a"
        yield "(" * depth
        yield ")" * depth
        yield "/*" * depth


def encodings() -> Iterator[str]:
    yield GOOD + "\0"
    yield "\0" + GOOD
    yield GOOD.replace("UInt8", "UInt\0008")
    yield f"{GOOD} COMMENT 'a\0b'"
    yield GOOD.encode("utf-16-le").decode("latin-1")
    yield GOOD.encode("utf-16-be").decode("latin-1")
    yield GOOD.encode("utf-16").decode("utf-8", "surrogateescape")
    yield "\u00ff\u00fe" + GOOD
    yield "\ufffe" + GOOD
    yield "\u00ef\u00bb\u00bf" + GOOD  # a BOM that was read as Latin-1
    yield "\ud800" + GOOD
    yield f"{GOOD} COMMENT '\udcff'"
    yield GOOD.replace("CREATE", "\u0421REATE")  # a Cyrillic letter
    yield GOOD.replace("TABLE", "TABL\u0415")
    yield GOOD.replace("(a", "\uff08a")
    yield GOOD.replace("=", "\uff1d")
    yield GOOD.replace("a UInt8", "\u0430 UInt8")
    yield GOOD.replace("ORDER BY a", "ORDER BY \u0430")
    yield GOOD.replace("ORDER BY a", "ORDER BY `\u0430`")
    yield f"{GOOD} COMMENT \u201cx\u201d"
    yield GOOD.replace("UInt8", "UInt\u0668")
    yield "\x1b[2J" + GOOD


def sizes() -> Iterator[str]:
    yield GOOD + " " * (1024 * 1024)
    yield GOOD + ";" + "-- x\n" * 300_000
    yield f"{GOOD} COMMENT '{'x' * 1024 * 1024}'"
    yield GOOD.replace("TABLE t", "TABLE " + "t" * 128)
    yield GOOD.replace("TABLE t", "TABLE " + "t" * 5_000)
    yield GOOD.replace("TABLE t", "TABLE " + "t" * 1_000_000)
    yield GOOD.replace("TABLE t", "TABLE `" + "\u00fc" * 128 + "`")
    yield GOOD + " SETTINGS " + ", ".join(f"nosuch{n} = 1" for n in range(1_000))
    yield "a;" * 300_000
    yield "/**/" * 200_000
    yield "".join(f"$a{n}$ " for n in range(3_000))
    yield "'" * 1_000_001


def empty() -> Iterator[str]:
    yield from (
        "",
        " ",
        "\n\n",
        ";",
        ";;;\n;",
        "-- x",
        "/* x */",
        "# x",
        "#! x\n;",
        "\ufeff",
        "USE db",
        "CREATE DATABASE db",
    )


def several() -> Iterator[str]:
    """More than one object: names that are there already, and views that need each other."""
    yield f"{GOOD}; {GOOD}"
    yield f"{GOOD}; CREATE TABLE db.t (x UInt8) ENGINE = Log"
    yield f"{GOOD}; CREATE VIEW t AS SELECT 1 AS a"
    yield f"{GOOD}; CREATE TABLE IF NOT EXISTS `t` (a UInt8) ENGINE = Log"
    yield "CREATE VIEW v AS SELECT * FROM v"
    yield "CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM v"
    yield "CREATE VIEW u AS SELECT * FROM v; CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM u"
    yield "CREATE MATERIALIZED VIEW v TO v AS SELECT 1 AS a"
    yield "CREATE MATERIALIZED VIEW v TO missing AS SELECT 1 AS a"
    yield "CREATE MATERIALIZED VIEW v ENGINE = Log AS SELECT a FROM v"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v TO t POPULATE AS SELECT * FROM t"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v ENGINE = Log POPULATE AS SELECT * FROM t"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v TO other.t AS SELECT * FROM t"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v TO system.one AS SELECT a AS dummy FROM system.one"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v TO t ENGINE = Log AS SELECT * FROM t"
    yield f"{GOOD}; CREATE MATERIALIZED VIEW v ON CLUSTER c TO t AS SELECT * FROM t"
    yield f"{GOOD}; CREATE VIEW v DEFINER = nobody SQL SECURITY DEFINER AS SELECT a FROM t"
    yield "CREATE TABLE t ON CLUSTER c (a UInt8) ENGINE = Log"
    yield "CREATE TABLE t ON CLUSTER '{{cluster}}' (a UInt8) ENGINE = Log"
    yield "CREATE TABLE t UUID 'x' (a UInt8) ENGINE = Log"
    yield "CREATE TABLE t CLONE AS u"
    yield "CREATE TABLE t AS t"
    yield f"{GOOD}; CREATE TABLE u AS t"
    yield f"{GOOD}; CREATE TABLE u AS t ENGINE = Log"
    yield "CREATE TABLE t ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a"
    yield "CREATE TABLE t ENGINE = Log AS SELECT * FROM numbers(10)"
    yield "CREATE TABLE t ENGINE = Log EMPTY AS SELECT * FROM numbers(10)"
    yield "CREATE TABLE t"
    yield "CREATE TABLE t ENGINE = MergeTree ORDER BY tuple()"
    yield "CREATE TABLE t () ENGINE = MergeTree ORDER BY tuple()"
    # Names that look like a syntax tree must not be taken for one.
    yield "CREATE TABLE `x\n Storage definition\n  Function Log` (a UInt8) ENGINE = URL('http://127.0.0.1:{port}/', CSV)"
    yield "CREATE TABLE t (`x\n Storage definition\n  Function Log` UInt8) ENGINE = File(CSV, '{canary}')"


def hostile(canary: str, port: int) -> list[tuple[str, str]]:
    """Every file that must be refused, with a name that is stable and unique.

    What would write a file would touch *canary*, what would open a connection would reach *port*.
    """
    query = "CREATE VIEW v AS {}"
    families: dict[str, Iterator[str]] = {
        "statement": iter(_lines(STATEMENTS)),
        "dialect": iter(_lines(OTHER_DIALECTS)),
        "engine": (f"CREATE TABLE t (a UInt8) ENGINE = {item}" for item in _lines(ENGINES)),
        "inner_engine": (
            f"CREATE MATERIALIZED VIEW v (a UInt8) ENGINE = {item} AS SELECT 1 AS a"
            for item in _lines(ENGINES)
        ),
        "source": (query.format(f"SELECT * FROM {item}") for item in _lines(SOURCES)),
        "fed": (
            f"{GOOD};\nCREATE MATERIALIZED VIEW v TO t AS SELECT a FROM t WHERE a IN (SELECT * FROM {item})"
            for item in _lines(SOURCES)
        ),
        "copied": (f"CREATE TABLE t AS {item}" for item in _lines(SOURCES)),
        "query": (f"{GOOD};\n{query.format(item)}" for item in _lines(QUERIES)),
        "columns": (
            f"CREATE TABLE t ({item}) ENGINE = MergeTree ORDER BY tuple()" for item in _lines(COLUMNS)
        ),
        "clause": (f"CREATE TABLE t (a UInt8, d DateTime, s String) {item}" for item in _lines(CLAUSES)),
        "name": (GOOD.replace("TABLE t", f"TABLE {item}") for item in NAMES.strip("\n").split("\n")),
        "truncated": truncated(),
        "doubled": doubled(),
        "unclosed": unclosed(),
        "nested": nested(),
        "encoding": encodings(),
        "size": sizes(),
        "empty": empty(),
        "several": several(),
    }
    return [
        (f"{family}-{number:03}", text.replace("{canary}", canary).replace("{port}", str(port)))
        for family, texts in families.items()
        for number, text in enumerate(texts, start=1)
    ]
