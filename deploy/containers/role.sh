# Runs once, when an agency's cluster is made: the service's own role and database, closed to others.
set -eu
psql -q -v ON_ERROR_STOP=1 --username postgres <<SQL
create role $AGENCY login password '$(cat /run/secrets/role)';
create database $AGENCY owner $AGENCY;
revoke all on database $AGENCY from public;
SQL
