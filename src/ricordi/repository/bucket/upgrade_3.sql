-- From version 2 of the index to version 3: how many findings of the last verification are about rows that may be lost.
ALTER TABLE store ADD COLUMN findings_of_rows integer NOT NULL DEFAULT 0;
INSERT INTO migrations (version) VALUES (3);
