-- The index of a store of objects in a bucket. The schema of the tables is the first of the search path.
CREATE TABLE migrations (
    version integer PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE store (
    uuid uuid NOT NULL,
    one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
-- A row comes before its pack is uploaded, and goes after it has left the bucket.
CREATE TABLE packs (
    uuid uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'writing' CHECK (state IN ('writing', 'live', 'condemned')),
    bytes bigint NOT NULL,
    list_bytes bigint NOT NULL DEFAULT 0,
    writer text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    condemned timestamptz
);
CREATE TABLE objects (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    pack uuid REFERENCES packs (uuid),
    start bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL,
    size bigint NOT NULL,
    compressed boolean NOT NULL DEFAULT false,
    inline bytea,
    touched timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((pack IS NULL) = (inline IS NOT NULL))
);
ALTER TABLE objects ALTER inline SET STORAGE EXTERNAL;
CREATE INDEX objects_by_pack ON objects (pack) WHERE pack IS NOT NULL;
CREATE INDEX objects_inline ON objects (hash) WHERE pack IS NULL;
CREATE INDEX packs_not_live ON packs (state) WHERE state <> 'live';
INSERT INTO migrations (version) VALUES (1);
