-- From version 1 of the index to version 2: what is known of verifications, and whether all that nodes name is noted.
ALTER TABLE packs ADD COLUMN read_whole timestamptz;
ALTER TABLE store ADD COLUMN structure_checked timestamptz, ADD COLUMN findings integer NOT NULL DEFAULT 0,
    ADD COLUMN inline_read timestamptz, ADD COLUMN damaged bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN unnoted boolean NOT NULL DEFAULT false;
INSERT INTO migrations (version) VALUES (2);
