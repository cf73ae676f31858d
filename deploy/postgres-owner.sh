#!/bin/sh
# Run once by the image of Postgres, as its superuser: makes the role that owns the schema, which is
# no superuser, so that forced row-level security binds it as well, and its database.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$TIEBACK_OWNER_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE tieback_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE tieback OWNER tieback_owner;
\connect tieback
ALTER SCHEMA public OWNER TO tieback_owner;
SQL
