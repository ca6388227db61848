# What the official image does at its start, as far as docker-compose.yml needs it: a cluster with the superuser's password,
# the scripts of /docker-entrypoint-initdb.d once, then the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  half="$PGDATA.half" # renamed when whole: a killed start leaves nothing that looks like a cluster
  rm -rf "$half" && mkdir -p "$half" && chmod 0700 "$half"
  [ -n "${POSTGRES_PASSWORD_FILE:-}" ] || printf %s "$POSTGRES_PASSWORD" >"${POSTGRES_PASSWORD_FILE:=$half.password}"
  initdb -D "$half" -U postgres --pwfile "$POSTGRES_PASSWORD_FILE" -A scram-sha-256 --auth-local=trust -E UTF8 --locale=C.UTF-8 --no-instructions >/dev/null
  echo "host all all all scram-sha-256" >>"$half/pg_hba.conf"
  pg_ctl -D "$half" -s -w -o "-c listen_addresses='' -c unix_socket_directories=/run/postgresql" start
  for script in /docker-entrypoint-initdb.d/*.sh; do
    [ ! -e "$script" ] || PGHOST=/run/postgresql sh "$script"
  done
  pg_ctl -D "$half" -s -w -m fast stop
  rm -f "$half.password"
  mv "$half" "$PGDATA"
fi
exec "$@" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql
