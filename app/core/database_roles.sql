-- Interdesk: roles and privileges on a managed PostgreSQL 15 or later.
--
-- Run once, connected to the database @database@, as the role that created it (a superuser, or a role with
-- CREATEROLE and CREATEDB). Running it again changes nothing. To create the database first:
--
--   CREATE DATABASE @database@ TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';
--
-- No password is set here. Give one to every role that signs in with psql's \password, which sends a hash and
-- leaves nothing in a history file or a server log:
--
--   \password interdesk_owner      migrations only: INTERDESK_OWNER_DATABASE_URL
--   \password interdesk_api        the server:      DATABASE_URL
--   \password interdesk_worker     background work
--   \password interdesk_backup     pg_dump
--
-- The engine owns the functions that look below row-level security; it can never sign in.
-- The server's log should not hold content: log_min_error_statement = panic, log_error_verbosity = terse.

BEGIN;

SET LOCAL client_min_messages = warning;

-- Roles. SUPERUSER, BYPASSRLS and the like are not spelled out in the negative, because a managed server's
-- administrator may not even mention them; they are absent by default, and a block below checks that.

DO $roles$
DECLARE
    wanted text;
BEGIN
    IF current_setting('server_version_num')::int < 150000 THEN
        RAISE EXCEPTION 'PostgreSQL 15 or later is needed, this is %', current_setting('server_version');
    END IF;
    IF current_database() <> @database_literal@ THEN
        RAISE EXCEPTION 'connect to the database % first, this is %', @database_literal@, current_database();
    END IF;
    FOREACH wanted IN ARRAY ARRAY['interdesk_owner', 'interdesk_engine', 'interdesk_api', 'interdesk_worker', 'interdesk_backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
        EXECUTE format('ALTER ROLE %I %s', wanted, CASE wanted WHEN 'interdesk_engine' THEN 'NOLOGIN' ELSE 'LOGIN' END);
    END LOOP;
    -- The owner may become the engine, but does not see with its eyes: policies written for the engine must not
    -- apply to the owner. Before version 16 inheriting is a property of the role and not of the grant.
    ALTER ROLE interdesk_owner NOINHERIT;
    IF NOT EXISTS (
        SELECT FROM pg_auth_members WHERE roleid = 'interdesk_engine'::regrole AND member = 'interdesk_owner'::regrole
    ) THEN
        EXECUTE 'GRANT interdesk_engine TO interdesk_owner'
            || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    END IF;
    IF NOT (SELECT rolbypassrls FROM pg_roles WHERE rolname = 'interdesk_backup') THEN
        BEGIN
            ALTER ROLE interdesk_backup BYPASSRLS;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'interdesk_backup has no BYPASSRLS, so its pg_dump is refused. A role that has it must run: ALTER ROLE interdesk_backup BYPASSRLS';
        END;
    END IF;
END
$roles$;

-- Settings go on roles: a database made from a template does not inherit the settings of the template.
-- pg_temp last, so that no temporary object stands in front of a real one.

DO $settings$
DECLARE
    setting record;
BEGIN
    FOR setting IN
        SELECT member.name AS role, chosen.name, chosen.value
        FROM (VALUES ('interdesk_owner'), ('interdesk_api'), ('interdesk_worker'), ('interdesk_backup')) AS member (name)
        CROSS JOIN (VALUES ('search_path', 'public, pg_temp'), ('timezone', 'UTC'), ('jit', 'off')) AS chosen (name, value)
        UNION ALL VALUES
            ('interdesk_api', 'statement_timeout', '15s'),
            ('interdesk_api', 'lock_timeout', '10s'),
            ('interdesk_api', 'idle_in_transaction_session_timeout', '15s'),
            ('interdesk_api', 'transaction_timeout', '30s'),
            ('interdesk_worker', 'statement_timeout', '5min'),
            ('interdesk_worker', 'lock_timeout', '30s'),
            ('interdesk_worker', 'idle_in_transaction_session_timeout', '1min'),
            ('interdesk_worker', 'transaction_timeout', '10min'),
            ('interdesk_owner', 'idle_in_transaction_session_timeout', '10min'),
            ('interdesk_backup', 'default_transaction_read_only', 'on'),
            ('interdesk_backup', 'idle_in_transaction_session_timeout', '10min')
    LOOP
        -- transaction_timeout came with version 17.
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_settings WHERE lower(pg_settings.name) = setting.name);
        EXECUTE format(
            CASE setting.name WHEN 'search_path' THEN 'ALTER ROLE %I SET %I = %s' ELSE 'ALTER ROLE %I SET %I = %L' END,
            setting.role, setting.name, setting.value);
    END LOOP;
END
$settings$;

-- An administrator who is no superuser needs the owner's and the engine's rights for what follows, and returns
-- them at the end. Version 16 keeps what its creator holds on a role apart from what is granted here.

DO $borrow$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE 'GRANT interdesk_owner, interdesk_engine TO CURRENT_USER WITH INHERIT TRUE, SET TRUE';
        ELSE
            GRANT interdesk_owner, interdesk_engine TO CURRENT_USER;
        END IF;
    END IF;
END
$borrow$;

@contents@
@database_privileges@
@extensions@
DO $check$
DECLARE
    unfit text;
BEGIN
    SELECT string_agg(rolname, ', ') INTO unfit FROM pg_roles
    WHERE rolname IN ('interdesk_owner', 'interdesk_engine', 'interdesk_api', 'interdesk_worker', 'interdesk_backup')
      AND (rolsuper OR rolcreaterole OR rolreplication OR (rolbypassrls AND rolname <> 'interdesk_backup'));
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION 'more power than Interdesk allows (SUPERUSER, CREATEROLE, REPLICATION or BYPASSRLS): %', unfit;
    END IF;
    SELECT string_agg(login || ' of ' || protected, ', ') INTO unfit
    FROM unnest(ARRAY['interdesk_api', 'interdesk_worker', 'interdesk_backup']) AS login,
         unnest(ARRAY['interdesk_owner', 'interdesk_engine']) AS protected
    WHERE pg_has_role(login, protected, 'MEMBER');
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION 'these are members and must not be: %', unfit;
    END IF;
    IF pg_has_role('interdesk_owner', 'interdesk_engine', 'USAGE') THEN
        RAISE EXCEPTION 'interdesk_owner inherits from interdesk_engine: REVOKE interdesk_engine FROM interdesk_owner, and run this again';
    END IF;
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the encoding of the database must be UTF8, it is %', current_setting('server_encoding');
    END IF;
    -- Under LC_CTYPE C a trigram of anything but ASCII is empty, and a search for such a name finds nothing.
    IF public.show_trgm('김민준') = '{}' THEN
        RAISE EXCEPTION 'names outside ASCII cannot be searched in this database: create it again with LC_CTYPE ''C.UTF-8''';
    END IF;
END
$check$;

DO $return$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        -- Without this the administrator could not even come back to run the script again.
        GRANT CONNECT ON DATABASE @database@ TO CURRENT_USER;
        REVOKE interdesk_owner, interdesk_engine FROM CURRENT_USER;
    END IF;
END
$return$;

COMMIT;
