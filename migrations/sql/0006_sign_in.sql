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

-- Adds a key and lets the others verify until p_retire, when the last token they signed has expired.
CREATE FUNCTION rotate_signing_key(p_kid text, p_public_jwk jsonb, p_sealed bytea, p_at timestamptz, p_retire timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.signing_keys', 0));
  UPDATE signing_keys SET retires_at = p_retire WHERE retires_at IS NULL;
  INSERT INTO signing_keys (kid, public_jwk, sealed_private_key, created_at) VALUES (p_kid, p_public_jwk, p_sealed, p_at);
END $$;

-- How long a client must wait before it may try to sign in again, in seconds; 0 if it may at once.
CREATE FUNCTION sign_in_wait(p_subject bytea) RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce((SELECT greatest(0, extract(epoch FROM blocked_until - clock_timestamp())) FROM sign_in_failures WHERE subject = p_subject), 0)
$$;

-- Counts a failed sign-in of a client from a source network. The first five cost nothing; then each doubles the wait,
-- up to five minutes. An hour without a failure is forgotten.
CREATE FUNCTION sign_in_failed(p_subject bytea) RETURNS double precision
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO sign_in_failures AS f (subject, failures, last_at, blocked_until)
  VALUES (p_subject, 1, clock_timestamp(), clock_timestamp())
  ON CONFLICT (subject) DO UPDATE SET
    failures = CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' THEN 1 ELSE f.failures + 1 END,
    last_at = clock_timestamp(),
    blocked_until = clock_timestamp() + CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' OR f.failures < 5 THEN interval '0'
      ELSE least(interval '5 minutes', interval '1 second' * 2 ^ least(f.failures - 5, 9)) END
  RETURNING extract(epoch FROM f.blocked_until - clock_timestamp())
$$;

CREATE FUNCTION sign_in_succeeded(p_subject bytea, p_client text, p_request text, p_peer inet, p_detail jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  DELETE FROM sign_in_failures WHERE subject = p_subject;
  UPDATE credentials SET last_used_at = clock_timestamp() WHERE client_id = p_client;
  INSERT INTO audit_entries (agency, client_id, action, outcome, request_id, peer, detail)
  SELECT agency, client_id, 'token.issue', 'done', p_request, p_peer, p_detail FROM credentials WHERE client_id = p_client
$$;

-- Uses up an assertion; false if it was used before.
CREATE FUNCTION use_assertion(p_client text, p_jti text, p_expires timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO used_assertions (client_id, jti, expires_at) VALUES (p_client, p_jti, p_expires) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END $$;

CREATE FUNCTION revoke_token(p_client text, p_jti uuid, p_expires timestamptz, p_request text, p_peer inet) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO revoked_tokens (jti, client_id, expires_at) VALUES (p_jti, p_client, p_expires) ON CONFLICT DO NOTHING;
  INSERT INTO audit_entries (agency, client_id, action, outcome, request_id, peer, detail)
  SELECT agency, client_id, 'token.revoke', 'done', p_request, p_peer, jsonb_build_object('jti', p_jti) FROM credentials WHERE client_id = p_client
$$;

-- Whether a token of the asking client still works, as enter() would find it from the same network.
CREATE FUNCTION token_holds(p_client text, p_jti uuid, p_issued timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM credentials c JOIN agencies a ON a.code = c.agency
    WHERE c.client_id = p_client AND c.status = 'active' AND a.status = 'active' AND p_issued >= c.tokens_valid_from
      AND coalesce(c.expires_at > clock_timestamp(), true) AND NOT EXISTS (SELECT FROM revoked_tokens t WHERE t.jti = p_jti))
$$;

-- Forgets what no longer matters: spent assertions and tokens, old failures, keys of calls older than a day.
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
  RETURN v_all;
END $$;

DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    AND p.proname IN ('load_signing_keys', 'found_signing_key', 'rotate_signing_key', 'sign_in_wait', 'sign_in_failed', 'sign_in_succeeded',
      'use_assertion', 'revoke_token', 'token_holds', 'forget_expired')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.name);
    EXECUTE format('ALTER FUNCTION %s OWNER TO interdesk_engine', v_function.name);
  END LOOP;
END $$;
SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION load_signing_keys, found_signing_key, sign_in_wait, sign_in_failed, sign_in_succeeded, use_assertion,
  revoke_token, token_holds TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION rotate_signing_key, forget_expired TO interdesk_worker;
RESET ROLE;
