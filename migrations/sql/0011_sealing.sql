-- The provable audit: entries become leaves of a Merkle tree, and each state of the tree a signed checkpoint.

-- The order in which entries arrive. The transaction gets its id before the number, so a number that was handed out
-- belongs to a transaction older than any that begins later; begin_sealing() rests on it. Nothing waits for anything here.
CREATE SEQUENCE audit_arrivals AS bigint;
ALTER TABLE audit_entries ADD COLUMN arrival bigint NOT NULL
  DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('audit_arrivals') END;
ALTER SEQUENCE audit_arrivals OWNED BY audit_entries.arrival;
CREATE INDEX audit_entries_by_arrival ON audit_entries (arrival);

-- Keys that sign checkpoints and nothing else. They are kept for ever: a checkpoint is worth as much as its key is known.
CREATE TABLE audit_keys (
  kid text PRIMARY KEY, public_jwk jsonb NOT NULL, sealed_private_key bytea NOT NULL, created_at timestamptz NOT NULL
);

-- One leaf per entry and reader: whoever acted, and each agency whose records it concerned. A leaf without an entry is
-- blind: it fills a batch up, so that the tree's size says little of how much others do.
CREATE TABLE audit_leaves (
  leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
  entry_id uuid,
  at timestamptz,
  reader text,
  salt bytea NOT NULL CHECK (octet_length(salt) IN (16, 32)),
  leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  CHECK ((entry_id IS NULL) = (at IS NULL) AND (entry_id IS NOT NULL OR reader IS NULL))
);
CREATE UNIQUE INDEX audit_leaves_of_entry ON audit_leaves (entry_id, reader) NULLS NOT DISTINCT WHERE entry_id IS NOT NULL;
CREATE INDEX audit_leaves_by_reader ON audit_leaves (reader, at, leaf_index) WHERE reader IS NOT NULL;

-- Complete subtrees of 16, 256, 4096 … leaves: level 4, 8, 12 … The ones between follow from at most eight hashes.
CREATE TABLE audit_nodes (
  level smallint NOT NULL CHECK (level > 0 AND level % 4 = 0),
  node_index bigint NOT NULL CHECK (node_index >= 0),
  node_hash bytea NOT NULL CHECK (octet_length(node_hash) = 32),
  PRIMARY KEY (level, node_index)
);

CREATE TABLE audit_checkpoints (
  tree_size bigint PRIMARY KEY CHECK (tree_size > 0),
  root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
  at timestamptz NOT NULL,
  kid text NOT NULL REFERENCES audit_keys (kid),
  signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);

-- Every entry that arrived up to `settled` has its leaf, and none can still be committed behind it. `candidate` becomes
-- settled when every transaction older than `candidate_xid` has ended and what they wrote is sealed.
CREATE TABLE audit_sealing (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  settled bigint NOT NULL DEFAULT 0,
  candidate bigint,
  candidate_xid xid8
);
INSERT INTO audit_sealing DEFAULT VALUES;

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['audit_keys', 'audit_leaves', 'audit_nodes', 'audit_checkpoints', 'audit_sealing'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
GRANT UPDATE ON audit_sealing TO interdesk_engine;
GRANT SELECT, USAGE ON SEQUENCE audit_arrivals TO interdesk_engine;
-- What was written stays: no function can change it, whatever mistake is in it.
REVOKE UPDATE, DELETE ON audit_entries FROM interdesk_engine;

SET LOCAL ROLE interdesk_engine;

-- ------------------------------------------------------------------------------------------------- what is in a leaf
-- Who may see an entry, and so has a leaf of it: the agency that acted (none, if nobody was recognised), and of what was
-- done to records, not of what was refused, their originators.
CREATE FUNCTION audit_readers(p_entry audit_entries) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT p_entry.agency
  UNION ALL
  SELECT DISTINCT o FROM unnest(p_entry.originators) AS o WHERE p_entry.outcome = 'done' AND o IS DISTINCT FROM p_entry.agency
$$;

-- What a leaf commits to: the entry as this reader sees it, and a salt, without which a neighbour's hash in a proof could
-- be guessed. The actor's leaf commits to the originators too, under a salt that nobody is given.
CREATE FUNCTION audit_leaf_document(p_entry audit_entries, p_reader text, p_salt bytea) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('reader', p_reader, 'salt', encode(substr(p_salt, 1, 16), 'hex'),
    'hidden', CASE WHEN own THEN
      encode(sha256(substr(p_salt, 17) || convert_to(array_to_string(p_entry.originators, ','), 'UTF8')), 'hex') END,
    'entry', jsonb_build_object(
      'id', p_entry.id, 'at', utc_text(p_entry.at),
      'agency', p_entry.agency, 'action', p_entry.action, 'outcome', p_entry.outcome, 'kind', p_entry.kind,
      'record_ids', CASE WHEN own THEN to_jsonb(p_entry.record_ids) ELSE coalesce((
        SELECT jsonb_agg(r.id ORDER BY r.n) FROM unnest(p_entry.record_ids, p_entry.originators) WITH ORDINALITY AS r (id, originator, n)
        WHERE r.originator = p_reader), '[]') END,
      'client_id', CASE WHEN own THEN p_entry.client_id END, 'officer', CASE WHEN own THEN p_entry.officer END,
      'purpose', CASE WHEN own THEN p_entry.purpose END, 'request_id', CASE WHEN own THEN p_entry.request_id END,
      'peer', CASE WHEN own THEN host(p_entry.peer) END, 'detail', CASE WHEN own THEN p_entry.detail END))
  FROM (SELECT p_reader IS NOT DISTINCT FROM p_entry.agency) AS t (own)
$$;

-- ----------------------------------------------------------------------------------------------------------- sealing
CREATE FUNCTION audit_tree_size() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(max(tree_size), 0) FROM audit_checkpoints
$$;

-- Lets one sealer in until the end of its transaction, as the first thing it does there, and moves `settled` on. Returns
-- the tree's size; NULL if another one seals.
CREATE FUNCTION begin_sealing() RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_last bigint;
  v_xid xid8;
  s audit_sealing;
BEGIN
  IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
    RAISE EXCEPTION 'sealing begins its transaction';
  END IF;
  IF NOT pg_try_advisory_xact_lock(hashtextextended('interdesk.seal_audit', 0)) THEN
    RETURN NULL;
  END IF;
  -- In this order: whoever took a number up to v_last had an id then, and so a smaller one than v_xid.
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO v_last FROM audit_arrivals;
  v_xid := pg_current_xact_id();
  SELECT * INTO s FROM audit_sealing;
  IF s.candidate_xid <= pg_snapshot_xmin(pg_current_snapshot()) AND NOT EXISTS (
    SELECT FROM audit_entries e WHERE e.arrival > s.settled AND e.arrival <= s.candidate
      AND (SELECT true FROM audit_leaves l WHERE l.entry_id = e.id LIMIT 1) IS NOT TRUE)
  THEN
    s.settled := s.candidate;
    s.candidate := NULL;
  END IF;
  -- An id from the future is another cluster's, from before a restore: nobody is left there to be waited for.
  IF s.candidate IS NULL OR s.candidate_xid > v_xid THEN
    s.candidate := v_last;
    s.candidate_xid := v_xid;
  END IF;
  UPDATE audit_sealing SET settled = s.settled, candidate = s.candidate, candidate_xid = s.candidate_xid;
  RETURN audit_tree_size();
END $$;

-- The committed entries without a leaf, in the order in which they arrived, as the leaves they are to become.
CREATE FUNCTION audit_to_seal(p_limit integer)
RETURNS TABLE (entry_id uuid, at timestamptz, reader text, salt bytea, document jsonb) LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  WITH waiting AS MATERIALIZED (
    SELECT e AS entry FROM audit_entries e WHERE e.arrival > (SELECT settled FROM audit_sealing)
      -- One value, so that it is looked up row by row: a join would read every leaf there is.
      AND (SELECT true FROM audit_leaves l WHERE l.entry_id = e.id LIMIT 1) IS NOT TRUE
    ORDER BY e.arrival LIMIT p_limit
  ), leaves AS MATERIALIZED (
    SELECT w.entry, r.reader, uuid_send(gen_random_uuid())
      || CASE WHEN r.reader IS NOT DISTINCT FROM (w.entry).agency THEN uuid_send(gen_random_uuid()) ELSE '' END AS salt
    FROM waiting w CROSS JOIN LATERAL audit_readers(w.entry) AS r (reader)
  )
  SELECT (l.entry).id, (l.entry).at, l.reader, l.salt, audit_leaf_document(l.entry, l.reader, l.salt) FROM leaves l
$$;

-- Hashes of complete subtrees, for each i those of level p_levels[i] from p_from[i] up to but not p_to[i].
CREATE FUNCTION audit_hashes(p_levels integer[], p_from bigint[], p_to bigint[])
RETURNS TABLE (level integer, node_index bigint, node_hash bytea) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.level, h.i, h.hash FROM unnest(p_levels, p_from, p_to) AS r (level, first, past) CROSS JOIN LATERAL (
    SELECT l.leaf_index AS i, l.leaf_hash AS hash FROM audit_leaves l WHERE r.level = 0 AND l.leaf_index >= r.first AND l.leaf_index < r.past
    UNION ALL
    SELECT n.node_index, n.node_hash FROM audit_nodes n WHERE r.level > 0 AND n.level = r.level AND n.node_index >= r.first AND n.node_index < r.past) AS h
$$;

-- Appends a batch, with the subtrees it completes and the checkpoint of the tree it makes.
CREATE FUNCTION append_audit_leaves(
  p_tree_size bigint, p_entries uuid[], p_ats timestamptz[], p_readers text[], p_salts bytea[], p_hashes bytea[],
  p_levels integer[], p_nodes bigint[], p_node_hashes bytea[], p_root bytea, p_at timestamptz, p_kid text, p_signature bytea
) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF p_tree_size <> audit_tree_size() THEN
    RAISE EXCEPTION 'the tree has grown meanwhile';
  END IF;
  INSERT INTO audit_leaves (leaf_index, entry_id, at, reader, salt, leaf_hash)
  SELECT p_tree_size + l.n - 1, l.entry_id, l.at, l.reader, l.salt, l.leaf_hash
  FROM unnest(p_entries, p_ats, p_readers, p_salts, p_hashes) WITH ORDINALITY AS l (entry_id, at, reader, salt, leaf_hash, n);
  INSERT INTO audit_nodes (level, node_index, node_hash) SELECT * FROM unnest(p_levels, p_nodes, p_node_hashes);
  INSERT INTO audit_checkpoints (tree_size, root_hash, at, kid, signature)
  VALUES (p_tree_size + cardinality(p_hashes), p_root, p_at, p_kid, p_signature);
END $$;

CREATE FUNCTION load_audit_keys() RETURNS TABLE (kid text, sealed_private_key bytea, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT kid, sealed_private_key, created_at FROM audit_keys
$$;
-- A new key signs from the next checkpoint on; those before it stay published for ever.
CREATE FUNCTION add_audit_key(p_kid text, p_public_jwk jsonb, p_sealed bytea, p_at timestamptz) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO audit_keys (kid, public_jwk, sealed_private_key, created_at) VALUES (p_kid, p_public_jwk, p_sealed, p_at);
  INSERT INTO audit_entries (agency, client_id, action, outcome, detail)
  SELECT code, 'operator', 'audit_key.add', 'done', jsonb_build_object('kid', p_kid) FROM agencies WHERE hub
$$;
CREATE FUNCTION audit_public_keys() RETURNS TABLE (public_jwk jsonb, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT public_jwk, created_at FROM audit_keys ORDER BY created_at DESC, kid
$$;

-- How many entries wait for their leaf, ten thousand at most, and for how long the oldest of them has.
CREATE FUNCTION sealing_lag() RETURNS TABLE (waiting bigint, seconds double precision) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(w.at)), 0)::double precision FROM (
    SELECT e.at FROM audit_entries e WHERE e.arrival > (SELECT settled FROM audit_sealing)
      AND (SELECT true FROM audit_leaves l WHERE l.entry_id = e.id LIMIT 1) IS NOT TRUE
    ORDER BY e.arrival LIMIT 10000) AS w
$$;

-- ------------------------------------------------------------------------------------------------------------ proving
-- The caller's leaf of an entry; no row if it may not know of the entry, leaf_index NULL if it is not sealed yet.
CREATE FUNCTION own_audit_leaf(p_entry uuid) RETURNS TABLE (leaf_index bigint, document jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT l.leaf_index, audit_leaf_document(e, caller_agency(), l.salt)
  FROM audit_entries e LEFT JOIN audit_leaves l ON l.entry_id = e.id AND l.reader = caller_agency()
  WHERE e.id = p_entry AND (caller_has_role('auditor') OR caller_has_role('agency_admin'))
    AND (e.agency = caller_agency() OR e.outcome = 'done' AND caller_agency() = ANY (e.originators))
$$;

-- The caller's leaves in a tree of p_tree_size, oldest entry first, after the place p_at and p_index; those of one
-- officer, or about one record, where that is given. A leaf whose entry is gone comes without a document, and only where
-- nothing is given. The choice goes by what the caller is shown: another agency's officer can be neither seen nor tried.
CREATE FUNCTION own_audit_leaves(
  p_tree_size bigint, p_since timestamptz, p_until timestamptz, p_officer text, p_record uuid, p_at timestamptz,
  p_index bigint, p_limit integer
) RETURNS TABLE (leaf_index bigint, at timestamptz, document jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT l.leaf_index, l.at, e.document FROM audit_leaves l LEFT JOIN LATERAL (
    SELECT audit_leaf_document(a, l.reader, l.salt) AS document FROM audit_entries a WHERE a.id = l.entry_id AND a.at = l.at) AS e ON true
  WHERE l.reader = caller_agency() AND (caller_has_role('auditor') OR caller_has_role('agency_admin'))
    AND l.leaf_index < p_tree_size AND l.at >= coalesce(p_since, '-infinity') AND l.at < coalesce(p_until, 'infinity')
    AND (l.at, l.leaf_index) > (coalesce(p_at, '-infinity'), coalesce(p_index, -1))
    AND (p_officer IS NULL OR e.document -> 'entry' ->> 'officer' = p_officer)
    AND (p_record IS NULL OR e.document -> 'entry' -> 'record_ids' ? p_record::text)
  ORDER BY l.at, l.leaf_index LIMIT p_limit
$$;

-- Checkpoints of at least p_from leaves and less than p_before, the newest first.
CREATE FUNCTION audit_checkpoints_page(p_from bigint, p_before bigint, p_limit integer)
RETURNS TABLE (tree_size bigint, root_hash bytea, at timestamptz, kid text, signature bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.tree_size, c.root_hash, c.at, c.kid, c.signature FROM audit_checkpoints c
  WHERE c.tree_size >= coalesce(p_from, 0) AND c.tree_size < coalesce(p_before, 9223372036854775807)
    AND (caller_has_role('auditor') OR caller_has_role('agency_admin') OR caller_has_role('platform_admin') OR caller_has_role('operator'))
  ORDER BY c.tree_size DESC LIMIT p_limit
$$;

-- --------------------------------------------------------------------------------------------- checking the whole log
-- Leaves from p_from on and before p_past, with what they should commit to: NULL where the entry is gone. `complete`: all
-- readers of the entry have their leaf, and nobody else.
CREATE FUNCTION audit_log_page(p_from bigint, p_past bigint)
RETURNS TABLE (leaf_index bigint, entry_id uuid, at timestamptz, leaf_hash bytea, document jsonb, complete boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT l.leaf_index, l.entry_id, l.at, l.leaf_hash,
    CASE WHEN l.entry_id IS NULL THEN jsonb_build_object('pad', encode(l.salt, 'hex')) ELSE e.document END,
    e.complete
  FROM audit_leaves l LEFT JOIN LATERAL (
    SELECT audit_leaf_document(a, l.reader, l.salt) AS document,
      ARRAY(SELECT r FROM audit_readers(a) AS r ORDER BY r) = ARRAY(SELECT o.reader FROM audit_leaves o WHERE o.entry_id = l.entry_id ORDER BY o.reader) AS complete
    FROM audit_entries a WHERE a.id = l.entry_id AND a.at = l.at) AS e ON true
  WHERE l.leaf_index >= p_from AND l.leaf_index < p_past ORDER BY l.leaf_index
$$;

-- Checkpoints of more than p_after leaves, the smallest first.
CREATE FUNCTION audit_checkpoints_after(p_after bigint, p_limit integer)
RETURNS TABLE (tree_size bigint, root_hash bytea, at timestamptz, kid text, signature bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.tree_size, c.root_hash, c.at, c.kid, c.signature FROM audit_checkpoints c
  WHERE c.tree_size > p_after ORDER BY c.tree_size LIMIT p_limit
$$;

-- Of the next p_limit entries after p_arrival (and those that claim the last one's number too) those without a leaf of their own id and time. `settled`: they should have
-- one, or another entry has theirs. The last row is the place reached and how many were looked at; no row at the end.
CREATE FUNCTION audit_strays(p_arrival bigint, p_limit integer)
RETURNS TABLE (arrival bigint, entry_id uuid, at timestamptz, settled boolean, entries bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH page AS MATERIALIZED (
    SELECT e.arrival, e.id, e.at, (SELECT count(*) FROM audit_leaves l WHERE l.entry_id = e.id) AS leaves,
      (SELECT count(*) FROM audit_leaves l WHERE l.entry_id = e.id AND l.at = e.at) AS own
    FROM audit_entries e WHERE e.arrival > p_arrival ORDER BY e.arrival FETCH FIRST p_limit ROWS WITH TIES
  )
  SELECT p.arrival, p.id, p.at, p.leaves > 0 OR p.arrival <= (SELECT s.settled FROM audit_sealing s), NULL
  FROM page p WHERE p.own = 0
  UNION ALL SELECT max(p.arrival), NULL, NULL, NULL, count(*) FROM page p HAVING count(*) > 0
$$;

REVOKE ALL ON FUNCTION audit_readers, audit_leaf_document, audit_tree_size, begin_sealing, audit_to_seal, audit_hashes,
  append_audit_leaves, load_audit_keys, add_audit_key, audit_public_keys, sealing_lag, own_audit_leaf, own_audit_leaves,
  audit_checkpoints_page, audit_checkpoints_after, audit_log_page, audit_strays FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_hashes, audit_public_keys, sealing_lag, own_audit_leaf, own_audit_leaves, audit_checkpoints_page
  TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION audit_tree_size, begin_sealing, audit_to_seal, append_audit_leaves, load_audit_keys, add_audit_key,
  audit_checkpoints_after, audit_log_page, audit_strays TO interdesk_worker;
RESET ROLE;
