-- Name search and filtered pages over `records`.
--
-- Three tables that only the engine role can read stand beside `records` and are kept by one trigger:
--   record_sight   one row per record and principal, in page order: what a caller sees is the merge of its principals'
--                  newest rows, which costs the same for a caller who sees everything and one who sees fifty rows;
--   record_search  one row per record: its folded names, their terms and its filter tags under one index;
--   name_words     the distinct alphabetic words of all names, so that a typing error is looked for in a vocabulary,
--                  which stops growing, and not in the names.
-- The two functions the API calls, page_ids and search_records, return ids of visible records only. Every cut-off in
-- them counts visible records: a hidden one changes neither an answer, nor its order, nor where it ends.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- ---------------------------------------------------------------------------------------------------- names

-- The form names are compared in: case, accents, width, punctuation and zero-width characters folded away.
CREATE FUNCTION fold_name(p_name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(regexp_replace(regexp_replace(
    -- NFKC puts jamo together again and folds widths; only marks of Latin, Greek and Cyrillic stand in 0300-036F, so
    -- vowel signs and tone marks of Thai, Khmer, Lao and Burmese stay. What has no decomposition is translated.
    replace(replace(replace(replace(translate(
        normalize(regexp_replace(normalize(lower(normalize(p_name, NFKC)), NFKD), '[\u0300-\u036f]', '', 'g'), NFKC),
        'đðøłıħŧƀɓɗςʼ’‘''`´', 'ddolihtbbdσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
    -- Zero-width characters (Khmer and Thai text uses them between words, or not) carry no meaning in a name.
    '[\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'),
    -- Punctuation, named by range: what a character class holds depends on the server's locale.
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u02b9-\u02ff\u060c\u061b\u061f\u0e2f\u0e4f\u0e5a'
    '\u0e5b\u104a-\u104f\u17d4-\u17da\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020'
    '\u30fb\ufe30-\ufe4f]+', ' ', 'g'),
    -- Initials: "m s 13" and "ms 13" are one name.
    '(?<![^ ])([a-z]) (?=[a-z](?![^ ]))', '\1', 'g'));

-- Scripts written without spaces, and Hangul, whose given names are searched without the family name in front.
CREATE FUNCTION is_unspaced(p_word text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN p_word ~ (
    '[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3040-\u31ff\u3400-\u9fff'
    '\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]');

CREATE FUNCTION character_grams(p_word text, p_size integer) RETURNS SETOF text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substr(p_word, generate_series(1, char_length(p_word) - p_size + 1), p_size);

-- What a record is found by. Signs that no folded name contains keep the sorts of terms apart: "@" filter tags, "=" a
-- whole name without spaces, "^" the beginning of a word; bare are words, neighbouring words joined ("ms 13" is found
-- by "ms13") and, of unspaced scripts, each character and each pair.
CREATE FUNCTION search_terms(p_names text[], p_tags text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    v_terms text[] := p_tags;
    v_name text;
    v_before text;
    v_word text;
    v_characters text[];
BEGIN
    FOREACH v_name IN ARRAY p_names LOOP
        v_terms := v_terms || ('=' || left(replace(v_name, ' ', ''), 200));
        v_before := '';
        FOREACH v_word IN ARRAY string_to_array(v_name, ' ') LOOP
            v_word := left(v_word, 100);
            v_terms := v_terms || v_word || (v_before || v_word);
            v_before := left(v_word, 30);
            IF is_unspaced(v_word) THEN
                v_characters := string_to_array(v_word, NULL);
                v_terms := v_terms || v_characters;
                FOR v_at IN 2..cardinality(v_characters) LOOP
                    v_terms := v_terms || (v_characters[v_at - 1] || v_characters[v_at]);
                END LOOP;
            ELSE
                FOR v_length IN 2..least(4, char_length(v_word) - 1) LOOP
                    v_terms := v_terms || ('^' || left(v_word, v_length));
                END LOOP;
            END IF;
        END LOOP;
    END LOOP;
    RETURN array_to_tsvector(v_terms);
END $$;

CREATE FUNCTION fold_names(p_names text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT DISTINCT folded FROM unnest(p_names) AS name, fold_name(name) AS folded WHERE folded <> '');

CREATE FUNCTION vocabulary_words(p_names text[]) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    -- Only what a person misspells: numbers and codes are found as they stand, and would make the vocabulary endless.
    SELECT DISTINCT left(word, 100)
    FROM unnest(p_names) AS name, unnest(string_to_array(name, ' ')) AS word
    WHERE char_length(word) > 2 AND word !~ '[0-9]' AND NOT is_unspaced(word);
END;

CREATE FUNCTION record_tags(p_originator text, p_facets text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT '@' || facet FROM unnest(p_facets) AS facet
    UNION
    SELECT '@@' || p_originator WHERE p_originator IS NOT NULL);

-- ---------------------------------------------------------------------------------------------------- index tables

CREATE TABLE record_sight (
    principal text NOT NULL,
    kind text NOT NULL,
    updated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    record_id uuid NOT NULL,
    originator text NOT NULL,
    excluded text[] NOT NULL,
    PRIMARY KEY (principal, kind, updated_at, record_id)
);
CREATE INDEX record_sight_by_creation ON record_sight (principal, kind, created_at, record_id);

CREATE TABLE record_search (
    record_id uuid PRIMARY KEY,
    kind text NOT NULL,
    originator text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    audience text[] NOT NULL,
    excluded text[] NOT NULL,
    -- Found by what it says only by those to whom it lies open.
    covered boolean NOT NULL,
    names text[] NOT NULL,
    terms tsvector NOT NULL
) WITH (fillfactor = 90);
-- One index over what is asked together: it reads few entries where any one of the conditions is rare. A short list of
-- pending entries (kB) halves the cost of a write and is too short to be felt in a search.
CREATE INDEX record_search_by_terms ON record_search USING gin (audience, terms) WITH (gin_pending_list_limit = 128);

CREATE TABLE name_words (word text NOT NULL);
-- Not unique on purpose: two transactions that bring the same word must not wait for each other.
CREATE INDEX name_words_by_word ON name_words (word text_pattern_ops);
CREATE INDEX name_words_by_likeness ON name_words USING gin (word gin_trgm_ops) WITH (fastupdate = off);

REVOKE ALL ON record_sight, record_search, name_words FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON record_sight, record_search, name_words TO interdesk_engine;

CREATE FUNCTION index_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_names text[];
    v_tags text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM record_sight
        WHERE principal = ANY (OLD.audience) AND kind = OLD.kind AND updated_at = OLD.updated_at AND record_id = OLD.id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM record_search WHERE record_id = OLD.id;
        RETURN NULL;
    END IF;
    IF NEW.state = 'purged' THEN
        -- Found by its id and its reference alone.
        DELETE FROM record_search WHERE record_id = NEW.id;
        RETURN NULL;
    END IF;
    INSERT INTO record_sight (principal, kind, updated_at, created_at, record_id, originator, excluded)
    SELECT DISTINCT principal, NEW.kind, NEW.updated_at, NEW.created_at, NEW.id, NEW.originator, NEW.excluded
    FROM unnest(NEW.audience) AS principal;
    -- A tombstone keeps its place in lists, but nothing that it said may find it.
    v_names := CASE WHEN NEW.state = 'current' THEN fold_names(NEW.names) ELSE '{}' END;
    v_tags := record_tags(NEW.originator, CASE WHEN NEW.state = 'current' THEN NEW.facets ELSE '{}' END);
    INSERT INTO record_search
        (record_id, kind, originator, created_at, updated_at, audience, excluded, covered, names, terms)
    VALUES
        (NEW.id, NEW.kind, NEW.originator, NEW.created_at, NEW.updated_at, NEW.audience, NEW.excluded, NEW.covered,
         v_names, search_terms(v_names, v_tags))
    ON CONFLICT (record_id) DO UPDATE SET
        (kind, originator, created_at, updated_at, audience, excluded, covered, names, terms) =
        (excluded.kind, excluded.originator, excluded.created_at, excluded.updated_at, excluded.audience,
         excluded.excluded, excluded.covered, excluded.names, excluded.terms);
    IF v_names <> '{}' THEN
        -- Shared with every other writer; forget_names() alone keeps them out, for the moment in which it deletes.
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('interdesk.name_words', 0));
    END IF;
    INSERT INTO name_words (word)
    SELECT word FROM vocabulary_words(v_names) AS words (word)
    WHERE NOT EXISTS (SELECT FROM name_words AS known WHERE known.word = words.word);
    RETURN NULL;
END $$;

CREATE TRIGGER records_are_indexed AFTER INSERT OR DELETE OR UPDATE ON records
FOR EACH ROW EXECUTE FUNCTION index_record();

-- Fills the index tables anew from `records`: after a bulk load with the trigger disabled, or by an operator in doubt.
CREATE FUNCTION rebuild_search() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_count bigint;
BEGIN
    LOCK TABLE records IN SHARE MODE;
    TRUNCATE record_sight, record_search, name_words;
    INSERT INTO record_sight (principal, kind, updated_at, created_at, record_id, originator, excluded)
    SELECT DISTINCT principal, kind, updated_at, created_at, id, originator, excluded
    FROM records, unnest(audience) AS principal WHERE state <> 'purged';
    INSERT INTO record_search
        (record_id, kind, originator, created_at, updated_at, audience, excluded, covered, names, terms)
    SELECT id, kind, originator, created_at, updated_at, audience, excluded, covered, folded.names,
           search_terms(folded.names, record_tags(originator, CASE WHEN state = 'current' THEN facets ELSE '{}' END))
    FROM records AS r, LATERAL (
        SELECT CASE WHEN r.state = 'current' THEN fold_names(r.names) ELSE '{}' END AS names OFFSET 0) AS folded
    WHERE r.state <> 'purged';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    INSERT INTO name_words (word) SELECT DISTINCT word FROM record_search, vocabulary_words(names) AS word;
    RETURN v_count;
END $$;

CREATE INDEX records_by_external_id ON records (external_id) WHERE external_id IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------- who may see

-- The policy's words over a caller whose settings were taken apart once: per row that costs more than the comparison.
-- Inlined, so that the index over `audience` serves it; without a caller both are null and nothing is visible.
CREATE FUNCTION may_see(p_audience text[], p_excluded text[], p_principals text[], p_agency text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_audience && p_principals AND NOT p_agency = ANY (p_excluded);

CREATE FUNCTION term_literal(p_term text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '''' || replace(replace(p_term, '\', '\\'), '''', '''''') || '''';

-- ---------------------------------------------------------------------------------------------------- search

-- How alike a name is to what was asked, 0-1, both folded. First what contains the query, by how much of the name it
-- is; then what resembles it, by trigrams over decomposed text (one wrong jamo does not cost a whole syllable) and, in
-- scripts in which three characters are too long, by the share of the asked characters and pairs that the name has.
CREATE FUNCTION name_score(p_query text, p_name text) RETURNS real
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    v_asked text := replace(p_query, ' ', '');
    v_compact text := replace(p_name, ' ', '');
    v_share real := char_length(v_asked)::real / char_length(v_compact);
    v_alike real;
BEGIN
    IF v_compact = v_asked THEN
        RETURN CASE WHEN p_name = p_query THEN 1 ELSE 0.97 END;
    ELSIF strpos(' ' || p_name || ' ', ' ' || p_query || ' ') > 0 THEN
        RETURN 0.85 + 0.1 * v_share;
    ELSIF strpos(' ' || p_name, ' ' || p_query) > 0 THEN
        RETURN 0.75 + 0.1 * v_share;
    ELSIF strpos(v_compact, v_asked) > 0 OR string_to_array(p_name, ' ') @> string_to_array(p_query, ' ') THEN
        RETURN 0.65 + 0.1 * v_share;
    END IF;
    v_alike := word_similarity(normalize(p_query, NFD), normalize(p_name, NFD));
    IF char_length(v_asked) > 2 AND is_unspaced(v_asked) THEN
        v_alike := greatest(v_alike, (
            SELECT sum((strpos(v_compact, gram) > 0)::integer * size)::real / sum(size)
            FROM generate_series(1, 2) AS size, character_grams(v_asked, size) AS gram));
    END IF;
    RETURN 0.6 * v_alike;
END $$;

CREATE FUNCTION all_grams(p_word text, p_size integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT '(' || string_agg(DISTINCT term_literal(gram), ' & ') || ')' FROM character_grams(p_word, p_size) AS gram;
END;

-- One wrong character leaves two of three characters, or one half of a longer word, intact; of a long word, two wrong
-- ones leave a third.
CREATE FUNCTION nearly_all_grams(p_word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN length < 3 THEN all_grams(p_word, length)
        WHEN length = 3 THEN (
            SELECT '(' || string_agg(all_grams(overlay(p_word PLACING '' FROM i FOR 1), 1), ' | ') || ')'
            FROM generate_series(1, 3) AS i)
        ELSE (
            SELECT '(' || string_agg(all_grams(part, 2), ' | ') || ')'
            FROM (SELECT CASE WHEN length < 9 THEN 2 ELSE 3 END AS parts) AS p,
                 generate_series(0, parts - 1) AS i,
                 substr(p_word, i * length / parts + 1, (i + 1) * length / parts - i * length / parts) AS part)
        END
    FROM char_length(p_word) AS length;
END;

-- The asked word, what begins with it, and words of the vocabulary that resemble it, as alternatives of a text search.
-- Hidden records have words in the vocabulary too: therefore likeness alone decides, never a number of words.
CREATE FUNCTION like_words(p_word text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT '(' || concat_ws(' | ', term_literal(p_word), term_literal('^' || p_word),
                            string_agg(DISTINCT term_literal(word), ' | ')) || ')'
    FROM name_words
    WHERE char_length(p_word) > 3
      AND (char_length(p_word) > 4 AND word LIKE p_word || '%'
           OR word % p_word AND abs(char_length(word) - char_length(p_word)) < 3);
END;

-- Text searches from strict to loose: the whole name; every word as asked; every word, its beginning or one like it;
-- all words but one.
CREATE FUNCTION name_searches(p_query text) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT
AS $$
DECLARE
    v_words text[] := (string_to_array(p_query, ' '))[1:8];
    v_count integer := cardinality(v_words);
    v_exact text[];
    v_near text[];
    v_searches text[];
BEGIN
    SELECT array_agg(CASE WHEN is_unspaced(word) THEN all_grams(word, least(2, char_length(word)))
                          ELSE term_literal(word) END ORDER BY position),
           array_agg(CASE WHEN is_unspaced(word) THEN nearly_all_grams(word)
                          ELSE like_words(word) END ORDER BY position)
    INTO v_exact, v_near
    FROM unnest(v_words) WITH ORDINALITY AS words (word, position);
    v_searches := ARRAY[term_literal('=' || replace(p_query, ' ', '')), array_to_string(v_exact, ' & '),
                        array_to_string(v_near, ' & ')];
    IF v_count > 1 THEN
        FOR v_left_out IN 1..v_count LOOP
            v_searches := v_searches || array_to_string(v_near[:v_left_out - 1] || v_near[v_left_out + 1:], ' & ');
        END LOOP;
    END IF;
    RETURN v_searches;
END $$;

-- The p_limit most recently changed visible records that a text search finds. While many of the newest records answer
-- it they are walked: collecting every match of a common word from the index would cost time in proportion to all
-- records. Which way was taken depends on hidden records too, so both give the same records.
CREATE FUNCTION found_records(
    p_kind text, p_search tsquery, p_principals text[], p_agency text, p_not_from text, p_only uuid[],
    p_updated_after timestamptz, p_may_be_common boolean, p_limit integer)
RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_batch integer := 50;
    v_walked integer := 0;
    v_read integer;
    v_last_at timestamptz := 'infinity';
    v_last_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    v_matching uuid[];
    v_found uuid[] := '{}';
BEGIN
    WHILE p_may_be_common LOOP
        SELECT count(*), coalesce(array_agg(walk.id) FILTER (WHERE walk.fits), '{}'),
               (array_agg(walk.id))[count(*)], (array_agg(walk.updated_at))[count(*)]
        INTO v_read, v_matching, v_last_id, v_last_at
        FROM (
            SELECT newest.id, newest.updated_at,
                   may_see(s.audience, s.excluded, p_principals, p_agency) AND s.terms @@ p_search
                   AND s.updated_at > p_updated_after AND s.originator IS DISTINCT FROM p_not_from
                   AND (p_only IS NULL OR s.record_id = ANY (p_only))
                   AND (NOT s.covered OR lies_open(s.record_id)) AS fits
            FROM (
                SELECT r.id, r.updated_at FROM records AS r
                WHERE r.kind = p_kind AND (r.updated_at, r.id) < (v_last_at, v_last_id)
                ORDER BY r.updated_at DESC, r.id DESC LIMIT v_batch
            ) AS newest
            CROSS JOIN LATERAL (SELECT q.* FROM record_search AS q WHERE q.record_id = newest.id OFFSET 0) AS s
            OFFSET 0
        ) AS walk;
        v_found := v_found || v_matching;
        v_walked := v_walked + v_read;
        IF cardinality(v_found) >= p_limit OR v_read < v_batch THEN
            RETURN v_found[:p_limit];
        END IF;
        EXIT WHEN cardinality(v_found) < v_walked / 50;
        v_batch := v_batch * 2;
    END LOOP;
    RETURN ARRAY(
        SELECT s.record_id
        FROM record_search AS s
        WHERE s.terms @@ p_search AND may_see(s.audience, s.excluded, p_principals, p_agency)
          AND s.kind = p_kind AND s.updated_at > p_updated_after AND s.originator IS DISTINCT FROM p_not_from
          AND (p_only IS NULL OR s.record_id = ANY (p_only))
          AND (NOT s.covered OR lies_open(s.record_id))
        ORDER BY s.updated_at DESC, s.record_id DESC
        LIMIT p_limit);
END $$;

-- Ids and scores (0-1, best first, then latest id first) of visible records whose name or alias is like p_query.
-- Ranked are at most 200 visible records a step (whole name, all words, resembling words): of a word that more contain,
-- the 200 most recently changed. A looser step is only taken while the stricter ones left room. A page is what follows
-- (p_after_score, p_after_id).
CREATE FUNCTION search_records(
    p_kind text, p_query text, p_facets text[], p_originator text, p_external_id text, p_reference text,
    p_shared_with_me boolean, p_updated_after timestamptz, p_limit integer, p_after_score real, p_after_id uuid)
RETURNS TABLE (id uuid, score real)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    c_ranked CONSTANT integer := 200;
    c_enough CONSTANT integer := 10;
    v_agency text := current_setting('interdesk.agency', true);
    v_query text := fold_name(left(p_query, 200));
    v_tags text := (
        SELECT string_agg(' & ' || term_literal(tag), '') FROM unnest(record_tags(p_originator, p_facets)) AS tag);
    v_only uuid[];
    v_searches text[];
    v_found uuid[] := '{}';
BEGIN
    IF v_query = '' THEN
        RETURN;
    END IF;
    IF p_reference IS NOT NULL OR p_external_id IS NOT NULL THEN
        v_only := ARRAY(
            SELECT r.id FROM records AS r WHERE r.reference = p_reference AND p_external_id IS NULL
            UNION ALL
            SELECT r.id FROM records AS r
            WHERE r.external_id = p_external_id AND r.reference = coalesce(p_reference, r.reference));
    END IF;
    v_searches := name_searches(v_query);
    FOR v_step IN 1..cardinality(v_searches) LOOP
        EXIT WHEN cardinality(v_found) >= c_ranked OR v_step = 4 AND cardinality(v_found) >= c_enough;
        v_found := v_found || found_records(
            p_kind, ('(' || v_searches[v_step] || ')' || coalesce(v_tags, ''))::tsquery,
            string_to_array(current_setting('interdesk.principals', true), ','), v_agency,
            CASE WHEN p_shared_with_me THEN v_agency END, v_only, coalesce(p_updated_after, '-infinity'),
            v_step > 1, CASE WHEN v_step < 4 THEN c_ranked ELSE c_ranked / 4 END);
    END LOOP;
    RETURN QUERY
    SELECT ranked.record_id, ranked.best
    FROM (
        SELECT s.record_id, (SELECT max(name_score(v_query, name)) FROM unnest(s.names) AS name) AS best
        FROM record_search AS s
        WHERE s.record_id = ANY (v_found)
        OFFSET 0
    ) AS ranked
    WHERE ranked.best >= 0.15
      AND (p_after_score IS NULL OR (ranked.best, ranked.record_id) < (p_after_score, p_after_id))
    ORDER BY ranked.best DESC, ranked.record_id DESC
    LIMIT p_limit;
END $$;

-- ---------------------------------------------------------------------------------------------------- pages

-- Ids of visible records in page order, after (p_after_at, p_after_id). Three ways, chosen by what the walk meets:
-- walk the newest records of the kind, which fills the page of whoever sees much of it; else merge what the principals
-- see (no filter by field), or take everything that matches from the index and sort it (filters that match little).
CREATE FUNCTION page_ids(
    p_kind text, p_order text, p_facets text[], p_originator text, p_external_id text, p_reference text,
    p_shared_with_me boolean, p_updated_after timestamptz, p_limit integer, p_after_at timestamptz, p_after_id uuid)
RETURNS TABLE (id uuid, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF p_order = 'created_at' THEN
        RETURN QUERY SELECT * FROM page_ids_by_created_at(p_kind, p_facets, p_originator, p_external_id, p_reference,
            p_shared_with_me, p_updated_after, p_limit, coalesce(p_after_at, 'infinity'),
            coalesce(p_after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
    ELSE
        RETURN QUERY SELECT * FROM page_ids_by_updated_at(p_kind, p_facets, p_originator, p_external_id, p_reference,
            p_shared_with_me, p_updated_after, p_limit, coalesce(p_after_at, 'infinity'),
            coalesce(p_after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
    END IF;
END $$;

-- One body for both orders: a column cannot be a parameter of a planned statement.
DO $create$
DECLARE
    v_body CONSTANT text := $body$
CREATE FUNCTION page_ids_by_%1$s(
    p_kind text, p_facets text[], p_originator text, p_external_id text, p_reference text, p_shared_with_me boolean,
    p_updated_after timestamptz, p_limit integer, p_after_at timestamptz, p_after_id uuid)
RETURNS TABLE (id uuid, at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $function$
DECLARE
    v_agency text := current_setting('interdesk.agency', true);
    v_principals text[] := string_to_array(current_setting('interdesk.principals', true), ',');
    v_facets text[] := coalesce(p_facets, '{}');
    v_since timestamptz := coalesce(p_updated_after, '-infinity');
    v_tagged boolean := v_facets <> '{}' OR p_originator IS NOT NULL;
    v_batch integer := CASE WHEN v_tagged THEN 4 * p_limit ELSE p_limit + p_limit / 4 + 1 END;
    v_last_at timestamptz := p_after_at;
    v_last_id uuid := p_after_id;
    v_read integer;
    v_walked integer := 0;
    v_batch_ids uuid[];
    v_batch_ats timestamptz[];
    v_ids uuid[] := '{}';
    v_ats timestamptz[] := '{}';
BEGIN
    IF p_reference IS NOT NULL OR p_external_id IS NOT NULL THEN
        RETURN QUERY
        SELECT r.id, r.%1$s
        FROM records AS r
        WHERE r.id IN (SELECT a.id FROM records AS a WHERE a.reference = p_reference
                       UNION SELECT b.id FROM records AS b WHERE b.external_id = p_external_id)
          AND r.reference = coalesce(p_reference, r.reference)
          AND (p_external_id IS NULL OR r.external_id = p_external_id)
          AND may_see(r.audience, r.excluded, v_principals, v_agency)
          AND r.kind = p_kind AND (r.%1$s, r.id) < (p_after_at, p_after_id) AND r.updated_at > v_since
          AND (p_originator IS NULL OR r.originator = p_originator)
          AND (p_shared_with_me IS NOT TRUE OR r.originator <> v_agency)
          AND (v_facets = '{}' OR r.facets @> v_facets AND r.state = 'current')
          AND (NOT r.covered OR v_facets = '{}' AND p_external_id IS NULL OR lies_open(r.id))
        ORDER BY r.%1$s DESC, r.id DESC
        LIMIT p_limit;
        RETURN;
    END IF;

    LOOP
        SELECT count(*), coalesce(array_agg(walk.id) FILTER (WHERE walk.fits), '{}'),
               coalesce(array_agg(walk.at) FILTER (WHERE walk.fits), '{}'),
               (array_agg(walk.id))[count(*)], (array_agg(walk.at))[count(*)]
        INTO v_read, v_batch_ids, v_batch_ats, v_last_id, v_last_at
        FROM (
            -- The cheap conditions first, each once per row (OFFSET 0 keeps the planner from copying the expression).
            SELECT r.id, r.at,
                   r.updated_at > v_since
                   AND (p_originator IS NULL OR r.originator = p_originator)
                   AND (p_shared_with_me IS NOT TRUE OR r.originator <> v_agency)
                   AND r.state <> 'purged' AND (v_facets = '{}' OR r.facets @> v_facets AND r.state = 'current')
                   AND may_see(r.audience, r.excluded, v_principals, v_agency)
                   AND (NOT r.covered OR v_facets = '{}' OR lies_open(r.id)) AS fits
            FROM (
                SELECT q.id, q.%1$s AS at, q.updated_at, q.originator, q.audience, q.excluded, q.covered, q.facets,
                       q.state
                FROM records AS q
                WHERE q.kind = p_kind AND (q.%1$s, q.id) < (v_last_at, v_last_id)
                ORDER BY q.%1$s DESC, q.id DESC
                LIMIT v_batch
            ) AS r
            OFFSET 0
        ) AS walk;
        v_ids := v_ids || v_batch_ids;
        v_ats := v_ats || v_batch_ats;
        v_walked := v_walked + v_read;
        IF cardinality(v_ids) >= p_limit OR v_read < v_batch THEN
            RETURN QUERY SELECT page.id, page.at FROM unnest(v_ids, v_ats) AS page (id, at) LIMIT p_limit;
            RETURN;
        END IF;
        EXIT WHEN NOT v_tagged OR v_walked >= 1000 AND cardinality(v_ids) < v_walked / 100;
        v_batch := v_batch * 2;
    END LOOP;

    IF v_tagged THEN
        RETURN QUERY
        SELECT s.record_id, s.%1$s
        FROM record_search AS s
        WHERE s.terms @@ (SELECT string_agg(term_literal(tag), ' & ')
                          FROM unnest(record_tags(p_originator, v_facets)) AS tag)::tsquery
          AND may_see(s.audience, s.excluded, v_principals, v_agency)
          AND s.kind = p_kind AND (s.%1$s, s.record_id) < (p_after_at, p_after_id) AND s.updated_at > v_since
          AND (p_shared_with_me IS NOT TRUE OR s.originator <> v_agency)
          AND (NOT s.covered OR v_facets = '{}' OR lies_open(s.record_id))
        ORDER BY s.%1$s DESC, s.record_id DESC
        LIMIT p_limit;
    ELSE
        RETURN QUERY
        SELECT DISTINCT seen.record_id, seen.at
        FROM unnest(v_principals) AS principal (principal)
        CROSS JOIN LATERAL (
            SELECT s.record_id, s.%1$s AS at
            FROM record_sight AS s
            WHERE s.principal = principal.principal AND s.kind = p_kind
              AND (s.%1$s, s.record_id) < (p_after_at, p_after_id) AND s.updated_at > v_since
              AND NOT v_agency = ANY (s.excluded)
              AND (p_shared_with_me IS NOT TRUE OR s.originator <> v_agency)
            ORDER BY s.%1$s DESC, s.record_id DESC
            LIMIT p_limit
        ) AS seen
        ORDER BY seen.at DESC, seen.record_id DESC
        LIMIT p_limit;
    END IF;
END $function$
    $body$;
BEGIN
    EXECUTE format(v_body, 'created_at');
    EXECUTE format(v_body, 'updated_at');
END $create$;

-- ---------------------------------------------------------------------------------------------------- rights

GRANT EXECUTE ON FUNCTION page_ids, search_records TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION rebuild_search TO interdesk_owner;
DO $rights$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN (
            'fold_name', 'is_unspaced', 'character_grams', 'search_terms', 'fold_names', 'vocabulary_words',
            'record_tags', 'index_record', 'rebuild_search', 'may_see', 'term_literal', 'name_score', 'all_grams',
            'nearly_all_grams', 'like_words', 'name_searches', 'found_records', 'search_records', 'page_ids',
            'page_ids_by_created_at', 'page_ids_by_updated_at')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
        EXECUTE format('ALTER FUNCTION %s OWNER TO interdesk_engine', v_function);
    END LOOP;
END $rights$;
