-- From version 2 of the index to version 3: how many findings of the last verification are about rows that may be lost; and up
-- to when all that was put is known to be named, as long as nothing ceases to be named. `references_gone` has the transactions
-- in which something has.
ALTER TABLE store ADD COLUMN findings_of_rows integer NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN all_named timestamptz;
CREATE TABLE references_gone (transaction xid8 PRIMARY KEY);
-- Who takes references away waits for nobody: each transaction has a row of its own.
CREATE FUNCTION note_references_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM gone) THEN
        INSERT INTO references_gone (transaction) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
DO $$
BEGIN
    IF to_regclass('node_references') IS NOT NULL THEN
        CREATE TRIGGER references_gone AFTER DELETE ON node_references
            REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_references_gone();
    END IF;
END
$$;
INSERT INTO migrations (version) VALUES (3);
