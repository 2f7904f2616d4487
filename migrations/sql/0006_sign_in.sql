-- Signing in and out: signing keys, failures that slow down, single-use assertions, revoked tokens.

CREATE FUNCTION load_signing_keys()
RETURNS TABLE (kid text, public_jwk jsonb, sealed_private_key bytea, created_at timestamptz, retires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT kid, public_jwk, sealed_private_key, created_at, retires_at FROM signing_keys
  WHERE retires_at IS NULL OR retires_at > clock_timestamp()
$$;

-- The first key of an installation: two servers that start at once agree on one.
CREATE FUNCTION found_signing_key(p_kid text, p_public_jwk jsonb, p_sealed bytea, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.signing_keys', 0));
  IF EXISTS (SELECT FROM signing_keys WHERE retires_at IS NULL OR retires_at > clock_timestamp()) THEN
    RETURN false;
  END IF;
  INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, created_at) VALUES (p_kid, p_public_jwk, p_sealed, p_at);
  RETURN true;
END $$;

-- Adds a key and lets the others verify until p_retire: when the last token they signed has expired, or at once. Whoever
-- calls this has entered as the operator.
CREATE FUNCTION rotate_signing_key(p_kid text, p_public_jwk jsonb, p_sealed bytea, p_at timestamptz, p_retire timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.signing_keys', 0));
  UPDATE signing_keys SET retires_at = p_retire WHERE retires_at IS NULL OR retires_at > p_retire;
  INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, created_at) VALUES (p_kid, p_public_jwk, p_sealed, p_at);
  PERFORM audit('signing_key.rotate', 'done', NULL, '{}', '{}', jsonb_build_object('kid', p_kid,
    'others_retire_at', utc_text(p_retire)));
END $$;

-- The first of a sign-in's two statements, the same for every client there is or is not: how long (in seconds) this client
-- must wait after failures from its network, and what the proof it brought is checked against. state: ok, unknown,
-- unusable (revoked, expired or suspended), network. at: the database's clock, which tokens are issued by, so that one
-- issued before a revocation of all tokens is never younger than it.
CREATE FUNCTION begin_sign_in(p_subject bytea, p_client text, p_peer inet)
RETURNS TABLE (at timestamptz, wait double precision, state text, agency text, roles text[], secret_hashes bytea[], jwks jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT clock_timestamp(), coalesce(greatest(0, extract(epoch FROM f.blocked_until - clock_timestamp()))::double precision, 0),
    CASE WHEN c.client_id IS NULL THEN 'unknown' WHEN NOT c.usable THEN 'unusable'
      WHEN cardinality(c.allowed_networks) > 0 AND NOT coalesce(p_peer <<= ANY (c.allowed_networks), false) THEN 'network'
      ELSE 'ok' END,
    c.agency, coalesce(c.roles, '{}'), array_remove(ARRAY[c.secret_hash, c.former_secret_hash], NULL), c.jwks
  FROM (VALUES (p_subject)) AS s (subject) LEFT JOIN sign_in_failures f ON f.subject = s.subject
    LEFT JOIN credential_for_sign_in(p_client) c ON true
$$;

-- The second statement after a failure: counts it for this client and network, and records it. The first five cost
-- nothing; then each doubles the wait, up to five minutes. An hour without a failure is forgotten.
CREATE FUNCTION sign_in_failed(
  p_subject bytea, p_agency text, p_client text, p_action text, p_request text, p_peer inet, p_detail jsonb
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO sign_in_failures AS f (subject, failures, last_at, blocked_until)
  VALUES (p_subject, 1, clock_timestamp(), clock_timestamp())
  ON CONFLICT (subject) DO UPDATE SET
    failures = CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' THEN 1 ELSE f.failures + 1 END,
    last_at = clock_timestamp(),
    blocked_until = clock_timestamp() + CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' OR f.failures < 5 THEN interval '0'
      ELSE least(interval '5 minutes', interval '1 second' * 2 ^ least(f.failures - 5, 9)) END;
  INSERT INTO audit_entries (agency, client_id, action, outcome, request_id, peer, detail)
  VALUES (p_agency, p_client, p_action, 'invalid_client', p_request, p_peer, p_detail)
$$;

-- The second statement after a proof that holds: uses up the assertion, if one was the proof, forgets the failures, ends
-- the token that is given back, if one is, and records what the client came for. False, and nothing done, if the assertion was used before. last_used_at is kept to
-- the minute, so that the parallel sign-ins of one client do not queue for its row.
CREATE FUNCTION sign_in_succeeded(
  p_subject bytea, p_client text, p_action text, p_request text, p_peer inet, p_detail jsonb,
  p_assertion text, p_assertion_expires timestamptz, p_ended uuid, p_ended_expires timestamptz
) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF p_assertion IS NOT NULL THEN
    INSERT INTO used_assertions (client_id, jti, expires_at) VALUES (p_client, p_assertion, p_assertion_expires) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
  END IF;
  DELETE FROM sign_in_failures WHERE subject = p_subject;
  IF p_ended IS NOT NULL THEN
    INSERT INTO revoked_tokens (jti, client_id, expires_at) VALUES (p_ended, p_client, p_ended_expires) ON CONFLICT DO NOTHING;
  END IF;
  UPDATE credentials SET last_used_at = clock_timestamp()
  WHERE client_id = p_client AND coalesce(last_used_at < clock_timestamp() - interval '1 minute', true);
  INSERT INTO audit_entries (agency, client_id, action, outcome, request_id, peer, detail)
  SELECT agency, client_id, p_action, 'done', p_request, p_peer, p_detail FROM credentials WHERE client_id = p_client;
  RETURN true;
END $$;

-- Whether a token of the asking client still works, as enter() would find it from the same network.
CREATE FUNCTION token_holds(p_client text, p_jti uuid, p_issued timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM credentials c JOIN agencies a ON a.code = c.agency
    WHERE c.client_id = p_client AND c.status = 'active' AND a.status = 'active' AND p_issued >= c.tokens_valid_from
      AND coalesce(c.expires_at > clock_timestamp(), true) AND NOT EXISTS (SELECT FROM revoked_tokens t WHERE t.jti = p_jti))
$$;

-- Forgets what no longer matters: spent assertions and tokens, old failures, and, older than a day, keys of calls and what
-- persons were before a change.
CREATE FUNCTION forget_expired() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_count integer;
  v_all integer := 0;
BEGIN
  DELETE FROM used_assertions WHERE expires_at < clock_timestamp() - interval '10 minutes';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  DELETE FROM revoked_tokens WHERE expires_at < clock_timestamp() - interval '10 minutes';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  DELETE FROM sign_in_failures WHERE last_at < clock_timestamp() - interval '1 day';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  DELETE FROM idempotency_keys WHERE at < clock_timestamp() - interval '24 hours';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  DELETE FROM person_versions WHERE made_at < clock_timestamp() - interval '24 hours';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  DELETE FROM checklist_versions WHERE at < clock_timestamp() - interval '24 hours';
  GET DIAGNOSTICS v_count = ROW_COUNT; v_all := v_all + v_count;
  RETURN v_all;
END $$;

DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    AND p.proname IN ('load_signing_keys', 'found_signing_key', 'rotate_signing_key', 'begin_sign_in', 'sign_in_failed', 'sign_in_succeeded', 'token_holds',
      'forget_expired')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.name);
    EXECUTE format('ALTER FUNCTION %s OWNER TO interdesk_engine', v_function.name);
  END LOOP;
END $$;
SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION load_signing_keys, found_signing_key, begin_sign_in, sign_in_failed, sign_in_succeeded,
  token_holds TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION rotate_signing_key, forget_expired TO interdesk_worker;
RESET ROLE;
