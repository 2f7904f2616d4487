"""Everything that guards a database, as text: who owns what, who may do what, policies, functions, triggers."""

import psycopg

_PARTS = {
    "relations": """
SELECT c.oid::regclass::text, c.relkind::text, c.relowner::regrole::text, c.relrowsecurity, c.relforcerowsecurity,
  c.relispartition, c.reloptions, pg_get_expr(c.relpartbound, c.oid),
  ARRAY(SELECT a::text FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) AS a ORDER BY 1)
FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I') AND c.relnamespace <> 'pg_toast'::regnamespace""",
    "sequences": """
SELECT c.oid::regclass::text, c.relowner::regrole::text, s.seqtypid::regtype::text, s.seqincrement, s.seqcache,
  ARRAY(SELECT a::text FROM unnest(coalesce(c.relacl, acldefault('s', c.relowner))) AS a ORDER BY 1)
FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid""",
    "columns": """
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
  a.attgenerated::text, a.attcompression::text, a.attstorage::text, pg_get_expr(d.adbin, d.adrelid), a.attacl::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')""",
    "constraints": """
SELECT conrelid::regclass::text, conname, contype::text, convalidated, pg_get_constraintdef(oid) FROM pg_constraint""",
    "indexes": """
SELECT i.indexrelid::regclass::text, i.indisvalid, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace <> 'pg_toast'::regnamespace""",
    "policies": """
SELECT polrelid::regclass::text, polname, polcmd::text, polpermissive,
  ARRAY(SELECT r::regrole::text FROM unnest(polroles) AS r ORDER BY 1),
  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy""",
    "functions": """
SELECT p.oid::regprocedure::text, p.proowner::regrole::text, pg_get_functiondef(p.oid),
  ARRAY(SELECT a::text FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) AS a ORDER BY 1)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'""",
    "triggers": """
SELECT tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal""",
    "types": """
SELECT t.oid::regtype::text, t.typtype::text, t.typowner::regrole::text,
  ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'c') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'""",
    "schemas": """
SELECT nspname, nspowner::regrole::text,
  ARRAY(SELECT a::text FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) AS a ORDER BY 1)
FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'""",
    "default privileges": """
SELECT defaclrole::regrole::text, defaclnamespace::regnamespace::text, defaclobjtype::text,
  ARRAY(SELECT a::text FROM unnest(defaclacl) AS a ORDER BY 1) FROM pg_default_acl""",
    "extensions": """
SELECT extname, extowner::regrole::text, extversion, extnamespace::regnamespace::text FROM pg_extension""",
    "comments": "SELECT classoid::regclass::text, description FROM pg_description WHERE objoid >= 16384",
    "database": """
SELECT ARRAY(SELECT a::text FROM unnest(datacl) AS a ORDER BY 1) FROM pg_database
WHERE datname = current_database()""",
}


# Written out and read again, `a BETWEEN 1 AND 9 AND b` has other brackets and means the same.
_BRACKETS = str.maketrans("", "", "()")


def described(conninfo: str) -> dict[str, list[str]]:
    """The parts of a database, each as sorted lines that do not depend on how it came to be."""
    with psycopg.connect(conninfo) as connection:
        return {
            part: sorted(repr(row).translate(_BRACKETS) for row in connection.execute(query).fetchall())  # type: ignore[call-overload]
            for part, query in _PARTS.items()
        }
