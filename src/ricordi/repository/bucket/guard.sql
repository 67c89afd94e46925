-- What each node names, kept by the database itself: a node whose object is not in the index cannot be committed, and an
-- object that a node names cannot leave the index.
CREATE TABLE node_references (
    node integer NOT NULL REFERENCES public.db_dbnode (id) ON DELETE CASCADE,
    hash bytea NOT NULL REFERENCES objects (hash),
    PRIMARY KEY (node, hash)
);
CREATE INDEX node_references_by_hash ON node_references (hash);
CREATE TRIGGER references_gone AFTER DELETE ON node_references
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_references_gone();
-- What the table held before, if it was made before, is not known here.
INSERT INTO references_gone (transaction) VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;

-- A pattern that counts to 64 by itself takes three times as long.
CREATE FUNCTION keys_of(tree jsonb) RETURNS SETOF bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT decode(key, 'hex')
    FROM (SELECT jsonb_path_query(tree, {keys}) #>> '{{}}' AS key) AS named
    WHERE length(key) = 64 AND key !~ '[^0-9a-f]'
$$;

-- In the order of the keys, so that two who insert do not wait for each other in a circle.
CREATE FUNCTION note_new_nodes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO node_references (node, hash)
    SELECT added.id, key FROM added CROSS JOIN LATERAL keys_of(added.repository_metadata) AS key
    WHERE added.repository_metadata <> '{{}}' ORDER BY key, added.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE FUNCTION note_changed_node() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM node_references WHERE node = NEW.id AND hash NOT IN (SELECT keys_of(NEW.repository_metadata));
    INSERT INTO node_references (node, hash) SELECT NEW.id, key FROM keys_of(NEW.repository_metadata) AS key ORDER BY key
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER ricordi_bucket_new_nodes AFTER INSERT ON public.db_dbnode
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_new_nodes();
CREATE TRIGGER ricordi_bucket_changed_node AFTER UPDATE OF repository_metadata ON public.db_dbnode
    FOR EACH ROW WHEN (OLD.repository_metadata IS DISTINCT FROM NEW.repository_metadata)
    EXECUTE FUNCTION note_changed_node();
